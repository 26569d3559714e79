      *****************************************************************
      * IOMBRWQ: body of a BRW request.
      *   AFTER-KEY    where the last page ended; blank for the first
      *   MAX-KEYS     at most so many; the reply holds no more than 50
      *****************************************************************
       01  BROWSE-REQUEST.
           05  AFTER-KEY                           PIC X(40).
           05  MAX-KEYS                            PIC 9(04).

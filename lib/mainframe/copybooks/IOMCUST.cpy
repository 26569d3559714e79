      *****************************************************************
      * IOMCUST: the state of a customer, the body of UPD for CUSTOMER.
      * What is not known is blank. Dates are YYYY-MM-DD.
      *   GENDER       F, M or X
      *   ALTERED      Y when any text was transliterated or cut
      *   UPDATED-AT   UTC, RFC 3339 with milliseconds
      *****************************************************************
       01  CUSTOMER-RECORD.
           05  TITLE                               PIC X(10).
           05  FIRST-NAME                          PIC X(30).
           05  MIDDLE-NAME                         PIC X(30).
           05  LAST-NAME                           PIC X(40).
           05  EMAIL                               PIC X(80).
           05  PHONE                               PIC X(16).
           05  DATE-OF-BIRTH                       PIC X(10).
           05  GENDER                              PIC X(01).
           05  NATIONALITY                         PIC X(02).
           05  LANGUAGE                            PIC X(12).
           05  PASSPORT-NUMBER                     PIC X(20).
           05  PASSPORT-COUNTRY                    PIC X(02).
           05  PASSPORT-EXPIRES                    PIC X(10).
           05  LOYALTY-NUMBER                      PIC X(20).
           05  LOYALTY-TIER                        PIC X(12).
           05  ADDRESSES OCCURS 3 TIMES.
               10  KIND                            PIC X(10).
               10  LINE OCCURS 4 TIMES             PIC X(35).
               10  CITY                            PIC X(35).
               10  REGION                          PIC X(35).
               10  POSTAL-CODE                     PIC X(12).
               10  COUNTRY                         PIC X(02).
           05  ALTERED                             PIC X(01).
           05  UPDATED-AT                          PIC X(24).
           05  FILLER                              PIC X(178).

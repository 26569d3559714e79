      *****************************************************************
      * IOMBRWR: body of a BRW reply with return code 00. Keys stand in
      * EBCDIC order (letters before digits). ENTRY-COUNT of the entries
      * are filled; 0 says that there is nothing after the key.
      *****************************************************************
       01  BROWSE-REPLY.
           05  ENTRY-COUNT                         PIC 9(04).
           05  ENTRY OCCURS 50 TIMES.
               10  ENTRY-KEY                       PIC X(40).
               10  ENTRY-VERSION                   PIC 9(18).

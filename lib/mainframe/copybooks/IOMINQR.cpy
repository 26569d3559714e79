      *****************************************************************
      * IOMINQR: body of an INQ reply with return code 00.
      *   FOUND        Y or N
      *   APPLIED-AT   when the held version was applied, UTC
      *****************************************************************
       01  INQUIRY-REPLY.
           05  FOUND                               PIC X(01).
           05  HELD-VERSION                        PIC 9(18).
           05  APPLIED-AT                          PIC X(24).
           05  FILLER                              PIC X(07).

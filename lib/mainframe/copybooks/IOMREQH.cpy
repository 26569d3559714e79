      *****************************************************************
      * IOMREQH: request header. Every request starts with it; the body
      * that the transaction needs follows, BODY-LENGTH bytes long.
      *   TRANSACTION  UPD  apply the subject's state with its version
      *                INQ  which version of the subject is held
      *                BRW  keys and versions after SUBJECT-KEY
      *   SUBJECT      CUSTOMER or ORDER
      *   TRACE        W3C traceparent, or blank
      *****************************************************************
       01  REQUEST-HEADER.
           05  TRANSACTION                         PIC X(08).
           05  PROTOCOL-VERSION                    PIC 9(02).
           05  SUBJECT                             PIC X(08).
           05  SUBJECT-KEY                         PIC X(40).
           05  SUBJECT-VERSION                     PIC 9(18).
           05  TRACE                               PIC X(55).
           05  BODY-LENGTH                         PIC 9(05).
           05  FILLER                              PIC X(24).

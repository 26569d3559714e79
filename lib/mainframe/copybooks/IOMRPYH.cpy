      *****************************************************************
      * IOMRPYH: reply header. Transaction, subject and key repeat the
      * request's. A body of BODY-LENGTH bytes may follow.
      *   RETURN-CODE  00 applied            04 already applied or older
      *                08 rejected for good  12 busy      16 abended
      *   HELD-VERSION what is held now, 0 for nothing
      *****************************************************************
       01  REPLY-HEADER.
           05  TRANSACTION                         PIC X(08).
           05  PROTOCOL-VERSION                    PIC 9(02).
           05  RETURN-CODE                         PIC 9(02).
           05  REASON-CODE                         PIC X(08).
           05  REASON-TEXT                         PIC X(60).
           05  SUBJECT                             PIC X(08).
           05  SUBJECT-KEY                         PIC X(40).
           05  HELD-VERSION                        PIC 9(18).
           05  BODY-LENGTH                         PIC 9(05).
           05  FILLER                              PIC X(09).

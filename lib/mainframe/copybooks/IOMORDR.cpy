      *****************************************************************
      * IOMORDR: the state of an order, the body of UPD for ORDER.
      * What is not known is blank or zero. Dates are YYYY-MM-DD,
      * times UTC, RFC 3339 with milliseconds. Amounts are in CURRENCY.
      *   PASSENGERS   the first 9; PASSENGER-COUNT is how many it has
      *   ITEMS        the first 12, those that take place before the
      *                others; ITEM-COUNT is how many the order has
      *   CODE         SKU, service code or type of the ancillary
      *   DEPARTS-AT   as far as is known now, not as scheduled
      *   ALTERED      Y when anything was transliterated, cut or left
      *****************************************************************
       01  ORDER-RECORD.
           05  CUSTOMER-ID             PIC X(40).
           05  STATE                   PIC X(12).
           05  CURRENCY                PIC X(03).
           05  NET-AMOUNT              PIC S9(15)V9(3) COMP-3.
           05  TAX-AMOUNT              PIC S9(15)V9(3) COMP-3.
           05  GROSS-AMOUNT            PIC S9(15)V9(3) COMP-3.
           05  CHANNEL                 PIC X(20).
           05  PLACED-AT               PIC X(24).
           05  CLOSED-AT               PIC X(24).
           05  PASSENGER-COUNT         PIC 9(03).
           05  PASSENGERS OCCURS 9 TIMES.
               10  PASSENGER-ID        PIC X(20).
               10  PASSENGER-TYPE      PIC X(06).
               10  LAST-NAME           PIC X(40).
               10  FIRST-NAME          PIC X(30).
           05  ITEM-COUNT              PIC 9(03).
           05  ITEMS OCCURS 12 TIMES.
               10  ITEM-ID             PIC X(20).
               10  KIND                PIC X(14).
               10  STATUS              PIC X(18).
               10  CODE                PIC X(40).
               10  QUANTITY            PIC 9(04).
               10  UNIT-PRICE          PIC S9(12)V9(3) COMP-3.
               10  TAXES               PIC S9(12)V9(3) COMP-3.
               10  FLIGHT              PIC X(08).
               10  FLIGHT-DATE         PIC X(10).
               10  DEPARTURE-AIRPORT   PIC X(03).
               10  ARRIVAL-AIRPORT     PIC X(03).
               10  DEPARTS-AT          PIC X(24).
               10  ARRIVES-AT          PIC X(24).
               10  BOOKING-REFERENCE   PIC X(06).
               10  CABIN-CLASS         PIC X(14).
               10  BOOKING-CLASS       PIC X(01).
               10  GATE                PIC X(05).
               10  REBOOKED-TO         PIC X(20).
               10  TRAVELLERS OCCURS 9 TIMES.
                   15  PASSENGER-ID    PIC X(20).
                   15  TICKET-NUMBER   PIC X(13).
                   15  SEAT            PIC X(03).
                   15  MEAL-CODE       PIC X(04).
                   15  BAG-TAG OCCURS 2 TIMES      PIC X(10).
           05  ALTERED                 PIC X(01).
           05  UPDATED-AT              PIC X(24).
           05  FILLER                  PIC X(112).

"""The only room that has heard of the mainframe.

Owns: the copybooks and the codec that reads and writes their records, the wire protocol, the client that speaks it,
and the rule by which names of every script are written in a code page that has only some.
Never: decides when to call or what to do about an answer it did not expect; that is delivery's.
May call: nothing above the building's utilities, except from delivery.
"""

"""The storage room: rows in tables and messages in queues, whoever keeps them.

Owns: the ports (`ports`), what can go wrong (`errors`), what fits (`limits`), how a row looks on the wire (`entities`),
and two keepers: Azure Storage (`azure`) and the twin in memory (`memory`). Tables are dumb here: no room's keys, no
business words. It never repeats a write, never guesses an outcome, and calls no other room.
"""

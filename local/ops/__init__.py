"""`./ops`, the command line for operations: what is wrong, why, and mending it.

Owns: commands, their words, tables and exit codes. `docs/operations.md` is its manual, and is held to it by a test.
Never: reaches into storage, queues or the mainframe; it asks the private API and nothing else, so it can do what the
API allows, here and in Azure alike.
"""

"""One process that behaves like all of it: storage, queues, host and mainframe on a clock that tests set."""

"""Deliveries: the relay and the mainframe delivery as queue functions, their timers, and where a delivery stands."""

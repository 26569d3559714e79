"""Changes: the promise that a committed write will be told to everyone who must know, and the relay that keeps it.

Owns the wake-up message, the outbox that stands in for it, and the relay. Never knows what a customer is: the rooms
above hand it their subjects. The rules are written down in `docs/delivery.md`.
"""

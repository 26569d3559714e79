"""The timeline: everything that happened to a customer, in the order in which it happened.

Owns the entries that other rooms write beside their rows, in the same transaction. Never decides what an entry means.
"""

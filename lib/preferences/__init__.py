"""Preferences: what a customer likes and needs, who said so, when, and how sure that is.

Owns the rows `preferences~` and `prefhistory~` in customers' partitions. Never decides what may be done with them.
"""

"""Sample data: two hundred invented customers with two years of history, given to a running copy through its API.

Owns what the sample says. Never touches storage, never names a real person, and says the same at every run.
"""

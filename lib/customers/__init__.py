"""Customers: profiles, their history of changes, and the identifiers that belong to one customer each.

Owns the tables `customers` (the profile and change rows), `identifiers` and `customerindex`. May use changes,
messaging, storage and the utilities. Never calls the mainframe and never knows who listens to its changes.
"""

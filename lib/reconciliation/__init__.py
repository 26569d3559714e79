"""Reconciliation: walks what we hold beside what the mainframe holds, and lists where they drifted apart.

Owns the table `reconciliations` and the queue `reconciliation-slices`. May ask the mainframe and wake up deliveries;
never writes to the mainframe itself, and never changes an entity.
"""

"""Identifiers: what people and systems know a customer by, and the index that finds the customer by it.

Owns the tables `identifierindex` and `identifierrebuilds`. May use timeline, changes, messaging, storage and the
utilities. Never knows what a customer or an order is: the rooms above tell it which identifiers each of theirs holds.
"""

"""Interactions: what passed between a customer and the airline, from calls and chats to lounges, baggage and flights.

Owns the rows `interaction~…` in customers' partitions. Never changes a record, and never tells anybody downstream.
"""

"""Flights: what events tell about them, and bringing every order with such a segment up to date.

Owns the table `flights` and the queue `flight-events`. Changes orders only through their service.
"""

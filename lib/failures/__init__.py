"""Failures: one durable record for everything that will not reach its goal by itself, and what people did about it.

Owns the table `failures` and the poison queues. May look at the mainframe room's delivery rows. Never sends anything to
the mainframe and never deletes a message before its record is kept.
"""

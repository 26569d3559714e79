"""Failures over the private API, and the functions that import what ended on poison queues."""

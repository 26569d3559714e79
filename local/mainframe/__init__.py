"""The mainframe's stand-in on one machine: speaks its protocol, keeps what it was given, and misbehaves on request.

Owns: a durable master file and journal that a test can audit, regions and latency, and faults set while it runs.
Never: decides what is right about a customer, and is never deployed.
"""

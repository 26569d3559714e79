"""The local Functions host: serves a Functions app on one machine with the semantics it meets on Azure.

Owns: HTTP routing and keys, queue triggers, timers, the admin API, draining.
Never: knows what the app does, or is deployed. A function that passes here should not be surprised there.
"""

"""How the outside reaches us: operations over HTTP, queue messages and timers, each a declaration and one call.

Knows FastAPI and the Functions host. Never decides anything: that is `lib`.
"""

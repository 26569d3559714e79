"""Messages: which queues there are, who listens to them, and the envelope that travels.

Owns the names of queues and the versions of their messages. Never sends, and never decides what a message means.
"""

"""Replays: failures sent again in bulk: selected once, at a bounded rate, a canary first, with progress that adds up.

Owns the table `replays` and the queue `replay-requests`. May use failures and the mainframe room. Never deletes a
failure, and never sends state: a replay wakes the subject, and the delivery protocol does the rest.
"""

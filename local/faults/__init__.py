"""Faults on purpose, between the app and its storage; never deployed.

`rules` decides which request meets which fault, from a seed; `proxy` stands between the app and Azurite and does it;
`control` lets another process set the rules and read the counts while it runs.
"""

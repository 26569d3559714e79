"""The parts of running everything on one machine: ports, processes, who may run, and what the terminal shows.

Owns: starting, watching and ending child processes so that none is left behind and none loses anything.
Never: knows what the app does; `local/stack.py` puts the parts together and `local/up.py` is what `make run` runs.
"""

"""From a fresh clone to everything installed, once: the virtual environment, the locked packages, the storage emulator.

Owns: which Python fits, what is installed and when that is still good, and one clear sentence when it cannot be done.
Never: imports anything that is not in the standard library, because nothing else is there yet.
"""

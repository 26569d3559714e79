"""Starts the mock mainframe where its callers are on other machines: a container, whose loopback nobody reaches.

On a developer's machine it stays on the loopback address, and that is its default. The network of the environment lets
nobody in from outside.
"""
# ruff: noqa: INP001 - started as a file, in a container

import sys

from local.mainframe import listener
from local.mainframe.__main__ import main


def open_to_the_network() -> None:
    """Make the mock listen on every address of its container."""
    listener.HOST = "0.0.0.0"  # noqa: S104 - the network decides who reaches a container


if __name__ == "__main__":
    open_to_the_network()
    sys.exit(main())

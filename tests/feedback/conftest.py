"""The desk of the interactions' tests, which gives feedback too."""

from tests.interactions.conftest import desk

__all__ = ["desk"]

"""The desk of the interactions' tests, which is asked for overviews too."""

from tests.interactions.conftest import desk

__all__ = ["desk"]

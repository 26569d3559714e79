"""Bulk work: changes that come by the thousand and may wait, so that those of people at work need not."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_bulk: Final[ContextVar[bool]] = ContextVar("bulk", default=False)


@contextmanager
def in_bulk() -> Generator[None]:
    """Let whatever the current task changes meanwhile travel behind the changes of everybody else."""
    token = _bulk.set(True)
    try:
        yield
    finally:
        _bulk.reset(token)


def is_bulk() -> bool:
    """Tell whether the current task does bulk work."""
    return _bulk.get()

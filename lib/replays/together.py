"""Several calls at once, but not too many; what one of them raised does not keep the others from being done."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

Given = TypeVar("Given")
Found = TypeVar("Found")

_AT_ONCE: Final = 16


async def each(given: Sequence[Given], work: Callable[[Given], Awaitable[Found]]) -> list[Found | Exception]:
    """Return what came of each, in order: its result, or what it raised."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(item: Given) -> Found | Exception:
        async with gate:
            try:
                return await work(item)
            except Exception as error:  # noqa: BLE001 - handed to the caller, who raises it once the others are kept
                return error

    return await asyncio.gather(*(one(item) for item in given))


def raise_first(results: Sequence[object]) -> None:
    """Raise the first exception among results, if there is one."""
    for result in results:
        if isinstance(result, Exception):
            raise result

"""Sections that are read side by side, each with a time limit of its own and an outcome of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from lib.errors import PlatformError, UnavailableError
from lib.storage.errors import StorageError
from lib.telemetry import event_log

Reader: TypeAlias = Callable[[], Awaitable[str]]
"""Reads a section and returns it as JSON text."""

_log: Final = event_log("overview")


class SectionStatus(StrEnum):
    """How the reading of a section ended."""

    OK = "ok"
    FAILED = "failed"
    TIMED_OUT = "timedOut"


class SectionSlowError(UnavailableError):
    """The section could not be read in its time."""

    kind = "section-slow"
    title = "Not read in time"

    def __init__(self) -> None:
        super().__init__("This part could not be read in its time; ask for it again, alone or later.")


class SectionDefectError(PlatformError):
    """The section met a defect on our side."""

    kind = "internal-error"
    title = "Internal error"

    def __init__(self) -> None:
        super().__init__("The reading of this part met a defect on our side; it was recorded.")


class NothingReadError(UnavailableError):
    """No section could be read."""

    kind = "overview-unavailable"

    def __init__(self) -> None:
        super().__init__("No part of the overview can be read now; the same request may work later.")


@dataclass(frozen=True, slots=True)
class Section:
    """One part of an overview: its data as JSON text, or why there are none."""

    status: SectionStatus
    data: str | None = None
    problem: PlatformError | None = None


async def read_sections(readers: Mapping[str, Reader], *, limit_seconds: float) -> dict[str, Section]:
    """Read sections side by side and return what became of each; none outlasts its limit."""
    found = await asyncio.gather(*(_read(name, reader, limit_seconds) for name, reader in readers.items()))
    return dict(zip(readers, found, strict=True))


async def _read(name: str, reader: Reader, limit_seconds: float) -> Section:
    limit = asyncio.timeout(limit_seconds)
    try:
        async with limit:
            return Section(SectionStatus.OK, data=await reader())
    except PlatformError as error:
        return _failed(name, error)
    except StorageError:
        return _failed(name, UnavailableError("Storage does not answer now; the same request may work later."))
    except TimeoutError:
        if limit.expired():
            _log.warning("section.slow", section=name, seconds=limit_seconds)
            return Section(SectionStatus.TIMED_OUT, problem=SectionSlowError())
        return _defect(name)
    except Exception:  # noqa: BLE001 - a defect of one room must not take the others down; it is logged with its stack
        return _defect(name)


def _failed(name: str, error: PlatformError) -> Section:
    _log.warning("section.failed", section=name, kind=error.kind)
    return Section(SectionStatus.FAILED, problem=error)


def _defect(name: str) -> Section:
    _log.defect("section.defect", section=name)
    return Section(SectionStatus.FAILED, problem=SectionDefectError())

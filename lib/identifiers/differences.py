"""Where rebuilds are kept, and the differences that each found: slice by slice."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lib.identifiers.rebuilds import Difference, Rebuild
from lib.jobs.findings import Findings
from lib.jobs.runs import Job

IDENTIFIER_REBUILDS_TABLE: Final = "identifierrebuilds"
REBUILDS: Final = Job(Rebuild, partition="runs", key="run", pointer="rebuildId", alone=True)


@dataclass(frozen=True, slots=True)
class Differences:
    """Keeps what rebuilds found."""

    findings: Findings[Difference]

    async def keep(self, run: Rebuild, differences: Iterable[Difference]) -> None:
        """Keep what the slice that is due found. The same again is one row."""
        slice_key = _slice_key(run.slice_number)
        await self.findings.keep(run.id, {f"{slice_key}{place_of(one)}": one for one in differences})

    async def of_slice(self, run: Rebuild) -> list[Difference]:
        """Return what an attempt at the slice that is due kept before: one that died may have mended it already."""
        return await self.findings.between(
            run.id, from_key=_slice_key(run.slice_number), below_key=_slice_key(run.slice_number + 1)
        )

    async def page(self, rebuild_id: str, *, limit: int, resume: str | None) -> tuple[list[Difference], str | None]:
        """Return up to `limit` of what was found, in the order in which it was, and where to go on."""
        return await self.findings.page(rebuild_id, limit=limit, resume=resume)


def place_of(difference: Difference) -> str:
    """Return what is the same for a difference however often it is found in one slice."""
    parts = (difference.fault, difference.subject, difference.id, difference.mark)
    return hashlib.sha256("~".join(parts).encode()).hexdigest()[:32]


def _slice_key(slice_number: int) -> str:
    return f"difference~{slice_number:09d}~"

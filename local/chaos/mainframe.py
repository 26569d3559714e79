"""Looks at the mock mainframe and sets its faults, over its control port."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class MainframeControl:
    """The control port of the mock mainframe."""

    session: aiohttp.ClientSession
    url: str

    async def faults(self, *faults: Mapping[str, Any]) -> None:
        """Set these faults and no others."""
        async with self.session.put(f"{self.url}/faults", json=list(faults)) as answer:
            answer.raise_for_status()

    async def latency(self, milliseconds: float) -> None:
        """Answer every call after this long."""
        wanted = {"latency": {"distribution": "fixed", "milliseconds": milliseconds}}
        async with self.session.put(f"{self.url}/settings", json=wanted) as answer:
            answer.raise_for_status()

    async def speed(self, milliseconds: float, *, regions: int) -> None:
        """Answer every call after this long, so many at once."""
        wanted = {"latency": {"distribution": "fixed", "milliseconds": milliseconds}, "regions": regions}
        async with self.session.put(f"{self.url}/settings", json=wanted) as answer:
            answer.raise_for_status()

    async def stats(self) -> dict[str, Any]:
        """Return what was seen since the start."""
        async with self.session.get(f"{self.url}/stats") as answer:
            return await answer.json()

    async def held(self, customer_id: str) -> dict[str, Any] | None:
        """Return what is held of a customer."""
        async with self.session.get(f"{self.url}/master/{customer_id}") as answer:
            return await answer.json() if answer.status == 200 else None  # noqa: PLR2004 - 404 is the other

    async def journal(self, *, key: str | None = None) -> Sequence[dict[str, Any]]:
        """Return every update that was answered for, in order."""
        found: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            query = f"after={after}&limit={_PAGE}" + (f"&key={key}" if key else "")
            async with self.session.get(f"{self.url}/journal?{query}") as answer:
                page = await answer.json()
            found += page["items"]
            after = page["next"]
        return found

"""`make load`: asks a running copy for reads and writes for a while, and holds them to the promised latencies.

It drives the copy at SMOKE_URL with the keys of the smoke test. The promise is p98 at most 700 ms for reads and 1.2 s
for writes, seen by the caller; an answer 5xx or none at all breaks it too.
"""

import argparse
import asyncio
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import aiohttp

READ_P98_SECONDS: Final = 0.7
WRITE_P98_SECONDS: Final = 1.2
_PERCENT: Final = 98


@dataclass
class Seen:
    """How long calls of one kind took, and how many failed."""

    promised_seconds: float
    seconds: list[float] = field(default_factory=list[float])
    failed: int = 0

    @property
    def p98_seconds(self) -> float:
        """The time within which 98 of 100 were answered; endless when nothing was."""
        if not self.seconds:
            return math.inf
        return sorted(self.seconds)[math.ceil(len(self.seconds) * _PERCENT / 100) - 1]

    @property
    def kept(self) -> bool:
        """Whether the promise was kept."""
        return not self.failed and self.p98_seconds <= self.promised_seconds


@dataclass
class Load:
    """Callers who each create a customer, then read and change it until the time is over."""

    url: str
    headers: dict[str, str]
    run: str
    reads: Seen = field(default_factory=lambda: Seen(READ_P98_SECONDS))
    writes: Seen = field(default_factory=lambda: Seen(WRITE_P98_SECONDS))
    _etags: dict[str, str] = field(default_factory=dict[str, str], init=False, repr=False)

    async def drive(self, *, callers: int, seconds: float) -> None:
        """Send requests from so many callers at a time."""
        until = time.monotonic() + seconds
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(self.url, headers=self.headers, timeout=timeout) as session:
            await asyncio.gather(*(self._caller(session, number, until) for number in range(callers)))

    async def _caller(self, session: aiohttp.ClientSession, number: int, until: float) -> None:
        person = {"firstName": "Load", "lastName": "Check", "email": f"load-{self.run}-{number}@example.com"}
        path = await self._call(session, self.writes, "POST", "/api/v1/customers", body=person)
        count = 0
        while path and time.monotonic() < until:
            for _ in range(4):
                await self._call(session, self.reads, "GET", path)
            count += 1
            title = {"title": f"No {count}"}
            await self._call(session, self.writes, "PATCH", path, body=title, if_match=self._etags.get(path, "*"))

    async def _call(
        self,
        session: aiohttp.ClientSession,
        seen: Seen,
        method: str,
        path: str,
        *,
        body: dict[str, str] | None = None,
        if_match: str = "",
    ) -> str:
        headers = {"If-Match": if_match} if if_match else {}
        started = time.perf_counter()
        try:
            async with session.request(method, path, json=body, headers=headers) as answer:
                await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            seen.failed += 1
            return ""
        seen.seconds.append(time.perf_counter() - started)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            seen.failed += 1
            return ""
        where = answer.headers.get("Location", path)
        self._etags[where] = answer.headers.get("ETag", "")
        return where


def main(arguments: Sequence[str] | None = None) -> int:
    """Drive the copy and print what was seen. Returns 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="make load", description="Hold a running copy to the promised latencies.")
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args(arguments)
    url = os.environ.get("SMOKE_URL")
    if not url:
        print("Name the copy: SMOKE_URL=http://127.0.0.1:7071 make load", file=sys.stderr)
        return 2
    headers = {"Ocp-Apim-Subscription-Key": os.environ.get("SMOKE_SUBSCRIPTION_KEY", "")}
    load = Load(url, headers, run=str(time.time_ns()))
    asyncio.run(load.drive(callers=options.callers, seconds=options.seconds))
    for name, seen in (("reads", load.reads), ("writes", load.writes)):
        verdict = "kept" if seen.kept else "BROKEN"
        print(
            f"{name}: {len(seen.seconds)} answered, {seen.failed} failed, p98 {seen.p98_seconds * 1000:.0f} ms"
            f" of {seen.promised_seconds * 1000:.0f} ms promised: {verdict}"
        )
    return 0 if load.reads.kept and load.writes.kept else 1


if __name__ == "__main__":
    sys.exit(main())

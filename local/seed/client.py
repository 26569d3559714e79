"""What gives the sample to a running copy: imports, watched until they have ended, and single requests side by side."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

IMPORTS: Final = "/api/private/v1/imports"
_LOOK_AGAIN_SECONDS: Final = 0.3
_AT_ONCE: Final = 8
_REFUSED: Final = 400
_NOT_NOW: Final = 503
_TRIES: Final = 20


class SeedError(Exception):
    """The copy did not take the sample; the message says what it answered."""


@dataclass(frozen=True, slots=True)
class Target:
    """A running copy."""

    http: aiohttp.ClientSession
    url: str

    async def load(self, kind: str, rows: Sequence[Any]) -> dict[str, Any]:
        """Import rows, wait until all are taken, and return the import.

        Raises:
            SeedError: some were refused.
        """
        content = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()
        headers = {"Content-Type": "application/x-ndjson"}
        query = {"kind": kind, "source": "sample-1"}
        shown = await self._ask("POST", IMPORTS, params=query, data=content, headers=headers)
        while shown["state"] == "running":
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
            shown = await self._ask("GET", f"{IMPORTS}/{shown['id']}")
        counts = shown["counts"]
        if shown["state"] != "completed" or counts["refused"] or counts["failed"]:
            raise SeedError(f"the import {shown['id']} of {kind} is {shown['state']}: {counts}")
        return shown

    async def ids(self, import_id: str) -> list[str]:
        """Return what the rows of an import made or met, in order."""
        text, _ = await self._answer("GET", f"{IMPORTS}/{import_id}/results")
        return [json.loads(line)["id"] for line in text.splitlines()]

    async def amend(self, path: str, body: dict[str, Any], *, key: str) -> None:
        """Change something in the version that it has now; the same key again changes nothing."""
        _, tag = await self._answer("GET", path)
        await self._ask("PATCH", path, json=body, headers={"If-Match": tag, "Idempotency-Key": key})

    async def tell(self, path: str, body: dict[str, Any]) -> None:
        """Record something that its source tells under an id of its own, so that twice is once."""
        await self._ask("POST", path, json=body)

    async def _ask(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        text, _ = await self._answer(method, path, **how)
        return json.loads(text)

    async def _answer(self, method: str, path: str, **how: Any) -> tuple[str, str]:
        """Return an answer's text and entity tag. What cannot be done now is asked again: all of it may be repeated."""
        for left in reversed(range(_TRIES)):
            async with self.http.request(method, f"{self.url}{path}", **how) as answer:
                text = await answer.text()
            if answer.status < _REFUSED:
                return text, answer.headers.get("ETag", "")
            if answer.status != _NOT_NOW or not left:
                raise SeedError(f"{method} {path} was answered {answer.status}: {text[:300]}")
            await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))
        raise AssertionError("the last try either returned or raised")


async def side_by_side(works: Sequence[Any]) -> None:
    """Do what is to be done, a few at a time."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def do(work: Any) -> None:
        async with turn:
            await work

    await asyncio.gather(*(do(work) for work in works))

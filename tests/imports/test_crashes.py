"""Feature 20: an import resumes after a death anywhere, and ends as one that never died: same rows, same counts.

A `Death` is what no handler catches, as a kill is: the message comes back after its lease, or the stand-by comes.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest

from lib.errors import UnavailableError
from lib.imports.loaders import Loader, RawRow, Work
from lib.imports.models import ImportKind, Logged, Outcome, RowResult
from lib.storage.errors import StorageUnavailableError
from local.faults.taps import When
from local.simulation.world import World
from tests.imports.support import customer, finish, ndjson, results, send

ROWS = 110
CHUNK = 50


class Death(BaseException):
    """The process is gone."""


@pytest.fixture(autouse=True)
def small_chunks(world: World) -> None:
    world.platform.__dict__["imports"] = replace(world.platform.imports, chunk_rows=CHUNK)


class Killer:
    """Ends the process at the n-th call of a point, and then at the next ones, so many times in all."""

    def __init__(self, point: str, when: When, *, at: int, times: int = 1) -> None:
        self.point, self.when, self.at, self.times = point, when, at, times
        self.calls = self.dealt = 0

    async def __call__(self, point: str, when: When) -> None:
        if (point, when) == (self.point, self.when):
            self.calls += 1
            if self.calls >= self.at and self.dealt < self.times:
                self.dealt += 1
                raise Death


POINTS = [
    ("imports.append", When.BEFORE, 2),
    ("imports.append", When.AFTER, 1),
    ("imports.append", When.AFTER, 2),
    ("imports.write", When.BEFORE, 1),  # the lease
    ("imports.write", When.AFTER, 1),
    ("imports.write", When.BEFORE, 2),  # the cursor
    ("imports.write", When.AFTER, 2),
    ("imports.write", When.BEFORE, 4),  # the end
    ("imports.write", When.AFTER, 4),
    ("imports.delete", When.BEFORE, 1),
    ("imports.delete", When.AFTER, 1),
    ("imports.read", When.BEFORE, 1),
    ("import-slices.send", When.BEFORE, 1),
    ("import-slices.send", When.AFTER, 1),
    ("changes-bulk.send", When.BEFORE, 70),
    ("customers.commit", When.BEFORE, 30),
    ("customers.commit", When.AFTER, 77),
    ("identifiers.write", When.AFTER, 51),
]


async def run(world: World, http: httpx2.AsyncClient, import_id: str) -> dict[str, Any]:
    for _ in range(40):
        try:
            return await finish(world, http, import_id)
        except Death:
            continue
    raise AssertionError("it died over and over")


@pytest.mark.parametrize("times", [1, 3], ids=["once", "over and over"])
@pytest.mark.parametrize("point", POINTS, ids=str)
async def test_a_death_changes_nothing_in_the_end(
    world: World, http: httpx2.AsyncClient, point: tuple[str, When, int], times: int
) -> None:
    rows = [customer(number) for number in range(ROWS)]
    rows[3]["email"] = "none"
    rows[ROWS - 1] = {"nonsense": True}
    started = (await send(http, ndjson(rows))).json()
    killer = Killer(*point[:2], at=point[2], times=times)
    world.tap = killer

    shown = await run(world, http, started["id"])

    assert killer.dealt, "the point was never reached"
    assert (shown["counts"]["created"], shown["counts"]["refused"]) == (ROWS - 2, 2)
    told = await results(http, started["id"])
    assert [row["line"] for row in told] == list(range(1, ROWS + 1))
    kept = [row.partition for row in world.storage.table("customers").rows() if row.key == "profile"]
    assert sorted(kept) == sorted(row["id"] for row in told if row["outcome"] == "created")
    assert world.storage.blobs("imports").names() == [f"{started['id']}/results.ndjson"]


async def test_a_death_while_it_is_taken_in_leaves_nothing_behind(world: World, http: httpx2.AsyncClient) -> None:
    world.tap = Killer("imports.write", When.BEFORE, at=1)
    with pytest.raises(Death):
        await send(http, ndjson([customer(1)]))
    assert len(world.storage.blobs("imports").names()) == 1

    await world.settle(seconds=90)

    assert world.storage.blobs("imports").names() == []


async def test_a_file_sent_again_after_such_a_death_is_imported(world: World, http: httpx2.AsyncClient) -> None:
    world.tap = Killer("imports.write", When.BEFORE, at=1)
    with pytest.raises(Death):
        await send(http, ndjson([customer(1)]))

    again = await send(http, ndjson([customer(1)]))

    assert (await finish(world, http, again.json()["id"]))["counts"]["created"] == 1


async def test_a_slice_that_outlived_its_lease_adds_nothing(world: World, http: httpx2.AsyncClient) -> None:
    started = (await send(http, ndjson([customer(number) for number in range(ROWS)]))).json()
    overtaken: list[dict[str, Any]] = []

    async def sleep_over_the_lease(point: str, when: When) -> None:
        if (point, when) == ("imports.append", When.BEFORE) and not overtaken:
            overtaken.append({})
            world.clock.advance(100)
            overtaken[0] = await finish(world, http, started["id"])

    world.tap = sleep_over_the_lease
    shown = await finish(world, http, started["id"])

    assert overtaken[0]["counts"] == shown["counts"]
    assert shown["counts"]["created"] == ROWS
    assert [row["line"] for row in await results(http, started["id"])] == list(range(1, ROWS + 1))


async def test_an_outage_of_storage_is_waited_out(world: World, http: httpx2.AsyncClient) -> None:
    started = (await send(http, ndjson([customer(number) for number in range(20)]))).json()
    until = world.clock.now().timestamp() + 300

    async def down(point: str, when: When) -> None:
        if point.startswith("customers.") and when is When.BEFORE and world.clock.now().timestamp() < until:
            raise StorageUnavailableError("down")

    world.tap = down
    shown = await finish(world, http, started["id"])

    assert shown["counts"]["created"] == 20


@dataclass
class Troubled:
    """Takes rows, but one of them never."""

    inner: Loader
    line: int
    error: Exception
    tried: int = 0

    def keys(self, row: RawRow) -> Sequence[str]:
        return self.inner.keys(row)

    async def take(self, rows: Sequence[RawRow], work: Work) -> Sequence[RowResult]:
        if any(row.line == self.line for row in rows):
            self.tried += 1
            raise self.error
        return await self.inner.take(rows, work)

    async def preview(self, rows: Sequence[RawRow], work: Work) -> Sequence[RowResult]:
        return await self.inner.preview(rows, work)


@pytest.mark.parametrize(
    ("error", "least_tried", "kind"),
    [(UnavailableError("contended"), 5, "unavailable"), (KeyError("a defect"), 1, "internal-error")],
    ids=["not now", "a defect"],
)
async def test_a_row_that_never_can_be_taken_holds_up_no_other(
    world: World, http: httpx2.AsyncClient, error: Exception, least_tried: int, kind: str
) -> None:
    runner = world.platform.import_runner
    loader = Troubled(runner.loaders[ImportKind.CUSTOMERS], 7, error)
    world.platform.__dict__["import_runner"] = replace(runner, loaders={ImportKind.CUSTOMERS: loader})
    started = (await send(http, ndjson([customer(number) for number in range(20)]))).json()

    shown = await finish(world, http, started["id"])

    assert (shown["counts"]["created"], shown["counts"]["failed"]) == (19, 1)
    (failed,) = await results(http, started["id"], outcome="failed")
    assert (failed["line"], failed["problem"]["type"]) == (7, f"urn:iommi:problem:{kind}")
    assert loader.tried >= least_tried


def test_the_log_says_what_counting_needs() -> None:
    text = RowResult(line=7, outcome=Outcome.REFUSED).text()

    assert Logged.read(text.encode()) == Logged(7, Outcome.REFUSED)
    assert json.loads(text) == {"line": 7, "outcome": "refused", "id": None, "problem": None}

"""The index that Azurite is given changes how much it looks at, never what it answers."""

import asyncio
import random
import re
import string
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from lib.storage.azure import AzureStorage, ConnectionString
from lib.storage.errors import RowConflictError
from lib.storage.ports import Delete, Insert, Replace, Table, Upsert, Write
from local.azurite import Azurite, AzuritePorts

_LETTERS = string.ascii_lowercase[:4] + "~'é\U0001f600"
_PARTITIONS = ("cus_1", "cus_2", "o'hara")


@dataclass
class WatchedAzurite(Azurite):
    """An emulator that says what it does, as a script beside this file has it."""

    script: str = ""

    def _command(self, ports: AzuritePorts) -> list[str]:
        node, *rest = super()._command(ports)
        place = next(place for place, word in enumerate(rest) if word.endswith("azurite.js"))
        return [node, *rest[:place], "--require", str(Path(__file__).with_name(self.script)), *rest[place:]]

    def until_said(self, pattern: str) -> list[str]:
        """Return what it said, as soon as it has."""
        deadline = time.monotonic() + 20
        while not (found := re.findall(pattern, self.said())):
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)
        return found


@pytest.fixture(scope="module")
def indexed() -> Iterator[Azurite]:
    with Azurite() as storage:
        yield storage


@pytest.fixture
async def tables(azurite: Azurite, indexed: Azurite) -> AsyncIterator[Sequence[Table]]:
    """The same table in an emulator with the index and in one as it is delivered."""
    storages = [AzureStorage(ConnectionString.parse(one.connection_string)) for one in (indexed, azurite)]
    for storage in storages:
        await storage.create_missing(tables=["indexed"], queues=[])
    yield [storage.table("indexed") for storage in storages]
    for storage in storages:
        await storage.close()


class TestIndex:
    async def test_answers_what_azurite_answers_without_it(self, tables: Sequence[Table]) -> None:
        drawn = random.Random(1)  # noqa: S311 - to be repeated, not to be secret
        keys = sorted({"".join(drawn.choices(_LETTERS, k=drawn.randint(1, 4))) for _ in range(60)})
        for step in range(150):
            partition = drawn.choice(_PARTITIONS)
            writes = _writes(drawn, keys, step)
            assert len({await _written(table, partition, writes) for table in tables}) == 1

        for _ in range(150):
            partition = drawn.choice(_PARTITIONS)
            from_key, below_key = drawn.choice(["", *keys]), drawn.choice([None, *keys])
            where = drawn.choice([{}, {"kind": "even"}, {"kind": "even", "more": "it's"}])
            limit = drawn.randint(1, 9)
            walks = [
                await _walk(table, partition, from_key=from_key, below_key=below_key, where=where, limit=limit)
                for table in tables
            ]
            assert walks[0] == walks[1]

    async def test_is_read_no_further_than_the_page(self) -> None:
        with WatchedAzurite(script="counting.cjs") as azurite:
            storage = AzureStorage(ConnectionString.parse(azurite.connection_string))
            await storage.create_missing(tables=["long"], queues=[])
            table = storage.table("long")
            for partition in ("one", "other"):
                for start in range(0, 300, 100):
                    rows = (Insert(f"key~{number:04d}", {"n": number}) for number in range(start, start + 100))
                    await table.write(partition, *rows)
            found = await table.page("one", from_key="key~0100", below_key="key~0200", limit=10)
            await storage.close()
            counts = azurite.until_said(r"looked at (\d+) rows")

        assert [row.key for row in found.rows] == [f"key~{number:04d}" for number in range(100, 110)]
        assert counts == ["11"]

    async def test_is_made_anew_from_what_was_kept(self, tmp_path: Path) -> None:
        for expected in (["a"], ["a", "b"]):
            with Azurite(location=tmp_path) as azurite:
                storage = AzureStorage(ConnectionString.parse(azurite.connection_string))
                await storage.create_missing(tables=["kept"], queues=[])
                table = storage.table("kept")
                await table.write("p", Upsert(expected[-1], {"n": 1}))
                page = await table.page("p", limit=10)
                await storage.close()

            assert [row.key for row in page.rows] == expected


class TestSweep:
    async def test_takes_each_out_of_the_order_and_leaves_messages_that_wait(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PROTECTED_MS", "0")
        with WatchedAzurite(script="sweeping.cjs") as azurite:
            storage = AzureStorage(ConnectionString.parse(azurite.connection_string))
            await storage.create_missing(tables=[], queues=["swept"])
            queue = storage.queue("swept")
            for number in range(20):
                await queue.send(f"message {number}")
            for message in await queue.receive(15, lease_seconds=60):
                await queue.delete(message)
            said = azurite.until_said(r"swept (\d+) with (\d+) sorts")
            left = await queue.peek()
            await storage.close()

        assert len(left) == 5
        assert all(body.startswith("message ") for body in left)
        assert {sorts for _, sorts in said} == {"0"}

    async def test_leaves_what_may_be_written_just_now(self) -> None:
        with WatchedAzurite(script="sweeping.cjs") as azurite:
            storage = AzureStorage(ConnectionString.parse(azurite.connection_string))
            await storage.create_missing(tables=[], queues=["young"])
            queue = storage.queue("young")
            await queue.send("soon gone")
            for message in await queue.receive(1, lease_seconds=60):
                await queue.delete(message)
            await asyncio.sleep(0.8)
            await storage.close()
            said = azurite.said()

        assert "swept" not in said


def _writes(drawn: random.Random, keys: Sequence[str], step: int) -> list[Write]:
    chosen = drawn.sample(keys, drawn.choice([1, 1, 2, 5]))
    values = {"kind": "even" if step % 2 == 0 else "odd", "more": drawn.choice(["it's", "no"]), "step": step}
    kinds = [Insert, Upsert, Upsert, Replace, Delete]
    made: list[Write] = []
    for key in chosen:
        kind = drawn.choice(kinds)
        if kind is Delete:
            made.append(Delete(key, "any"))
        elif kind is Replace:
            made.append(Replace(key, values, "any"))
        else:
            made.append(kind(key, values))  # type: ignore[arg-type,call-arg]
    return made


async def _written(table: Table, partition: str, writes: Sequence[Write]) -> str:
    """Write with the etags that this table has, and say how it ended."""
    own: list[Write] = []
    for write in writes:
        if isinstance(write, Insert | Upsert):
            own.append(write)
            continue
        row = await table.get(partition, write.key)
        etag = row.etag if row else "W/\"datetime'2026-01-01T00%3A00%3A00.0000000Z'\""
        own.append(Delete(write.key, etag) if isinstance(write, Delete) else Replace(write.key, write.values, etag))
    try:
        await table.write(partition, *own)
    except RowConflictError as error:
        return f"{type(error).__name__} {error.key}"
    return "done"


async def _walk(table: Table, partition: str, *, limit: int, **asked: object) -> list[list[tuple[str, object]]]:
    pages: list[list[tuple[str, object]]] = []
    resume: str | None = None
    while True:
        page = await table.page(partition, limit=limit, resume=resume, **asked)  # type: ignore[arg-type]
        pages.append([(row.key, row.values["step"]) for row in page.rows])
        resume = page.resume
        if resume is None:
            return pages

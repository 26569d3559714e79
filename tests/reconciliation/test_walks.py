"""The two walks: ours in the mainframe's order, whatever the ids are like, and read no more often than needed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.changes.subjects import IndexEntry, IndexPage, Snapshot
from lib.ids import ID_ALPHABET, crockford
from lib.mainframe.protocol import collation_key
from lib.reconciliation.walks import Budget, Entry, OurWalk, SideBySide, TheirWalk
from local.mainframe.memory import MemoryMainframe


@dataclass
class Index:
    """An index in storage's order whose pages come short."""

    ids: list[str]
    id_prefix: str = "cus"
    calls: int = 0
    read: int = 0
    random: Random = field(default_factory=lambda: Random(1))  # noqa: S311 - to be repeated, not to be secret

    async def snapshot(self, entity_id: str, partition: str) -> Snapshot:
        return Snapshot(entity_id, 1, partition, None)

    async def partition_of(self, entity_id: str) -> str | None:
        return entity_id

    async def index_page(self, *, from_id: str, below_id: str, limit: int, resume: str | None) -> IndexPage:
        self.calls += 1
        found = sorted(one for one in self.ids if max(from_id, resume or "") <= one < below_id)
        wanted = found[: self.random.randint(limit // 2, limit)]
        self.read += len(wanted)
        return IndexPage(
            [IndexEntry(one, one, 1) for one in wanted], found[len(wanted)] if len(found) > len(wanted) else None
        )


class List:
    """A walk over a list."""

    def __init__(self, entries: Sequence[Entry], *, at_once: int = 3) -> None:
        self.entries, self.at_once = list(entries), at_once

    async def more(self) -> list[Entry]:
        taken, self.entries = self.entries[: self.at_once], self.entries[self.at_once :]
        return taken


def evenly(count: int) -> list[str]:
    random = Random(count)  # noqa: S311 - to be repeated, not to be secret
    return [f"cus_{crockford(random.getrandbits(128))}" for _ in range(count)]


def by_time(count: int) -> list[str]:
    random = Random(count)  # noqa: S311 - to be repeated, not to be secret
    return [f"cus_{crockford(((1_790_000_000_000 + n * 700) << 80) | random.getrandbits(80))}" for n in range(count)]


async def walked(walk: OurWalk, *, at_most: int = 10**9) -> list[str]:
    found: list[str] = []
    while len(found) < at_most and (entries := await walk.more()):
        found += [key for key, _ in entries]
    return found[:at_most]


class TestOurWalk:
    @pytest.mark.parametrize("ids", [evenly(0), evenly(1), evenly(199), evenly(3000), by_time(3000)], ids=len)
    async def test_comes_by_everything_once_in_the_mainframes_order(self, ids: list[str]) -> None:
        index = Index(ids)

        found = await walked(OurWalk(index, ""))

        assert found == sorted(ids, key=collation_key)

    @pytest.mark.parametrize("ids", [evenly(3000), by_time(3000)], ids=["evenly", "by time"])
    async def test_goes_on_behind_any_key(self, ids: list[str]) -> None:
        in_order = sorted(ids, key=collation_key)
        found: list[str] = []
        after, depth = "", 0

        while True:
            walk = OurWalk(Index(ids), after, depth)
            part = await walked(walk, at_most=331)
            if not part:
                break
            found += part
            after, depth = part[-1], walk.depth

        assert found == in_order

    @pytest.mark.parametrize("after", ["CUST-1", "cus_", "cus_Z", "cus_0/#", "zzz", "  "])
    async def test_goes_on_behind_a_key_that_only_the_mainframe_could_have(self, after: str) -> None:
        ids = evenly(500)

        found = await walked(OurWalk(Index(ids), after))

        assert found == sorted((one for one in ids if collation_key(one) > collation_key(after)), key=collation_key)

    @pytest.mark.parametrize("ids", [evenly(5000), by_time(5000)], ids=["evenly", "by time"])
    async def test_reads_little_more_than_there_is(self, ids: list[str]) -> None:
        index = Index(ids)

        await walked(OurWalk(index, ""))

        assert index.read <= 2 * len(ids)

    async def test_that_goes_on_does_not_find_out_again_what_is_large(self) -> None:
        ids = by_time(5000)
        first = OurWalk(Index(ids), "")
        after = (await walked(first, at_most=2000))[-1]
        index = Index(ids)

        await OurWalk(index, after, first.depth).more()

        assert index.read <= 201


class TestTheirWalk:
    async def test_pages_through_and_counts_its_questions(self) -> None:
        mainframe = MemoryMainframe()
        for number in range(120):
            await mainframe.update(subject="CUSTOMER", key=f"cus_{number:03d}", version=1, trace="", body=b"")
        budget = Budget(100)
        walk = TheirWalk(mainframe, "CUSTOMER", "", budget)

        pages = [await walk.more() for _ in range(4)]

        assert [len(page) for page in pages] == [50, 50, 20, 0]
        assert budget.asked == 4


KEYS = st.lists(st.text(alphabet=ID_ALPHABET + ".-a", min_size=1, max_size=3), unique=True, max_size=30)


class TestSideBySide:
    @given(ours=KEYS, theirs=KEYS)
    async def test_shows_every_key_once_with_what_either_side_has(self, ours: list[str], theirs: list[str]) -> None:
        lists = [[(key, 1) for key in sorted(keys, key=collation_key)] for keys in (ours, theirs)]
        walks = SideBySide(List(lists[0]), List(lists[1], at_once=5))

        pairs = []
        while (pair := await walks.next()) is not None:
            pairs.append(pair)

        assert [pair.key for pair in pairs] == sorted({*ours, *theirs}, key=collation_key)
        assert {pair.key for pair in pairs if pair.ours} == set(ours)
        assert {pair.key for pair in pairs if pair.theirs} == set(theirs)

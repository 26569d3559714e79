"""The index follows what is committed through every order of calls, and through crashes between any two. Feature 2."""

from collections.abc import Mapping, Sequence
from random import Random, SystemRandom

import pytest

from lib.clock import FixedClock
from lib.identifiers.index import Book, Entry, Holder, IdentifierIndex
from lib.identifiers.rules import parse
from lib.ids import Seal
from lib.messaging.catalogue import Subject
from lib.storage.memory import MemoryStorage, MemoryTable
from lib.storage.ports import Upsert
from tests.identifiers.interleaving import Choices, Gate, GatedTable, Work, run

ADA = Holder(Subject.CUSTOMER, "cus_1", "cus_1")
MAIL, PHONE = parse("email:ada@example.com"), parse("phone:+442071838750")
LEFT_OVER = Upsert("cus_1", {"subject": "customer", "sourceId": "cus_1", "customerId": "cus_1"})
_MOST_PATHS = 20_000


class Bench:
    """One holder, what was committed of it version by version, and its index."""

    def __init__(self, truths: Sequence[set[str]]) -> None:
        storage = MemoryStorage(FixedClock(), tables=["identifierindex", "customerindex"])
        self.rows: MemoryTable = storage.table("identifierindex")
        self.books: MemoryTable = storage.table("customerindex")
        self.truths = truths
        self.gate = Gate()
        seal = Seal.for_purpose("secret", "identifiers")
        self.gated = IdentifierIndex(GatedTable(self.rows, self.gate), seal)
        self.plain = IdentifierIndex(self.rows, seal)

    async def begin(self, version: int) -> None:
        await self._refresh(self.plain, self.books, version)

    def relay(self, version: int) -> Work:
        """Return a relay that read this version when it was the newest, or later."""

        async def work() -> None:
            await self._refresh(self.gated, GatedTable(self.books, self.gate), version)

        return work

    def sweep(self, identifier: str) -> Work:
        """Return a rebuild that read the row before and the truth after, and found the row to be stale."""

        async def work() -> None:
            index = self.gated
            hits = await self.plain.hits(parse(identifier), after_customer="", limit=1)
            for hit in hits:
                book = Book(table=GatedTable(self.books, self.gate), partition="customer", key=ADA.row_key)
                await index.sweep(hit, book=book)

        return work

    async def _refresh(self, index: IdentifierIndex, books: MemoryTable | GatedTable, version: int) -> None:
        identifiers = [parse(text) for text in sorted(self.truths[version - 1])]
        book = Book(table=books, partition="customer", key=ADA.row_key, values={"document": f"v{version}"})
        await index.refresh(ADA, version=version, identifiers=identifiers, book=book)

    async def untrue(self, *, leftovers: bool = False) -> str:
        """Say how the index differs from the newest version; rows too many may be left over by a crash."""
        wanted = {self.plain.key(parse(text)) for text in self.truths[-1]}
        kept = {row.partition for row in self.rows.rows()}
        entry = Entry.read(await self.books.get("customer", ADA.row_key))
        row = await self.books.get("customer", ADA.row_key)
        document = row.values["document"] if row else ""
        right = (
            wanted <= kept
            and (leftovers or kept <= wanted)
            and entry == Entry(len(self.truths), frozenset(wanted), opened=True)
            and document == f"v{len(self.truths)}"
        )
        return "" if right else f"rows {kept}, wanted {wanted}, book {entry}, document {document}"


async def explore(truths: Sequence[set[str]], begin: int, works: Mapping[str, int], *, crashes: int = 0) -> int:
    """Go through every order of the relays' calls and return how many there were."""
    paths, choices = 0, Choices()
    while choices is not None and paths < _MOST_PATHS:
        bench = Bench(truths)
        await bench.begin(begin)
        await run(bench.gate, {name: bench.relay(version) for name, version in works.items()}, choices, crashes=crashes)
        wrong = await bench.untrue(leftovers=bool(crashes))
        assert not wrong, (choices.path, wrong)
        paths, choices = paths + 1, choices.following()
    assert choices is None, "more orders than were gone through"
    return paths


A, B = str(MAIL), str(PHONE)


class TestRefresh:
    @pytest.mark.parametrize(
        "truths",
        [
            [{A}, set(), {A}],
            [{A}, {B}, {A}],
            [set(), {A}, set()],
            [{A}, {A, B}, {B}],
            [{A, B}, {A}, {A, B}],
        ],
    )
    async def test_of_two_versions_at_once_ends_at_the_newer_in_every_order(self, truths: list[set[str]]) -> None:
        """A value that is removed and added again is found, whichever relay comes first or last."""
        paths = await explore(truths, 1, {"two": 2, "three": 3})

        assert paths > 5

    @pytest.mark.parametrize("truths", [[{A}, set(), {A}], [set(), {A}, {A}]])
    async def test_survives_a_crash_between_any_two_calls(self, truths: list[set[str]]) -> None:
        paths = await explore(truths, 1, {"two": 2, "three": 3}, crashes=1)

        assert paths > 50

    async def test_of_more_copies_and_versions_ends_at_the_newest_in_orders_that_nobody_chose(self) -> None:
        seed = SystemRandom().randrange(10**9)
        random = Random(seed)  # noqa: S311 - to be repeated, not to be secret

        for _ in range(300):
            truths = [{one for one in (A, B) if random.random() < 0.5} for _ in range(4)]
            bench = Bench(truths)
            await bench.begin(1)
            works = {f"{version}{copy}": bench.relay(version) for version in (2, 3, 4) for copy in "ab"}
            choices = Choices(random=random)
            await run(bench.gate, works, choices, crashes=random.randrange(3))
            wrong = await bench.untrue(leftovers=True)
            assert not wrong, (seed, truths, choices.path, wrong)

    async def test_that_finds_what_a_crash_left_finishes_it(self) -> None:
        """The book knows what was still to be deleted."""
        for calls in range(1, 6):
            bench = Bench([{A, B}, {A}])
            await bench.begin(1)
            choices = Choices([0] * calls + [1])
            await run(bench.gate, {"two": bench.relay(2)}, choices, crashes=1)

            assert not await bench.untrue()

    async def test_with_nothing_to_change_is_two_calls_and_again_one(self) -> None:
        bench = Bench([{A}, {A}])
        await bench.begin(1)
        counted = Choices()

        await run(bench.gate, {"two": bench.relay(2)}, counted, crashes=0)
        again = Choices()
        await run(bench.gate, {"two": bench.relay(2)}, again, crashes=0)

        assert (len(counted.widths), len(again.widths)) == (2, 1)


class TestSweep:
    async def test_beside_a_relay_never_takes_what_it_enters(self) -> None:
        paths, choices = 0, Choices()
        while choices is not None and paths < _MOST_PATHS:
            bench = Bench([set(), set(), {A}])
            await bench.begin(2)
            # A row that an upsert left which arrived late; then the value is added for good.
            await bench.rows.write(str(MAIL), LEFT_OVER)
            works = {"sweep": bench.sweep(A), "relay": bench.relay(3)}
            await run(bench.gate, works, choices, crashes=0)
            wrong = await bench.untrue()
            assert not wrong, (choices.path, wrong)
            paths, choices = paths + 1, choices.following()

        assert paths > 10

    async def test_takes_what_is_left_over(self) -> None:
        bench = Bench([set()])
        await bench.begin(1)
        await bench.rows.write(str(MAIL), LEFT_OVER)

        await run(bench.gate, {"sweep": bench.sweep(A)}, Choices(), crashes=0)

        assert not await bench.untrue()

    async def test_leaves_to_a_refresh_what_the_book_has(self) -> None:
        bench = Bench([{A}])
        await bench.begin(1)

        await run(bench.gate, {"sweep": bench.sweep(A)}, Choices(), crashes=0)

        assert not await bench.untrue()

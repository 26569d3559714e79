"""Many interactions at once: in few storage calls, safe to repeat, each told what became of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lib.changes.operation import Operation
from lib.changes.records import Keeping
from lib.customers.service import CustomerNotFoundError
from lib.errors import UnavailableError
from lib.interactions.models import DRAFTS
from lib.interactions.service import EntryOutcome, InteractionEntry
from lib.storage.errors import OutcomeUnknownError, StorageUnavailableError
from local.faults.taps import When
from tests.interactions.conftest import Desk, baggage, call

START = datetime(2026, 1, 1, tzinfo=UTC)
NEW, AGAIN, ELSE = Keeping.CREATED, Keeping.REPEATED, Keeping.CONFLICT


def entry(number: int, **fields: Any) -> InteractionEntry:
    at = (START + timedelta(minutes=number)).isoformat()
    told = baggage(f"b{number}", **{"happenedAt": at, **fields})
    return InteractionEntry(draft=DRAFTS.validate_python(told), key=f"row-{number}")


def import_of(name: str) -> Operation:
    return Operation(name="import", id=f"opr_{name}", attempt=f"att_{name}", actor="import")


async def keep(desk: Desk, *entries: InteractionEntry, name: str = "one") -> list[Keeping | None]:
    return [outcome.keeping for outcome in await outcomes(desk, *entries, name=name)]


async def outcomes(desk: Desk, *entries: InteractionEntry, name: str = "one") -> list[EntryOutcome]:
    return await desk.world.platform.interactions.record_many(
        customer_id=desk.customer, entries=entries, operation=import_of(name)
    )


class Failing:
    """Fails the first writes on one side of the call."""

    def __init__(self, when: When, error: Exception, times: int = 1) -> None:
        self.when, self.error, self.left = when, error, times

    async def __call__(self, point: str, when: When) -> None:
        if point == "customers.write" and when is self.when and self.left:
            self.left -= 1
            raise self.error


class TestRecordMany:
    async def test_keeps_fifty_in_one_transaction(self, desk: Desk) -> None:
        kept = await keep(desk, *map(entry, range(120)))

        assert kept == [NEW] * 120
        assert desk.calls == ["customers.get", *["customers.write"] * 3]
        assert len(await desk.all("interactions", limit=200)) == 120

    async def test_twice_changes_nothing(self, desk: Desk) -> None:
        await keep(desk, *map(entry, range(60)))

        again = await keep(desk, *map(entry, range(60)), name="two")

        assert again == [AGAIN] * 60
        assert await desk.rows("interaction~") == await desk.rows("timeline~") - 1 == 60

    async def test_of_the_same_operation_counts_the_same_again(self, desk: Desk) -> None:
        await keep(desk, *map(entry, range(30)))

        assert await keep(desk, *map(entry, range(60))) == [NEW] * 60

    async def test_keeps_what_is_new_among_what_is_not(self, desk: Desk) -> None:
        await keep(desk, entry(1), entry(3))

        kept = await keep(desk, entry(0), entry(1), entry(2), entry(3, subject="New"), entry(4), name="two")

        assert kept == [NEW, AGAIN, NEW, ELSE, NEW]
        assert len(await desk.all("interactions")) == 5

    async def test_settles_repeats_among_themselves(self, desk: Desk) -> None:
        kept = await keep(desk, entry(1), entry(1), entry(1, subject="New"))

        assert kept == [NEW, AGAIN, ELSE]
        assert len(await desk.all("interactions")) == 1

    async def test_tells_which_lie_in_the_future(self, desk: Desk) -> None:
        one, future, two = await outcomes(desk, entry(1), entry(2, happenedAt="2027-01-01T00:00:00Z"), entry(3))

        assert (one.keeping, future.keeping, two.keeping) == (NEW, None, NEW)
        assert future.refusal is not None
        assert future.refusal.problems[0].pointer == "/happenedAt"

    async def test_knows_what_has_no_event_id_by_its_key(self, desk: Desk) -> None:
        entries = [InteractionEntry(draft=DRAFTS.validate_python(call()), key=f"row-{n}") for n in range(2)]

        assert await keep(desk, *entries) == [NEW, NEW]
        assert await keep(desk, *entries, name="two") == [AGAIN, AGAIN]

    async def test_is_one_record_with_what_was_told_alone(self, desk: Desk) -> None:
        alone = await desk.tell(baggage())

        [outcome] = await outcomes(desk, InteractionEntry(draft=DRAFTS.validate_python(baggage()), key="row"))

        assert (outcome.interaction_id, outcome.keeping) == (alone.json()["id"], AGAIN)

    async def test_divides_what_is_too_large_for_one_transaction(self, desk: Desk) -> None:
        wide = "\U0001f600" * 10_000

        kept = await keep(desk, *(entry(number, body=wide) for number in range(50)))

        assert kept == [NEW] * 50
        assert await desk.rows("interaction~") == 50

    async def test_of_no_customer_is_refused(self, desk: Desk) -> None:
        with pytest.raises(CustomerNotFoundError):
            await desk.world.platform.interactions.record_many(
                customer_id="cus_01KAJ8W8Q9V3D0W3W7S2F5R3YT", entries=[entry(1)], operation=import_of("one")
            )

    @pytest.mark.parametrize("when", list(When))
    @pytest.mark.parametrize("error", [StorageUnavailableError("busy"), OutcomeUnknownError("lost")], ids=type)
    async def test_is_settled_when_storage_fails(self, desk: Desk, when: When, error: Exception) -> None:
        desk.world.tap = Failing(when, error)

        assert await keep(desk, entry(1), entry(2)) == [NEW, NEW]
        assert await desk.rows("interaction~") == 2

    async def test_says_when_it_cannot_be_done(self, desk: Desk) -> None:
        desk.world.tap = Failing(When.BEFORE, StorageUnavailableError("busy"), times=99)

        with pytest.raises(UnavailableError, match="nothing was written"):
            await keep(desk, entry(1))


class TestRecord:
    @pytest.mark.parametrize("when", list(When))
    async def test_is_settled_when_its_answer_is_lost(self, desk: Desk, when: When) -> None:
        desk.world.tap = Failing(when, OutcomeUnknownError("lost"))

        answer = await desk.tell(baggage())

        assert answer.status_code == 201
        assert await desk.rows("interaction~") == 1

    async def test_says_when_its_outcome_is_unknown(self, desk: Desk) -> None:
        desk.world.tap = Failing(When.BEFORE, OutcomeUnknownError("lost"), times=99)

        answer = await desk.tell(baggage())
        desk.world.tap = Failing(When.BEFORE, OutcomeUnknownError("lost"), times=0)
        again = await desk.tell(baggage())

        assert (answer.status_code, answer.json()["type"]) == (503, "urn:iommi:problem:outcome-unknown")
        assert again.status_code == 201

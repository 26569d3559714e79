"""Lost replies, promises and budgets: what storage can do to a write, and what it costs."""

import pytest

from lib.changes.promise import PromiseNotKeptError
from lib.changes.writer import OutcomeNotSettledError
from lib.errors import UnavailableError
from lib.storage.errors import OutcomeUnknownError, StorageUnavailableError
from local.faults.taps import When
from local.simulation.world import World
from tests.customers.support import Always, Once, details, operation, patch


class TestLostReplies:
    async def test_commit_done_but_reply_lost_is_a_success_and_one_version(self, world: World) -> None:
        world.tap = Once("customers.commit", When.AFTER, OutcomeUnknownError())

        made = await world.platform.customers.create(details=details(), operation=operation())

        page = await world.platform.customers.changes_page(customer_id=made.entity_id, limit=10, cursor=None)
        assert [change.version for change in page.items] == [1]

    async def test_commit_lost_on_the_way_is_done_again(self, world: World) -> None:
        world.tap = Once("customers.commit", When.BEFORE, OutcomeUnknownError())

        made = await world.platform.customers.create(details=details(), operation=operation())

        assert (await world.platform.customers.read(customer_id=made.entity_id)).version == 1

    async def test_patch_whose_reply_was_lost_is_not_answered_with_its_own_conflict(self, world: World) -> None:
        made = await world.platform.customers.create(details=details(), operation=operation())
        world.tap = Once("customers.commit", When.AFTER, OutcomeUnknownError())

        changed = await world.platform.customers.amend(
            customer_id=made.entity_id, patch=patch(title="Dr"), expected_version=1, operation=operation("update")
        )

        assert changed.version == 2

    async def test_unsettled_outcome_says_so_and_the_same_key_settles_it(self, world: World) -> None:
        async def dead(point: str, when: When) -> None:
            if point == "customers.commit" and when is When.AFTER:
                world.tap = blind
                raise OutcomeUnknownError

        async def blind(point: str, _when: When) -> None:
            if point.startswith("customers"):
                raise StorageUnavailableError

        world.tap = dead
        with pytest.raises(OutcomeNotSettledError):
            await world.platform.customers.create(details=details(), operation=operation(key="k", body={}))
        world.tap = Once("none", When.AFTER, Exception())

        again = await world.platform.customers.create(details=details(), operation=operation(key="k", body={}))

        assert (again.version, again.replayed) == (1, True)

    async def test_storage_that_refuses_writes_nothing(self, world: World) -> None:
        world.tap = Always("customers.commit", When.BEFORE, StorageUnavailableError())

        with pytest.raises(UnavailableError):
            await world.platform.customers.create(details=details(), operation=operation())

        page = await world.storage.table("customerindex").page("customer")
        assert not page.rows


class TestPromise:
    async def test_comes_before_the_commit(self, world: World) -> None:
        heard: list[str] = []

        async def listen(point: str, when: When) -> None:
            if when is When.AFTER:
                heard.append(point)

        world.tap = listen

        await world.platform.customers.create(details=details(), operation=operation())

        assert heard == ["changes.send", "customers.commit"]

    @pytest.mark.parametrize("when", list(When))
    @pytest.mark.parametrize("error", [OutcomeUnknownError(), StorageUnavailableError()])
    async def test_any_outcome_but_a_clear_yes_leaves_an_outbox_row(
        self, world: World, when: When, error: Exception
    ) -> None:
        world.tap = Once("changes.send", when, error)

        await world.platform.customers.create(details=details(), operation=operation())

        assert await world.platform.outbox.waiting() == 1

    async def test_that_nobody_takes_keeps_the_change_from_being_made(self, world: World) -> None:
        async def refuse(point: str, when: When) -> None:
            if point in {"changes.send", "outbox.write"} and when is When.BEFORE:
                raise StorageUnavailableError

        world.tap = refuse

        with pytest.raises(PromiseNotKeptError):
            await world.platform.customers.create(details=details(), operation=operation())
        assert not (await world.storage.table("customers").page("any")).rows

    async def test_is_not_committed_after_its_deadline(self, world: World) -> None:
        async def paused(point: str, when: When) -> None:
            if (point, when) == ("changes.send", When.AFTER):
                world.clock.advance(3600)

        world.tap = paused

        with pytest.raises(UnavailableError):
            await world.platform.customers.create(details=details(), operation=operation())
        await world.settle()
        assert world.mainframe.calls == 0


class TestBudgets:
    async def test_read_is_one_call_create_two_and_patch_three(self, world: World) -> None:
        calls: list[str] = []

        async def count(point: str, when: When) -> None:
            if when is When.BEFORE:
                calls.append(point)

        world.tap = count
        made = await world.platform.customers.create(details=details(), operation=operation(key="k", body={}))
        create, calls[:] = list(calls), []
        await world.platform.customers.read(customer_id=made.entity_id)
        read, calls[:] = list(calls), []
        await world.platform.customers.amend(
            customer_id=made.entity_id, patch=patch(title="Dr"), expected_version=1, operation=operation("u", key="p")
        )
        amend, calls[:] = list(calls), []
        await world.platform.customers.list_page(limit=50, cursor=None)
        listing, calls[:] = list(calls), []
        await world.platform.customers.create(
            details=details(
                loyalty={"number": "IO-1"}, externalIds=[{"system": "a", "id": "1"}, {"system": "b", "id": "1"}]
            ),
            operation=operation(),
        )

        assert create == ["changes.send", "customers.commit"]
        assert read == ["customers.get"]
        assert amend == ["customers.get", "changes.send", "customers.commit"]
        assert listing == ["customerindex.page"]
        assert len(calls) == 2 + 3

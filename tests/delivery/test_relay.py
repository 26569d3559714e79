"""The relay and the outbox, rule by rule: each test fails when its rule is taken away (docs/delivery.md)."""

import pytest

from lib.changes.operation import Operation
from lib.changes.relay import Relayed
from lib.customers.models import CustomerDetails
from lib.messaging.catalogue import Subject
from lib.messaging.envelope import WakeUp
from lib.storage.errors import OutcomeUnknownError, StorageUnavailableError
from local.faults.taps import When
from local.simulation.world import World
from tests.delivery.support import amend, create, messages, quiet, wake_up


class TestRelay:
    async def test_waits_for_a_commit_that_is_still_to_come(self, world: World) -> None:
        early = wake_up(world, "cus_00000000000000000000000001", 1)

        outcome = await world.platform.relay.relay(early)

        assert outcome is Relayed.LATER
        assert await messages(world, "changes") == 1

    async def test_waiting_keeps_the_first_deadline(self, world: World) -> None:
        early = wake_up(world, "cus_00000000000000000000000001", 1)
        await world.platform.relay.relay(early)
        world.clock.advance(5)

        again = await world.storage.queue("changes").receive(1, lease_seconds=1)

        assert WakeUp.read(again[0].body) == early

    async def test_raises_when_looking_again_cannot_be_promised(self, world: World) -> None:
        async def refuse(point: str, when: When) -> None:
            if (point, when) == ("changes.send", When.BEFORE):
                raise StorageUnavailableError

        world.tap = refuse

        with pytest.raises(StorageUnavailableError):
            await world.platform.relay.relay(wake_up(world, "cus_00000000000000000000000001", 1))

    async def test_lets_go_of_a_create_only_behind_a_tombstone(self, world: World) -> None:
        late = wake_up(world, "cus_00000000000000000000000001", 1, deadline_seconds=-1)

        outcome = await world.platform.relay.relay(late)

        row = await world.storage.table("customers").get(late.id, "profile")
        assert outcome is Relayed.LET_GO
        assert row is not None
        assert row.values["version"] == 0

    async def test_a_paused_writer_cannot_commit_behind_the_fence(self, world: World) -> None:
        customer_id = await create(world)
        await world.settle(seconds=10)

        async def paused(point: str, when: When) -> None:
            # The writer checked its deadline, then stood still; meanwhile the relay looked, and let go.
            if (point, when) == ("customers.commit", When.BEFORE):
                world.tap = quiet
                world.clock.advance(600)
                while await world.step():
                    pass

        world.tap = paused

        await amend(world, customer_id, 1)

        # It met the fence and began again with a promise of its own; behind the fence the change would be lost.
        await world.settle(seconds=20)
        assert world.mainframe.applied(customer_id) == [1, 2]

    async def test_a_promise_whose_create_never_came_ends(self, world: World) -> None:
        await world.platform.promises.make(
            subject=Subject.CUSTOMER,
            entity_id="cus_00000000000000000000000001",
            partition="cus_00000000000000000000000001",
            version=1,
        )

        await world.settle(seconds=200)

        assert await messages(world, "changes") == 0
        assert world.mainframe.calls == 0

    async def test_a_key_can_be_used_again_after_its_create_was_fenced(self, world: World) -> None:
        customer_id = world.platform.seal("ids").id("cus", "opr_k")
        await world.platform.relay.relay(wake_up(world, customer_id, 1, deadline_seconds=-1))
        operation = Operation(name="create_customer", id="opr_k", attempt="a", actor="test", fingerprint="f")
        details = CustomerDetails.model_validate({"lastName": "Lovelace", "email": "ada@example.com"})

        made = await world.platform.customers.create(details=details, operation=operation)

        assert (made.entity_id, made.version, made.replayed) == (customer_id, 1, False)

    async def test_older_state_never_overwrites_newer_in_the_index(self, world: World) -> None:
        customer_id = await create(world)
        source = world.platform.sources[Subject.CUSTOMER]
        older = await source.snapshot(customer_id, customer_id)
        await amend(world, customer_id, 1)
        await source.refresh_indexes(await source.snapshot(customer_id, customer_id))

        await source.refresh_indexes(older)

        row = await world.storage.table("customerindex").get("customer", customer_id)
        assert row is not None
        assert row.values["version"] == 2

    async def test_tells_consumers_before_it_finishes(self, world: World) -> None:
        customer_id = await create(world)

        async def refuse(point: str, when: When) -> None:
            if (point, when) == ("mainframe-updates.send", When.BEFORE):
                raise OutcomeUnknownError

        world.tap = refuse

        with pytest.raises(OutcomeUnknownError):
            await world.platform.relay.relay(wake_up(world, customer_id, 1))


class TestOutbox:
    async def test_a_row_is_deleted_only_after_its_message_was_taken(self, world: World) -> None:
        await world.platform.outbox.put(wake_up(world, "cus_00000000000000000000000001", 1))

        async def refuse(point: str, when: When) -> None:
            if (point, when) == ("changes.send", When.BEFORE):
                raise StorageUnavailableError

        world.tap = refuse
        with pytest.raises(StorageUnavailableError):
            await world.platform.outbox.sweep()
        world.tap = quiet

        assert await world.platform.outbox.waiting() == 1
        assert await world.platform.outbox.sweep() == 1
        assert await world.platform.outbox.waiting() == 0
        assert await messages(world, "changes") == 1

    async def test_change_made_while_the_queue_was_down_reaches_the_mainframe(self, world: World) -> None:
        async def down(point: str, when: When) -> None:
            if (point, when) == ("changes.send", When.BEFORE):
                raise StorageUnavailableError

        world.tap = down
        customer_id = await create(world)
        world.tap = quiet

        await world.settle(seconds=60)

        assert world.mainframe.applied(customer_id) == [1]

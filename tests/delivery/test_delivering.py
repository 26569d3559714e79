"""The delivery, rule by rule: each test fails when its rule is taken away (docs/delivery.md)."""

import pytest

from lib.mainframe.delivery import Delivered
from lib.mainframe.status import DeliveryStatusState
from lib.messaging.catalogue import QueueName, Subject
from lib.storage.errors import OutcomeUnknownError
from local.faults.taps import When
from local.simulation.mainframe import Behaviour
from local.simulation.world import World
from tests.delivery.support import amend, create, messages, quiet, state_of, wake_up


class TestDelivery:
    async def test_twice_changes_nothing(self, world: World) -> None:
        customer_id = await create(world)
        message = wake_up(world, customer_id, 1)

        outcomes = [await world.platform.delivery.deliver(message) for _ in range(3)]

        assert outcomes == [Delivered.ACKNOWLEDGED, Delivered.ALREADY_DONE, Delivered.ALREADY_DONE]
        assert world.mainframe.calls == 1

    async def test_sends_the_newest_whatever_was_intended(self, world: World) -> None:
        customer_id = await create(world)
        await amend(world, customer_id, 1)

        await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        assert world.mainframe.applied(customer_id) == [2]

    async def test_an_older_message_after_a_newer_one_does_nothing(self, world: World) -> None:
        customer_id = await create(world)
        await amend(world, customer_id, 1)
        await world.platform.delivery.deliver(wake_up(world, customer_id, 2))

        outcome = await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        assert outcome is Delivered.ALREADY_DONE

    async def test_a_message_before_its_commit_is_kept_not_finished(self, world: World) -> None:
        customer_id = await create(world)
        await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        outcome = await world.platform.delivery.deliver(wake_up(world, customer_id, 2))

        assert outcome is Delivered.LATER

    async def test_meeting_a_live_lease_waits_and_is_never_dropped(self, world: World) -> None:
        customer_id = await create(world)
        met: list[Delivered] = []

        async def meanwhile(point: str, when: When) -> None:
            if (point, when) == ("mainframe.update", When.BEFORE) and not met:
                met.append(Delivered.PARKED)
                met.append(await world.platform.delivery.deliver(wake_up(world, customer_id, 1)))

        world.tap = meanwhile

        await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        assert met[1] is Delivered.LATER
        assert world.mainframe.overlaps == 0
        assert await messages(world, "mainframe-updates") == 1

    async def test_a_lease_left_by_the_dead_ends(self, world: World) -> None:
        customer_id = await create(world)

        async def die(point: str, when: When) -> None:
            if (point, when) == ("delivery.note", When.AFTER):
                raise KeyboardInterrupt

        world.tap = die
        with pytest.raises(KeyboardInterrupt):
            await world.platform.delivery.deliver(wake_up(world, customer_id, 1))
        world.tap = quiet
        world.clock.advance(60)

        outcome = await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        assert outcome is Delivered.ACKNOWLEDGED

    async def test_acknowledges_what_was_sent_not_what_is_current_by_then(self, world: World) -> None:
        customer_id = await create(world)

        async def newer(point: str, when: When) -> None:
            if (point, when) == ("mainframe.update", When.AFTER):
                world.tap = quiet
                await amend(world, customer_id, 1)

        world.tap = newer
        await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        status = await world.platform.customer_deliveries.of(customer_id, partition=customer_id)
        assert status is not None
        assert (status.acknowledged_version, status.version) == (1, 2)
        await world.settle(seconds=20)
        assert world.mainframe.applied(customer_id) == [1, 2]

    async def test_an_acknowledgement_never_goes_over_a_newer_one(self, world: World) -> None:
        customer_id = await create(world)

        async def outlived_by_another(point: str, when: When) -> None:
            if (point, when) == ("mainframe.update", When.AFTER):
                world.tap = quiet
                world.clock.advance(600)
                await amend(world, customer_id, 1)
                await world.platform.delivery.deliver(wake_up(world, customer_id, 2))

        world.tap = outlived_by_another

        outcome = await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        status = await world.platform.customer_deliveries.of(customer_id, partition=customer_id)
        assert status is not None
        assert (outcome, status.acknowledged_version) == (Delivered.ALREADY_DONE, 2)

    async def test_an_acknowledgement_whose_reply_was_lost_is_settled_by_reading(self, world: World) -> None:
        customer_id = await create(world)

        async def lose(point: str, when: When) -> None:
            if (point, when) == ("delivery.settle", When.AFTER):
                world.tap = quiet
                raise OutcomeUnknownError

        world.tap = lose

        outcome = await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        assert outcome is Delivered.ALREADY_DONE
        assert world.mainframe.calls == 1

    async def test_applied_but_unanswered_is_sent_again_and_has_one_effect(self, world: World) -> None:
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, _version: (
            Behaviour.NO_ANSWER_AFTER if world.mainframe.calls == 0 else Behaviour.ANSWER
        )

        await world.settle(seconds=60)

        assert world.mainframe.applied(customer_id) == [1]
        assert world.mainframe.calls == 2
        assert await state_of(world, customer_id) is DeliveryStatusState.IN_SYNC

    async def test_no_answer_keeps_the_note_and_busy_clears_it(self, world: World) -> None:
        notes: list[int | None] = []
        for behaviour in (Behaviour.NO_ANSWER_BEFORE, Behaviour.BUSY):
            customer_id = await create(world)
            world.mainframe.behave = lambda _key, _version, now=behaviour: now
            await world.platform.delivery.deliver(wake_up(world, customer_id, 1))
            ledger = await world.platform.delivery.ledgers.read(Subject.CUSTOMER, customer_id, partition=customer_id)
            notes.append(ledger.state.in_flight)

        assert notes == [1, None]

    async def test_a_retry_is_not_made_before_its_time_and_its_message_is_kept(self, world: World) -> None:
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, _version: Behaviour.BUSY
        await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        outcome = await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        assert outcome is Delivered.LATER
        assert world.mainframe.calls == 1
        assert await messages(world, "mainframe-updates") == 2

    async def test_back_off_never_burns_the_hosts_count(self, world: World) -> None:
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, _version: (
            Behaviour.ABEND if world.mainframe.calls < 9 else Behaviour.ANSWER
        )

        await world.settle(seconds=3000, tick_seconds=5)

        assert world.mainframe.applied(customer_id) == [1]
        assert await messages(world, QueueName.MAINFRAME_UPDATES.poison) == 0
        assert world.failures == []

    async def test_what_is_delivered_late_is_not_listed_as_waiting_any_more(self, world: World) -> None:
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, _version: (
            Behaviour.NO_ANSWER_BEFORE if world.mainframe.calls < 2 else Behaviour.ANSWER
        )
        await world.platform.delivery.deliver(wake_up(world, customer_id, 1))
        assert len(await world.platform.undelivered.waiting()) == 1

        await world.settle(seconds=60)

        assert await world.platform.undelivered.waiting() == []


class TestBurst:
    async def test_of_a_hundred_changes_is_a_few_calls_and_ends_with_the_newest(self, world: World) -> None:
        customer_id = await create(world)
        await world.settle(seconds=10)
        for version in range(1, 101):
            await amend(world, customer_id, version)
        before = world.mainframe.calls

        await world.settle(seconds=30)

        assert world.mainframe.calls - before <= 3
        assert world.mainframe.applied(customer_id)[-1] == 101

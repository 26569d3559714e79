"""The delivery protocol, rule by rule: each test fails when its rule is taken away (docs/delivery.md)."""

import asyncio
import json
from datetime import timedelta

import pytest

from lib.changes.operation import Operation
from lib.changes.relay import Relayed
from lib.customers.models import CustomerDetails
from lib.customers.patch import CustomerPatch
from lib.mainframe.breaker import BreakerState
from lib.mainframe.delivery import Delivered
from lib.mainframe.status import DeliveryStatusState
from lib.messaging.catalogue import QueueName, Subject
from lib.messaging.envelope import WakeUp
from lib.storage.errors import OutcomeUnknownError, StorageUnavailableError
from local.faults.taps import When
from local.simulation.mainframe import Behaviour
from local.simulation.world import World


@pytest.fixture
async def world() -> World:
    return await World.build()


async def quiet(point: str, when: When) -> None: ...


async def create(world: World, **fields: object) -> str:
    details = CustomerDetails.model_validate({"lastName": "Lovelace", "email": "ada@example.com", **fields})
    name = world.platform.ids.new("att")
    operation = Operation(name="create_customer", id=name, attempt=name, actor="test")
    return (await world.platform.customers.create(details=details, operation=operation)).entity_id


async def amend(world: World, customer_id: str, version: int) -> None:
    name = world.platform.ids.new("att")
    await world.platform.customers.amend(
        customer_id=customer_id,
        patch=CustomerPatch.model_validate({"title": f"T{version}"}),
        expected_version=version,
        operation=Operation(name="update_customer", id=name, attempt=name, actor="test"),
    )


def wake_up(world: World, customer_id: str, version: int, *, deadline_seconds: float = 75) -> WakeUp:
    now = world.clock.now()
    return WakeUp(
        subject=Subject.CUSTOMER,
        id=customer_id,
        version=version,
        accepted_at=now,
        deadline=now + timedelta(seconds=deadline_seconds),
    )


async def state_of(world: World, customer_id: str) -> DeliveryStatusState:
    status = await world.platform.customer_deliveries.of(customer_id)
    assert status is not None
    return status.state


async def messages(world: World, queue: str) -> int:
    return (await world.storage.queue(queue).depth()).messages


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
            subject=Subject.CUSTOMER, entity_id="cus_00000000000000000000000001", version=1
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
        older = await source.snapshot(customer_id)
        await amend(world, customer_id, 1)
        await source.refresh_indexes(await source.snapshot(customer_id))

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

        status = await world.platform.customer_deliveries.of(customer_id)
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

        status = await world.platform.customer_deliveries.of(customer_id)
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


class TestRejection:
    async def test_is_one_attempt_recorded_with_its_reason_and_told_at_once(self, world: World) -> None:
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, _version: Behaviour.REJECT

        outcome = await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        poison = await world.storage.queue(QueueName.MAINFRAME_UPDATES.poison).peek(1)
        failures = await world.storage.table("customers").page(
            customer_id, from_key="failure~", below_key="failure\x7f"
        )
        assert outcome is Delivered.REJECTED
        assert world.mainframe.calls == 1
        assert '"code":"E042"' in poison[0]
        assert failures.rows[0].values["code"] == "E042"
        assert await state_of(world, customer_id) is DeliveryStatusState.REJECTED

    async def test_is_announced_also_when_the_handler_died_before_it_could(self, world: World) -> None:
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, _version: Behaviour.REJECT

        async def die(point: str, when: When) -> None:
            if (point, when) == ("mainframe-updates-poison.send", When.BEFORE):
                raise KeyboardInterrupt

        world.tap = die
        with pytest.raises(KeyboardInterrupt):
            await world.platform.delivery.deliver(wake_up(world, customer_id, 1))
        world.tap = quiet

        await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        assert await messages(world, QueueName.MAINFRAME_UPDATES.poison) == 1

    async def test_is_announced_before_a_newer_version_takes_its_place(self, world: World) -> None:
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, version: Behaviour.REJECT if version == 1 else Behaviour.ANSWER

        async def die(point: str, when: When) -> None:
            if (point, when) == ("mainframe-updates-poison.send", When.BEFORE):
                raise KeyboardInterrupt

        world.tap = die
        with pytest.raises(KeyboardInterrupt):
            await world.platform.delivery.deliver(wake_up(world, customer_id, 1))
        world.tap = quiet
        await amend(world, customer_id, 1)

        await world.platform.delivery.deliver(wake_up(world, customer_id, 2))

        poison = await world.storage.queue(QueueName.MAINFRAME_UPDATES.poison).peek(2)
        assert [json.loads(body)["version"] for body in poison] == [1]
        assert world.mainframe.applied(customer_id) == [2]

    async def test_of_an_identifier_that_cannot_be_written_needs_no_call(self, world: World) -> None:
        customer_id = await create(world, email="a" * 60 + "@" + "b" * 60 + ".example.com")

        outcome = await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        assert outcome is Delivered.REJECTED
        assert world.mainframe.calls == 0

    async def test_does_not_keep_the_next_version_back(self, world: World) -> None:
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, version: Behaviour.REJECT if version == 1 else Behaviour.ANSWER
        await world.settle(seconds=10)
        await amend(world, customer_id, 1)

        await world.settle(seconds=20)

        assert world.mainframe.applied(customer_id) == [2]
        assert await state_of(world, customer_id) is DeliveryStatusState.IN_SYNC

    async def test_blocks_nobody_else(self, world: World) -> None:
        bad = await create(world)
        world.mainframe.behave = lambda key, _version: Behaviour.REJECT if key == bad else Behaviour.ANSWER
        good = [await create(world) for _ in range(20)]

        await world.settle(seconds=20)

        assert all(world.mainframe.applied(customer_id) == [1] for customer_id in good)
        assert (await world.platform.breaker.view()).state is BreakerState.CLOSED

    async def test_exhausted_attempts_are_a_failure_with_that_reason(self) -> None:
        world = await World.build(max_attempts=3, retry_cap_seconds=5.0)
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, _version: Behaviour.ABEND

        await world.settle(seconds=120)

        status = await world.platform.customer_deliveries.of(customer_id)
        assert status is not None
        assert status.state is DeliveryStatusState.REJECTED
        assert status.last_error is not None
        assert status.last_error.code == "exhausted"
        assert world.mainframe.calls == 3


class TestBreaker:
    async def test_opens_parks_probes_and_drains(self, world: World) -> None:
        world.mainframe.behave = lambda _key, _version: Behaviour.UNREACHABLE
        customers = [await create(world) for _ in range(30)]
        await world.settle(seconds=30)
        assert (await world.platform.breaker.view()).state is not BreakerState.CLOSED
        assert DeliveryStatusState.PARKED in [await state_of(world, customer_id) for customer_id in customers]
        world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER

        await world.settle(seconds=900, tick_seconds=1)

        assert all(world.mainframe.applied(customer_id) == [1] for customer_id in customers)
        assert (await world.platform.breaker.view()).state is BreakerState.CLOSED
        assert await world.platform.undelivered.waiting() == []
        assert await messages(world, QueueName.MAINFRAME_UPDATES.poison) == 0

    async def test_a_long_outage_exhausts_nobody(self) -> None:
        world = await World.build(max_attempts=4)
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, _version: Behaviour.UNREACHABLE

        await world.settle(seconds=6 * 3600, tick_seconds=30)
        world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER
        await world.settle(seconds=900, tick_seconds=2)

        assert world.mainframe.applied(customer_id) == [1]

    async def test_lets_one_probe_through_at_a_time(self, world: World) -> None:
        for _ in range(5):
            await world.platform.breaker.fail("test")
        world.clock.advance(31)

        permits = await asyncio.gather(*(world.platform.breaker.permit() for _ in range(10)))

        assert sorted(permits).count("probe") == 1
        assert permits.count("park") == 9

    async def test_a_probe_that_died_expires(self, world: World) -> None:
        for _ in range(5):
            await world.platform.breaker.fail("test")
        world.clock.advance(31)
        await world.platform.breaker.permit()
        world.clock.advance(60)

        assert await world.platform.breaker.permit() == "probe"

    async def test_a_record_that_abends_does_not_open_it(self, world: World) -> None:
        bad = await create(world)
        world.mainframe.behave = lambda key, _version: Behaviour.ABEND if key == bad else Behaviour.ANSWER

        await world.settle(seconds=300)

        assert (await world.platform.breaker.view()).state is BreakerState.CLOSED

    async def test_parked_just_after_it_closed_is_woken_all_the_same(self, world: World) -> None:
        customer_id = await create(world)
        for _ in range(5):
            await world.platform.breaker.fail("test")

        async def close_meanwhile(point: str, when: When) -> None:
            if (point, when) == ("undelivered.write", When.BEFORE):
                world.tap = quiet
                await world.platform.breaker.succeed()

        world.tap = close_meanwhile
        assert await world.platform.delivery.deliver(wake_up(world, customer_id, 1)) is Delivered.PARKED

        await world.settle(seconds=30)

        assert world.mainframe.applied(customer_id) == [1]

    async def test_parked_again_while_being_woken_stays_parked(self, world: World) -> None:
        customer_id = await create(world)
        for _ in range(5):
            await world.platform.breaker.fail("test")
        await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        async def park_again(point: str, when: When) -> None:
            if (point, when) == ("mainframe-updates.send", When.AFTER):
                world.tap = quiet
                await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        world.tap = park_again
        await world.platform.waker.wake()

        waiting = await world.platform.undelivered.waiting()
        assert [one.delivery.state for one in waiting] == ["parked"]


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


class TestWaker:
    async def test_wakes_a_retry_whose_message_never_came(self, world: World) -> None:
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, _version: Behaviour.BUSY
        await world.platform.delivery.deliver(wake_up(world, customer_id, 1))
        queue = world.storage.queue("mainframe-updates")
        world.clock.advance(60)
        for message in await queue.receive(32, lease_seconds=1):
            await queue.delete(message)
        world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER
        world.clock.advance(20 * 60)

        await world.platform.waker.wake()
        await world.settle(seconds=10)

        assert world.mainframe.applied(customer_id) == [1]

    async def test_wakes_the_oldest_first_and_only_so_many(self) -> None:
        world = await World.build(wake_rate_per_second=1.0)
        for _ in range(5):
            await world.platform.breaker.fail("test")
        customers = []
        for _ in range(12):
            customers.append(await create(world))
            await world.platform.delivery.deliver(wake_up(world, customers[-1], 1))
            world.clock.advance(1)
        await world.platform.breaker.succeed()

        woken = await world.platform.waker.wake()

        queue = await world.storage.queue("mainframe-updates").receive(32, lease_seconds=1)
        assert woken == 5
        assert {WakeUp.read(message.body).id for message in queue} == set(customers[:5])

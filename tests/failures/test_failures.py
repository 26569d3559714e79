"""Failures: what is listed, once, with its reason, and what becomes of it."""

import base64
import json

import pytest

from lib.failures.intake import Imported
from lib.failures.models import FailureFilter, FailureKind, FailureState
from lib.failures.service import FailureMoveError
from lib.failures.store import FAILURE_PREFIX
from lib.mainframe.ledger import LedgerStore
from lib.messaging.catalogue import QueueName, Subject
from lib.storage.errors import StorageUnavailableError
from local.faults.taps import When
from local.simulation.mainframe import Behaviour
from local.simulation.world import World
from tests.delivery.support import amend, create, quiet, wake_up

OPEN = FailureFilter(state=FailureState.OPEN)


@pytest.fixture
async def world() -> World:
    return await World.build()


async def rejected(world: World, **fields: object) -> str:
    customer_id = await create(world, **fields)
    world.mainframe.behave = lambda _key, _version: Behaviour.REJECT
    await world.settle(seconds=10)
    await world.import_poison()
    world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER
    return customer_id


async def listed(world: World, wanted: FailureFilter = OPEN) -> list[dict[str, object]]:
    found = []
    cursor = None
    while True:
        page = await world.platform.failures.list_page(wanted=wanted, limit=50, cursor=cursor)
        found += [failure.model_dump() for failure in page.items]
        cursor = page.cursor
        if cursor is None:
            return found


class TestIntake:
    async def test_lists_a_rejection_with_its_reason_and_times(self, world: World) -> None:
        customer_id = await rejected(world)

        failures = await listed(world)

        assert len(failures) == 1
        assert failures[0]["kind"] is FailureKind.REJECTED
        assert (failures[0]["code"], failures[0]["entity_id"], failures[0]["version"]) == ("E042", customer_id, 1)
        assert failures[0]["attempts"] == 1
        assert failures[0]["trace_id"]
        assert str(failures[0]["id"]).startswith(f"{FAILURE_PREFIX}_")

    async def test_of_the_same_message_twice_is_one_record(self, world: World) -> None:
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, _version: Behaviour.REJECT
        await world.platform.delivery.deliver(wake_up(world, customer_id, 1))
        body = (await world.storage.queue(QueueName.MAINFRAME_UPDATES.poison).peek(1))[0].encode()

        for _ in range(3):
            await world.platform.intake.take(QueueName.MAINFRAME_UPDATES, body)

        assert len(await listed(world)) == 1

    async def test_deletes_nothing_before_its_record_is_kept(self, world: World) -> None:
        customer_id = await create(world)
        world.mainframe.behave = lambda _key, _version: Behaviour.REJECT
        await world.platform.delivery.deliver(wake_up(world, customer_id, 1))

        async def refuse(point: str, when: When) -> None:
            if point == "failures.write" and when is When.BEFORE:
                raise StorageUnavailableError

        world.tap = refuse
        await world.import_poison()
        world.tap = quiet
        assert (await world.storage.queue(QueueName.MAINFRAME_UPDATES.poison).depth()).messages == 1
        world.clock.advance(60)
        await world.import_poison()

        assert len(await listed(world)) == 1
        assert (await world.storage.queue(QueueName.MAINFRAME_UPDATES.poison).depth()).messages == 0

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"garbage",
            b"\xff\xfe\x00",
            b"{",
            b'{"schemaVersion":9}',
            b"[]",
            base64.b64encode(b"garbage"),
            b"x" * 60_000,
        ],
    )
    async def test_keeps_garbage_byte_for_byte(self, world: World, body: bytes) -> None:
        await world.platform.intake.take(QueueName.CHANGES, body)

        failure = (await listed(world))[0]

        assert failure["kind"] is FailureKind.UNDELIVERABLE_MESSAGE
        assert base64.b64decode(str(failure["message"])) == body

    async def test_wakes_a_message_that_died_only_with_its_process(self, world: World) -> None:
        customer_id = await create(world)
        body = wake_up(world, customer_id, 1).body().encode()

        await world.platform.intake.take(QueueName.MAINFRAME_UPDATES, body)
        await world.settle(seconds=10)

        assert await listed(world) == []
        assert world.mainframe.applied(customer_id) == [1]

    async def test_lists_one_that_keeps_dying(self, world: World) -> None:
        customer_id = await create(world)
        body = wake_up(world, customer_id, 1).body().encode()

        outcomes = [await world.platform.intake.take(QueueName.MAINFRAME_UPDATES, body) for _ in range(21)]

        assert outcomes == [Imported.WOKEN] * 20 + [Imported.LISTED]
        failures = await listed(world)
        assert [failure["code"] for failure in failures] == ["ProcessDied"]

    async def test_lists_none_whose_work_another_message_has_done(self, world: World) -> None:
        customer_id = await create(world)
        body = wake_up(world, customer_id, 1).body().encode()
        for _ in range(20):
            await world.platform.intake.take(QueueName.MAINFRAME_UPDATES, body)
        await world.settle(seconds=60)

        outcome = await world.platform.intake.take(QueueName.MAINFRAME_UPDATES, body)

        assert world.mainframe.applied(customer_id) == [1]
        assert outcome is Imported.DONE
        assert await listed(world) == []

    async def test_lets_one_that_keeps_dying_rest_longer_each_time(self, world: World) -> None:
        customer_id = await create(world)
        body = wake_up(world, customer_id, 1).body().encode()
        queue = world.storage.queue(QueueName.MAINFRAME_UPDATES)

        for _ in range(4):
            await world.platform.intake.take(QueueName.MAINFRAME_UPDATES, body)

        seen: list[int] = []
        for _ in range(10):
            world.clock.advance(1)
            seen.append(len(await queue.peek()))
        assert seen == [1, 2, 2, 3, 3, 3, 3, 4, 4, 4]

    @pytest.mark.parametrize("queue", [QueueName.FAILURE_OUTCOMES, QueueName.REPLAY_REQUESTS])
    async def test_sends_what_is_no_wake_up_again_when_processes_died_under_it_and_lists_it_in_the_end(
        self, world: World, queue: QueueName
    ) -> None:
        body = '{"subject":"customer","id":"cus_1","version":1}'

        outcomes = [await world.platform.intake.take(queue, body.encode()) for _ in range(21)]
        world.clock.advance(60)

        assert outcomes == [Imported.WOKEN] * 20 + [Imported.LISTED]
        assert await world.storage.queue(queue).peek() == [body] * 20
        assert [failure["kind"] for failure in await listed(world)] == [FailureKind.UNDELIVERABLE_MESSAGE]

    async def test_lists_a_defect_by_its_kind_and_never_by_its_words(self, world: World) -> None:
        customer_id = await create(world)
        message = wake_up(world, customer_id, 1)
        await world.platform.defects.note(QueueName.MAINFRAME_UPDATES, message, KeyError("ada@example.com"))

        await world.platform.intake.take(QueueName.MAINFRAME_UPDATES, message.body().encode())

        failures = await listed(world)
        assert [failure["kind"] for failure in failures] == [FailureKind.PROGRAMMING_ERROR]
        assert failures[0]["code"] == "KeyError"
        assert "ada@example.com" not in str(failures)


class TestList:
    async def test_is_newest_first_and_filtered(self, world: World) -> None:
        first = await rejected(world)
        world.clock.advance(100)
        second = await rejected(world, email="x" * 70 + "@" + "y" * 60 + ".example.com")
        middle = world.clock.now()

        everything = [failure["entity_id"] for failure in await listed(world)]
        by_code = await listed(world, FailureFilter(code="E042", state=FailureState.OPEN))
        by_customer = await listed(world, FailureFilter(customer_id=second))
        later = await listed(world, FailureFilter(failed_after=middle))
        other_kind = await listed(world, FailureFilter(kind=FailureKind.EXHAUSTED))

        assert everything == [second, first]
        assert [failure["entity_id"] for failure in by_code] == [first]
        assert [failure["entity_id"] for failure in by_customer] == [second]
        assert later == other_kind == []

    async def test_groups_count_by_cause_with_a_sample(self, world: World) -> None:
        for _ in range(3):
            await rejected(world)
        await world.platform.intake.take(QueueName.CHANGES, b"garbage")

        found = await world.platform.failures.groups(wanted=OPEN)

        assert [(group.code, group.count) for group in found.groups] == [("E042", 3), ("UnreadableMessage", 1)]
        assert found.groups[0].first_seen < found.groups[0].last_seen
        assert found.complete


class TestOutcome:
    async def test_a_newer_version_that_is_delivered_supersedes(self, world: World) -> None:
        customer_id = await rejected(world)
        await amend(world, customer_id, 1)

        await world.settle(seconds=20)

        superseded = await listed(world, FailureFilter(state=FailureState.SUPERSEDED))
        assert [failure["version"] for failure in superseded] == [1]
        assert await listed(world) == []

    async def test_is_told_also_when_the_handler_died_before_it_could(self, world: World) -> None:
        customer_id = await rejected(world)
        await amend(world, customer_id, 1)

        async def die(point: str, when: When) -> None:
            if (point, when) == ("failure-outcomes.send", When.BEFORE):
                raise KeyboardInterrupt

        world.tap = die
        with pytest.raises(KeyboardInterrupt):
            await world.platform.delivery.deliver(wake_up(world, customer_id, 2))
        world.tap = quiet

        await world.settle(seconds=20)

        assert len(await listed(world, FailureFilter(state=FailureState.SUPERSEDED))) == 1

    async def test_rejections_of_two_versions_are_two_failures(self, world: World) -> None:
        customer_id = await rejected(world)
        await amend(world, customer_id, 1)
        world.mainframe.behave = lambda _key, _version: Behaviour.REJECT

        await world.settle(seconds=20)
        await world.import_poison()

        assert sorted(str(failure["version"]) for failure in await listed(world)) == ["1", "2"]
        ledgers = LedgerStore(world.storage.table("customers"))
        versions = await ledgers.failed_versions(Subject.CUSTOMER, customer_id, partition=customer_id, up_to=9)
        assert versions == [2, 1]


class TestDismiss:
    async def test_and_restore_keep_who_did_it_and_why(self, world: World) -> None:
        await rejected(world)
        failure_id = str((await listed(world))[0]["id"])

        await world.platform.failures.dismiss(failure_id=failure_id, reason="known", actor="ops")
        hidden = await listed(world)
        world.clock.advance(1)
        await world.platform.failures.restore(failure_id=failure_id, reason="not so", actor="lead")
        details = await world.platform.failures.read(failure_id=failure_id)

        assert hidden == []
        assert details.failure.state is FailureState.OPEN
        assert [(action.actor, action.action, action.reason) for action in details.actions] == [
            ("ops", "dismissed", "known"),
            ("lead", "restored", "not so"),
        ]

    async def test_twice_changes_nothing(self, world: World) -> None:
        await rejected(world)
        failure_id = str((await listed(world))[0]["id"])

        for _ in range(2):
            await world.platform.failures.dismiss(failure_id=failure_id, reason="known", actor="ops")

        assert len((await world.platform.failures.read(failure_id=failure_id)).actions) == 1

    async def test_of_what_was_delivered_is_refused(self, world: World) -> None:
        customer_id = await rejected(world)
        failure_id = str((await listed(world))[0]["id"])
        await amend(world, customer_id, 1)
        await world.settle(seconds=20)

        with pytest.raises(FailureMoveError):
            await world.platform.failures.dismiss(failure_id=failure_id, reason="known", actor="ops")


class TestPrivacy:
    async def test_no_record_holds_personal_data_of_ours(self, world: World) -> None:
        await rejected(world, firstName="Geheim", email="geheim@example.com")

        assert "eheim" not in json.dumps(await listed(world), default=str)

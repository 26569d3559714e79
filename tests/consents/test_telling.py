"""Every change of consent reaches whoever must know: a consumer in the catalogue is all it takes (Feature 79)."""

from dataclasses import replace

import pytest

from lib.changes.relay import Relay
from lib.messaging.catalogue import ALL_QUEUES, CONSUMERS, QueueName, Subject
from lib.messaging.envelope import WakeUp
from lib.storage.errors import StorageUnavailableError
from lib.storage.ports import Queue
from local.faults.taps import When
from tests.consents.conftest import GRANTED, WITHDRAWN, Desk

LISTENER = "consent-listener"


class Listening:
    """A downstream system with a queue of its own, added to the relay by name; the room knows nothing of it."""

    def __init__(self, desk: Desk, inbox: Queue) -> None:
        self.desk, self.inbox = desk, inbox
        self.known: dict[str, tuple[str, int]] = {}
        self.refusals = 0
        self.relay: Relay = replace(
            desk.world.platform.relay,
            consumers={**desk.world.platform.relay.consumers, LISTENER: inbox},
            audience={**CONSUMERS, Subject.CONSENT: (LISTENER,), Subject.SUBSCRIPTION: (LISTENER,)},
        )

    async def relay_everything(self) -> None:
        """Run the relay over every wake-up that is visible, as the host does."""
        changes = self.desk.world.storage.queue(QueueName.CHANGES)
        self.desk.world.clock.advance(3)
        for message in await changes.receive(32, lease_seconds=30):
            try:
                await self.relay.relay(WakeUp.read(message.body))
            except StorageUnavailableError:
                continue
            await changes.delete(message)

    async def listen(self, *, failing: bool = False) -> None:
        """Take what is in the inbox: read the latest state, note it, acknowledge; or fail and be told again."""
        for message in await self.inbox.receive(32, lease_seconds=30):
            if failing:
                self.refusals += 1
                continue
            wake_up = WakeUp.read(message.body)
            source = self.desk.world.platform.sources[wake_up.subject]
            snapshot = await source.snapshot(wake_up.id, wake_up.partition)
            self.known[wake_up.id] = (source.state(snapshot)["state"], snapshot.version)
            await self.inbox.delete(message)

    async def waiting(self) -> int:
        return (await self.inbox.depth()).messages


@pytest.fixture
async def listening(desk: Desk) -> Listening:
    await desk.world.storage.create_missing(tables=(), queues=[LISTENER])
    await desk.world.settle(seconds=10)
    return Listening(desk, desk.world.storage.queue(LISTENER))


class TestConsumer:
    async def test_is_told_of_each_change_and_acknowledges(self, desk: Desk, listening: Listening) -> None:
        """Feature 79: withdrawal reaches downstream, each told once it is committed, and acknowledged."""
        for state, version in (("granted", 1), ("withdrawn", 2)):
            await desk.say(GRANTED if state == "granted" else WITHDRAWN)
            await listening.relay_everything()
            assert await listening.waiting() == 1

            await listening.listen()

            assert list(listening.known.values()) == [(state, version)]
            assert await listening.waiting() == 0

    async def test_that_fails_is_told_again_until_it_acknowledges(self, desk: Desk, listening: Listening) -> None:
        """Feature 79: a downstream system that is down loses nothing."""
        await desk.say(GRANTED)
        await desk.say(WITHDRAWN)
        await listening.relay_everything()
        for _ in range(3):
            await listening.listen(failing=True)
            desk.world.clock.advance(60)

        await listening.listen()

        assert listening.refusals == 6
        assert list(listening.known.values()) == [("withdrawn", 2)]
        assert await listening.waiting() == 0

    async def test_whose_queue_cannot_be_reached_is_told_later(self, desk: Desk, listening: Listening) -> None:
        """Feature 79: the relay keeps its promise through an outage of a queue."""
        await desk.say(WITHDRAWN)

        async def down(point: str, when: When) -> None:
            if (point, when) == (f"{LISTENER}.send", When.BEFORE):
                raise StorageUnavailableError

        async def up(_point: str, _when: When) -> None: ...

        listening.inbox = desk.world.platform.storage.queue(LISTENER)
        listening.relay = replace(listening.relay, consumers={LISTENER: listening.inbox})
        desk.world.tap = down
        await listening.relay_everything()
        silent = await listening.waiting()
        desk.world.tap = up
        desk.world.clock.advance(60)

        await listening.relay_everything()
        await listening.listen()

        assert silent == 0
        assert list(listening.known.values()) == [("withdrawn", 1)]

    async def test_hears_of_every_consent_that_was_withdrawn_at_once(self, desk: Desk, listening: Listening) -> None:
        channels = ["email", "sms", "phone", "post", "push", "whatsapp", "any"]
        for channel in channels:
            await desk.say(GRANTED, channel=channel)
        await desk.http.post(desk.path("consents/withdraw-all"), json={})
        await listening.relay_everything()

        await listening.listen()

        assert list(listening.known.values()) == [("withdrawn", 2)] * len(channels)

    async def test_hears_of_subscriptions_too(self, desk: Desk, listening: Listening) -> None:
        await desk.define(doubleOptIn=False)
        await desk.choose("subscribed")
        await listening.relay_everything()

        await listening.listen()

        assert list(listening.known.values()) == [("subscribed", 1)]

    async def test_of_another_subject_hears_nothing(self, desk: Desk, listening: Listening) -> None:
        headers = {"If-Match": '"1-public"'}
        await desk.http.patch(f"/api/v1/customers/{desk.customer}", json={"title": "Dr"}, headers=headers)
        await listening.relay_everything()

        assert await listening.waiting() == 0


class TestCatalogue:
    def test_does_not_know_this_listener(self) -> None:
        assert LISTENER not in ALL_QUEUES

    async def test_changes_are_indexed_and_told_to_nobody_yet(self, desk: Desk) -> None:
        await desk.say(GRANTED)
        await desk.world.settle(seconds=10)

        index = desk.world.storage._table("entityindex").rows()

        assert [(row.partition, row.values["owner"]) for row in index] == [("consent", desk.customer)]
        assert desk.world.failures == []
        assert desk.world.mainframe.calls == 1

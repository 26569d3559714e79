"""The road to the mainframe over the private API: what it shows, and pausing and resuming it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from lib.clock import rfc3339
from lib.mainframe.breaker import BreakerState
from lib.mainframe.throughput import Throughput
from lib.messaging.catalogue import Subject
from lib.storage.errors import OutcomeUnknownError, StorageUnavailableError
from local.faults.taps import When
from local.simulation.mainframe import Behaviour
from local.simulation.world import World

ROOT = "/api/private/v1/mainframe"
ASKED = {"reason": "Quarterly upgrade", "ticket": "CHG-2210"}


@dataclass
class Operations:
    """A world and somebody in operations."""

    world: World
    http: httpx2.AsyncClient

    async def create(self, count: int = 1) -> list[str]:
        """Create customers."""
        body = {"lastName": "Lovelace", "email": "ada@example.com"}
        made = [await self.http.post("/api/v1/customers", json=body) for _ in range(count)]
        return [answer.json()["id"] for answer in made]

    async def look(self) -> dict[str, Any]:
        """Look at the road."""
        return (await self.http.get(ROOT)).json()

    async def pause(self, **fields: object) -> httpx2.Response:
        """Pause it."""
        return await self.http.post(f"{ROOT}/pause", json={**ASKED, **fields}, headers={"X-Actor": "m.okafor"})

    async def resume(self) -> httpx2.Response:
        """Resume it a second later, without a body."""
        self.world.clock.advance(1)
        return await self.http.post(f"{ROOT}/resume", headers={"X-Actor": "l.berg"})

    async def audit(self) -> list[dict[str, Any]]:
        """Read who did what."""
        return (await self.http.get(f"{ROOT}/audit")).json()["items"]


@pytest.fixture
async def operations() -> AsyncIterator[Operations]:
    world = await World.build()
    transport = httpx2.ASGITransport(app=world.api)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
        yield Operations(world, http)


class TestLook:
    async def test_of_a_road_nobody_took_yet_shows_it_closed_and_empty(self, operations: Operations) -> None:
        seen = await operations.look()

        assert (seen["state"], seen["parked"], seen["retrying"], seen["queuedMessages"]) == ("closed", 0, 0, 0)
        assert (seen["since"], seen["pause"], seen["lastFailure"], seen["nextProbeAt"]) == (None, None, None, None)
        assert seen["oldestUndeliveredSeconds"] is None
        assert seen["countsComplete"] is True

    async def test_tells_what_is_pending(self, operations: Operations) -> None:
        [customer_id] = await operations.create()
        await operations.world.platform.relay.relay(
            await operations.world.platform.promises.make(
                subject=Subject.CUSTOMER, entity_id=customer_id, partition=customer_id, version=1
            )
        )

        assert (await operations.look())["queuedMessages"] == 1

    async def test_tells_when_the_last_call_went_well_and_how_much_arrived(self, operations: Operations) -> None:
        await operations.create(12)
        await operations.world.settle(seconds=20)
        operations.world.clock.advance(60)

        seen = await operations.look()

        assert seen["lastSuccessAt"] is not None
        assert sum(minute["acknowledged"] for minute in seen["throughput"]["minutes"]) == 12
        assert seen["throughput"]["acknowledgedPerMinute"] == 12 / 5

    async def test_shows_an_outage(self, operations: Operations) -> None:
        operations.world.mainframe.behave = lambda _key, _version: Behaviour.UNREACHABLE
        await operations.create(20)
        await operations.world.settle(seconds=60)

        seen = await operations.look()

        assert seen["state"] in {"open", "halfOpen"}
        assert seen["since"] is not None
        assert seen["nextProbeAt"] is not None
        assert seen["lastFailure"]["code"] == "unreachable"
        assert seen["parked"] + seen["retrying"] == 20
        assert seen["oldestUndeliveredSeconds"] >= 55

    async def test_keeps_the_last_failure_in_sight_after_the_outage(self, operations: Operations) -> None:
        operations.world.mainframe.behave = lambda _key, _version: Behaviour.UNREACHABLE
        await operations.create(6)
        await operations.world.settle(seconds=30)
        operations.world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER
        await operations.world.settle(seconds=400)

        seen = await operations.look()

        assert (seen["state"], seen["parked"], seen["retrying"]) == ("closed", 0, 0)
        assert seen["lastFailure"]["code"] == "unreachable"
        assert seen["since"] > seen["lastFailure"]["at"]


class TestPause:
    async def test_parks_everything_and_calls_nothing(self, operations: Operations) -> None:
        await operations.pause()
        customers = await operations.create(5)

        await operations.world.settle(seconds=600, tick_seconds=5)

        seen = await operations.look()
        assert operations.world.mainframe.calls == 0
        assert (seen["state"], seen["parked"], seen["nextProbeAt"]) == ("paused", len(customers), None)
        assert seen["pause"] == {
            "by": "m.okafor",
            "reason": "Quarterly upgrade",
            "ticket": "CHG-2210",
            "at": seen["since"],
            "until": None,
        }

    async def test_probes_nothing_although_the_breaker_was_open(self, operations: Operations) -> None:
        operations.world.mainframe.behave = lambda _key, _version: Behaviour.UNREACHABLE
        await operations.create(6)
        await operations.world.settle(seconds=10)
        calls: list[str] = []

        def note(key: str, _version: int) -> Behaviour:
            calls.append(key)
            return Behaviour.UNREACHABLE

        operations.world.mainframe.behave = note
        await operations.pause()

        await operations.world.settle(seconds=600, tick_seconds=5)

        assert calls == []
        assert (await operations.look())["parked"] == 6

    async def test_wakes_nothing(self, operations: Operations) -> None:
        for _ in range(5):
            await operations.world.platform.breaker.fail("unreachable")
        await operations.create(4)
        await operations.world.settle(seconds=10)
        await operations.pause()
        operations.world.clock.advance(60)

        woken = await operations.world.platform.waker.wake()

        assert woken == 0
        assert (await operations.look())["parked"] == 4

    async def test_ends_by_itself(self, operations: Operations) -> None:
        until = operations.world.clock.now() + timedelta(minutes=10)
        await operations.pause(until=rfc3339(until))
        [customer_id] = await operations.create()
        await operations.world.settle(seconds=590, tick_seconds=5)
        before = operations.world.mainframe.calls

        await operations.world.settle(seconds=60)

        assert before == 0
        assert operations.world.mainframe.applied(customer_id) == [1]
        assert (await operations.look())["state"] == "closed"

    async def test_twice_changes_nothing(self, operations: Operations) -> None:
        until = rfc3339(operations.world.clock.now() + timedelta(minutes=10, microseconds=123))
        first = await operations.pause(until=until)
        operations.world.clock.advance(30)

        again = await operations.pause(until=until)

        assert again.json() == first.json()
        assert len(await operations.audit()) == 1

    async def test_with_another_end_changes_the_window_and_keeps_its_beginning(self, operations: Operations) -> None:
        first = await operations.pause()
        operations.world.clock.advance(30)
        until = rfc3339(operations.world.clock.now() + timedelta(hours=1))

        changed = await operations.pause(until=until)

        assert changed.json()["since"] == first.json()["since"]
        assert changed.json()["pause"]["until"] == until
        assert [entry["action"] for entry in await operations.audit()] == ["changed", "paused"]

    async def test_with_the_same_key_is_answered_the_same(self, operations: Operations) -> None:
        headers = {"Idempotency-Key": "window-7"}
        first = await operations.http.post(f"{ROOT}/pause", json=ASKED, headers=headers)
        await operations.resume()

        again = await operations.http.post(f"{ROOT}/pause", json=ASKED, headers=headers)

        assert again.json() == first.json()
        assert again.headers["Idempotency-Replayed"] == "true"
        assert (await operations.look())["state"] == "closed"

    async def test_whose_reply_was_lost_is_kept_and_audited_once(self, operations: Operations) -> None:
        async def lose(point: str, when: When) -> None:
            if (point, when) == ("mainframe.write", When.AFTER):
                operations.world.tap = calm
                raise OutcomeUnknownError

        async def calm(point: str, when: When) -> None: ...

        operations.world.tap = lose

        answer = await operations.pause()

        assert answer.json()["state"] == "paused"
        assert len(await operations.audit()) == 1

    async def test_outlives_a_call_that_had_left_before(self, operations: Operations) -> None:
        await operations.pause()

        await operations.world.platform.breaker.succeed()
        await operations.world.platform.breaker.fail("no-answer")

        view = await operations.world.platform.breaker.view()
        assert view.state_at(operations.world.clock.now()) is BreakerState.PAUSED

    async def test_stops_other_instances_within_a_second(self, operations: Operations) -> None:
        breaker = operations.world.platform.breaker
        other = replace(breaker, _remembered_at=None)
        await other.permit()
        await operations.pause()
        operations.world.clock.advance(1)

        assert await other.permit() == "park"

    @pytest.mark.parametrize("seconds", [-1, 0, 32 * 24 * 3600])
    async def test_cannot_end_before_it_begins_or_next_year(self, operations: Operations, seconds: int) -> None:
        answer = await operations.pause(until=rfc3339(operations.world.clock.now() + timedelta(seconds=seconds)))

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/until"

    @pytest.mark.parametrize("missing", ["reason", "ticket"])
    async def test_needs_a_reason_and_a_ticket(self, operations: Operations, missing: str) -> None:
        body = {name: value for name, value in ASKED.items() if name != missing}

        answer = await operations.http.post(f"{ROOT}/pause", json=body)

        assert answer.status_code == 422

    async def test_is_no_outage_in_the_health_report(self, operations: Operations) -> None:
        await operations.pause()

        report = (await operations.http.get("/api/private/v1/health")).json()

        assert report["mainframe"]["condition"] == "degraded"
        assert "paused" in report["mainframe"]["detail"]


class TestResume:
    async def test_drains_what_was_parked(self, operations: Operations) -> None:
        await operations.pause()
        customers = await operations.create(30)
        await operations.world.settle(seconds=30)

        await operations.resume()
        await operations.world.settle(seconds=60)

        assert all(operations.world.mainframe.applied(customer_id) == [1] for customer_id in customers)
        assert (await operations.look())["parked"] == 0

    async def test_goes_on_with_what_the_breaker_knew(self, operations: Operations) -> None:
        for _ in range(5):
            await operations.world.platform.breaker.fail("unreachable")
        await operations.pause()

        answer = await operations.resume()

        assert answer.json()["state"] == "open"

    async def test_twice_changes_nothing(self, operations: Operations) -> None:
        await operations.pause()
        await operations.resume()

        again = await operations.resume()

        assert again.status_code == 200
        assert [entry["action"] for entry in await operations.audit()] == ["resumed", "paused"]

    async def test_keeps_the_ticket_of_the_pause_in_the_audit(self, operations: Operations) -> None:
        await operations.pause()
        await operations.resume()

        [resumed, paused] = await operations.audit()

        assert (resumed["actor"], resumed["ticket"]) == ("l.berg", "CHG-2210")
        assert (paused["actor"], paused["reason"]) == ("m.okafor", "Quarterly upgrade")


class TestAudit:
    async def test_is_paged_newest_first(self, operations: Operations) -> None:
        for _ in range(3):
            await operations.pause()
            operations.world.clock.advance(1)
            await operations.resume()
            operations.world.clock.advance(1)

        found: list[str] = []
        following: str | None = f"{ROOT}/audit?limit=2"
        while following:
            page = (await operations.http.get(following)).json()
            found += [entry["action"] for entry in page["items"]]
            following = page["next"]

        assert found == ["resumed", "paused"] * 3


class TestBreaker:
    async def test_costs_no_write_per_delivery(self, operations: Operations) -> None:
        await operations.create(40)
        writes: list[str] = []

        async def note(point: str, when: When) -> None:
            if point == "mainframe.write" and when is When.BEFORE:
                writes.append(point)

        operations.world.tap = note

        await operations.world.settle(seconds=8)

        assert len(operations.world.mainframe.inner.journal) == 40
        assert len(writes) <= 2

    async def test_notes_successes_of_slow_calls_without_a_write_for_each(self, operations: Operations) -> None:
        writes: list[str] = []

        async def note(point: str, when: When) -> None:
            if point == "mainframe.write" and when is When.BEFORE:
                writes.append(point)

        operations.world.tap = note

        for _ in range(20):
            await operations.world.platform.breaker.permit()
            operations.world.clock.advance(2)  # longer than a closed breaker is remembered
            await operations.world.platform.breaker.succeed()

        assert len(writes) <= 4


class TestThroughput:
    async def test_of_several_instances_adds_up(self, operations: Operations) -> None:
        platform = operations.world.platform
        table = operations.world.storage.table("mainframe")
        instances = [Throughput(table, operations.world.clock, platform.ids) for _ in range(20)]

        for _ in range(12):
            for instance in instances:
                await instance.count()
            operations.world.clock.advance(1)
        for instance in instances:
            await instance.keep()

        assert sum(minute.acknowledged for minute in await platform.throughput.lately()) == 240

    async def test_uses_its_rows_again(self, operations: Operations) -> None:
        throughput = operations.world.platform.throughput

        for _ in range(40):
            await throughput.count()
            await throughput.keep()
            operations.world.clock.advance(60)

        rows = await operations.world.storage.table("mainframe").page("throughput", limit=1000)
        lately = await throughput.lately()
        assert len(rows.rows) <= 16
        assert [minute.acknowledged for minute in lately] == [0] + [1] * 9

    async def test_counts_on_while_storage_does_not_answer(self, operations: Operations) -> None:
        throughput = operations.world.platform.throughput

        async def refuse(point: str, when: When) -> None:
            if point.startswith("mainframe.") and when is When.BEFORE:
                raise StorageUnavailableError

        operations.world.tap = refuse
        for _ in range(3):
            await throughput.count()
            await throughput.keep()

        async def calm(point: str, when: When) -> None: ...

        operations.world.tap = calm
        await throughput.keep()

        assert (await throughput.lately())[0].acknowledged == 3

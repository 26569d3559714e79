"""Reconciliation: what counts as drift, what is mended, and that no crash loses or doubles a count."""

import asyncio
from datetime import timedelta

import pytest

from lib.mainframe.errors import MainframeUnreachableError
from lib.messaging.envelope import UnreadableMessageError
from lib.reconciliation.models import SliceOrder
from lib.reconciliation.runner import Sliced
from lib.storage.errors import OutcomeUnknownError, StorageUnavailableError
from lib.storage.ports import Replace
from local.faults.taps import When
from local.simulation.mainframe import Behaviour
from tests.reconciliation.drifting import DRIFTS, ROOT, Sides, calm


class TestCompare:
    async def test_of_two_equal_sides_finds_nothing(self, sides: Sides) -> None:
        await sides.settled(120)

        shown = await sides.run()

        assert shown["state"] == "completed"
        assert shown["counts"]["walked"] == shown["counts"]["listed"] == shown["counts"]["inStep"] == 120
        assert await sides.result(shown["id"]) == []

    async def test_of_two_empty_sides_ends(self, sides: Sides) -> None:
        shown = await sides.run()

        assert (shown["state"], shown["counts"]["compared"]) == ("completed", 0)

    @pytest.mark.parametrize("keyed", [True, False], ids=["ids spread evenly", "ids by time"])
    async def test_tells_every_kind_of_drift_apart(self, sides: Sides, *, keyed: bool) -> None:
        customers = await sides.settled(150, keyed=keyed)
        behind, lost, ahead, missing, parked, fresh, rejected = customers[::20][:7]
        await sides.amend(behind, 1)
        await sides.world.settle(seconds=10)
        await sides.mainframe_holds(behind, 1)
        await sides.lose_change(lost)
        await sides.mainframe_holds(ahead, 9)
        sides.mainframe_forgets(missing)
        for key in ("LEGACY-1", "cus_00000000000000000000000007", "cus 7", "~"):
            await sides.mainframe_holds(key, 3)
        await sides.park(parked)
        sides.world.mainframe.behave = lambda _key, _version: Behaviour.REJECT
        await sides.amend(rejected, 1)
        await sides.world.settle(seconds=10)
        sides.world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER
        sides.world.clock.advance(3600)
        await sides.amend(fresh, 1)

        started = await sides.start()
        await sides.world.platform.slice_runner.take(await _order(sides))
        shown = await sides.look(started.json()["id"])

        assert await sides.drifted(shown["id"]) == {
            behind: "behind",
            lost: "behind",
            ahead: "ahead",
            missing: "missing",
            rejected: "rejected",
            "LEGACY-1": "unknownToUs",
            "cus_00000000000000000000000007": "unknownToUs",
            "cus 7": "unknownToUs",
            "~": "unknownToUs",
        }
        assert shown["state"] == "completed"
        assert {kind: shown["counts"][kind] for kind in (*DRIFTS, "inFlight")} == {
            "behind": 2,
            "ahead": 1,
            "missing": 1,
            "unknownToUs": 4,
            "rejected": 1,
            "inFlight": 2,
        }
        assert shown["counts"]["walked"] == 150

    async def test_tells_what_either_side_holds(self, sides: Sides) -> None:
        [customer_id] = await sides.settled(1)
        await sides.amend(customer_id, 1)
        await sides.world.settle(seconds=10)
        await sides.mainframe_holds(customer_id, 1)

        shown = await sides.run()

        [line] = await sides.result(shown["id"])
        assert (line["ourVersion"], line["acknowledgedVersion"], line["mainframeVersion"]) == (2, 2, 1)
        assert (line["subject"], line["repair"]) == ("customer", "none")

    async def test_finds_a_mainframe_that_lost_everything(self, sides: Sides) -> None:
        customers = await sides.settled(300)
        for customer_id in customers:
            sides.mainframe_forgets(customer_id)

        shown = await sides.run(ratePerSecond=100)

        assert shown["counts"]["missing"] == 300
        assert len(await sides.result(shown["id"], limit=97)) == 300

    async def test_is_not_misled_by_deliveries_while_it_looks(self, sides: Sides) -> None:
        customers = await sides.settled(40)
        busy = False
        places = {
            ("mainframe.browse", When.AFTER),
            ("mainframe.inquire", When.BEFORE),
            ("mainframe.inquire", When.AFTER),
        }

        async def change_meanwhile(point: str, when: When) -> None:
            nonlocal busy
            if (point, when) in places and not busy:
                busy = True
                for customer_id in customers[:3]:
                    version = (await sides.world.platform.customers.read(customer_id=customer_id)).version
                    await sides.amend(customer_id, version)
                sides.world.clock.advance(3)
                while await sides.world.step():
                    pass
                busy = False

        sides.world.tap = change_meanwhile

        shown = await sides.run(ratePerSecond=1)

        assert await sides.result(shown["id"]) == []

    async def test_of_an_index_that_is_late_asks_the_truth(self, sides: Sides) -> None:
        [customer_id] = await sides.settled(1)
        await sides.amend(customer_id, 1)
        await sides.world.settle(seconds=10)
        index = sides.world.storage.table("customerindex")
        row = await index.get("customer", customer_id)
        assert row is not None
        await sides.amend(customer_id, 2)
        await sides.world.settle(seconds=10)
        kept = await index.get("customer", customer_id)
        assert kept is not None
        await index.write("customer", Replace(customer_id, row.values, kept.etag))

        shown = await sides.run()

        assert (shown["counts"]["inStep"], await sides.result(shown["id"])) == (1, [])


class TestRepair:
    async def test_wakes_what_is_behind_or_missing_and_nothing_else(self, sides: Sides) -> None:
        customers = await sides.settled(60)
        behind, lost, ahead, missing = customers[:4]
        await sides.amend(behind, 1)
        await sides.world.settle(seconds=10)
        await sides.mainframe_holds(behind, 1)
        await sides.lose_change(lost)
        await sides.mainframe_holds(ahead, 9)
        sides.mainframe_forgets(missing)
        before = len(sides.world.mainframe.inner.journal)

        shown = await sides.run(repair=True)
        await sides.world.settle(seconds=30)

        held = sides.world.mainframe.inner
        assert [await held.inquire(subject="CUSTOMER", key=one) for one in customers[:4]] == [2, 2, 9, 1]
        assert len(held.journal) - before == 3
        assert shown["counts"]["repaired"] == 3
        repairs = {line["id"]: line["repair"] for line in await sides.result(shown["id"])}
        assert repairs == {behind: "sent", lost: "sent", ahead: "none", missing: "sent"}

    async def test_leaves_nothing_for_the_next_one(self, sides: Sides) -> None:
        customers = await sides.settled(60)
        for customer_id in customers[::7]:
            sides.mainframe_forgets(customer_id)
        await sides.run(repair=True)
        await sides.world.settle(seconds=30)

        again = await sides.run(repair=True)

        assert (again["counts"]["inStep"], again["counts"]["repaired"]) == (60, 0)

    async def test_mends_what_was_once_rejected_and_then_delivered(self, sides: Sides) -> None:
        [customer_id] = await sides.settled(1)
        sides.world.mainframe.behave = lambda _key, _version: Behaviour.REJECT
        await sides.amend(customer_id, 1)
        await sides.world.settle(seconds=10)
        sides.world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER
        await sides.amend(customer_id, 2)
        await sides.world.settle(seconds=10)
        sides.mainframe_forgets(customer_id)

        await sides.run(repair=True)
        await sides.world.settle(seconds=30)

        assert await sides.world.mainframe.inner.inquire(subject="CUSTOMER", key=customer_id) == 3

    async def test_keeps_to_the_rate(self, sides: Sides) -> None:
        customers = await sides.settled(200)
        for customer_id in customers:
            sides.mainframe_forgets(customer_id)
        began_at = sides.world.clock.now()

        shown = await sides.run(repair=True, ratePerSecond=10)

        took = (sides.world.clock.now() - began_at).total_seconds()
        questions = 200 + 200 + 9  # an inquiry and a wake-up each, and the browsing
        assert shown["counts"]["repaired"] == 200
        assert questions / 10 * 0.8 <= took <= questions / 10 * 1.7


class TestStart:
    async def test_answers_where_to_watch(self, sides: Sides) -> None:
        answer = await sides.start(repair=True, ratePerSecond=3)

        shown = await sides.http.get(answer.headers["Location"])
        assert answer.status_code == 202
        assert shown.json() == answer.json()
        assert (shown.json()["repair"], shown.json()["ratePerSecond"]) == (True, 3)
        assert shown.json()["requestedBy"] == "m.okafor"

    async def test_needs_no_body(self, sides: Sides) -> None:
        answer = await sides.http.post(ROOT)

        assert (answer.status_code, answer.json()["repair"]) == (202, False)

    async def test_while_one_runs_names_it(self, sides: Sides) -> None:
        first = await sides.start()

        second = await sides.start()

        assert second.status_code == 409
        assert first.json()["id"] in second.json()["detail"]

    async def test_twice_with_the_same_key_is_one(self, sides: Sides) -> None:
        first = await sides.start(key="k")

        second = await sides.start(key="k")

        assert second.status_code == 202
        assert second.json() == first.json()
        assert len(await sides.listed()) == 1

    async def test_with_the_same_key_and_another_body_is_refused(self, sides: Sides) -> None:
        await sides.start(key="k")

        assert (await sides.start(key="k", repair=True)).status_code == 422

    async def test_by_many_at_once_is_one(self, sides: Sides) -> None:
        answers = await asyncio.gather(*(sides.start() for _ in range(8)))

        assert sorted(answer.status_code for answer in answers) == [202] + [409] * 7

    async def test_whose_reply_was_lost_is_kept_once(self, sides: Sides) -> None:
        async def lose(point: str, when: When) -> None:
            if (point, when) == ("reconciliations.write", When.AFTER):
                sides.world.tap = calm
                raise OutcomeUnknownError

        sides.world.tap = lose

        answer = await sides.start()

        assert answer.status_code == 202
        assert (await sides.ended(answer.json()["id"]))["state"] == "completed"

    async def test_that_could_not_be_kept_leaves_a_message_that_ends(self, sides: Sides) -> None:
        async def refuse(point: str, when: When) -> None:
            if (point, when) == ("reconciliations.write", When.BEFORE):
                raise StorageUnavailableError

        sides.world.tap = refuse
        answer = await sides.start()
        sides.world.tap = calm

        await sides.world.settle(seconds=120)

        assert answer.status_code == 503
        assert (await sides.world.storage.queue("reconciliation-slices").depth()).messages == 0

    @pytest.mark.parametrize("rate", [0, -1, 201, "many"])
    async def test_takes_a_rate_within_bounds(self, sides: Sides, rate: object) -> None:
        assert (await sides.start(ratePerSecond=rate)).status_code == 422

    async def test_of_the_night_twice_is_one(self, sides: Sides) -> None:
        for _ in range(2):
            await sides.world.platform.reconciliations.start_nightly(repair=False, rate_per_second=10)
            await sides.world.settle(seconds=60)
        sides.world.clock.advance(24 * 3600)

        await sides.world.platform.reconciliations.start_nightly(repair=False, rate_per_second=10)

        assert [one["requestedBy"] for one in await sides.listed()] == ["nightly", "nightly"]

    async def test_of_the_night_waits_for_nobody(self, sides: Sides) -> None:
        await sides.start()

        await sides.world.platform.reconciliations.start_nightly(repair=False, rate_per_second=10)

        assert len(await sides.listed()) == 1


class TestSlices:
    async def test_are_many_and_each_looks_at_some(self, sides: Sides) -> None:
        await sides.settled(600)

        shown = await sides.run(ratePerSecond=1)

        assert shown["counts"]["inStep"] == 600
        assert len({look["counts"]["compared"] for look in sides.seen}) >= 3

    @pytest.mark.parametrize(
        "point",
        [
            "customerindex.page",
            "mainframe.browse",
            "mainframe.inquire",
            "reconciliations.write",
            "reconciliations.get",
            "mainframe-updates.send",
            "reconciliation-slices.send",
            "delivery.settle",
        ],
    )
    @pytest.mark.parametrize("when", list(When))
    async def test_that_die_anywhere_are_done_again_and_counted_once(
        self, sides: Sides, point: str, when: When
    ) -> None:
        customers = await sides.settled(120)
        for customer_id in customers[::10]:
            sides.mainframe_forgets(customer_id)
        await sides.mainframe_holds("LEGACY-1", 1)
        started = await sides.start(repair=True, ratePerSecond=1)
        deaths = [1, 4, 9]
        heard = 0

        async def die(at: str, side: When) -> None:
            nonlocal heard
            if (at, side) == (point, when):
                heard += 1
                if heard in deaths:
                    raise _Died

        sides.world.tap = die

        shown = await sides.ended(started.json()["id"], within_seconds=800)  # before the watch would wake it
        sides.world.tap = calm
        await sides.world.settle(seconds=60)

        drifted = await sides.drifted(shown["id"])
        assert shown["counts"]["walked"] == 120
        assert drifted == dict.fromkeys(customers[::10], "missing") | {"LEGACY-1": "unknownToUs"}
        assert shown["counts"]["missing"] == shown["counts"]["repaired"] == 12
        held = sides.world.mainframe.inner
        assert [await held.inquire(subject="CUSTOMER", key=one) for one in customers] == [1] * 120
        assert heard > 4

    async def test_whose_message_comes_twice_are_done_once(self, sides: Sides) -> None:
        await sides.settled(300)
        queue = sides.world.storage.queue("reconciliation-slices")
        started = await sides.start(ratePerSecond=1)
        copies = 0

        async def twice(point: str, when: When) -> None:
            nonlocal copies
            if (point, when) == ("reconciliation-slices.send", When.AFTER) and copies < 60:
                copies += 1
                await queue.send(list(queue.bodies())[-1])

        sides.world.tap = twice

        shown = await sides.ended(started.json()["id"], within_seconds=2000)
        sides.world.tap = calm
        await sides.world.settle(seconds=200)

        assert shown["counts"]["inStep"] == 300
        assert copies > 5
        assert (await queue.depth()).messages == 0

    async def test_at_the_same_time_are_done_once(self, sides: Sides) -> None:
        await sides.settled(100)
        started = await sides.start()
        order = await _order(sides)

        browses = 0

        async def count(point: str, when: When) -> None:
            nonlocal browses
            browses += (point, when) == ("mainframe.browse", When.BEFORE)

        sides.world.tap = count
        outcomes = await asyncio.gather(*(sides.world.platform.slice_runner.take(order) for _ in range(6)))

        shown = await sides.ended(started.json()["id"])
        assert outcomes.count(Sliced.COMPLETED) == 1
        assert browses == 3
        assert shown["counts"]["inStep"] == 100

    async def test_that_come_late_order_nothing(self, sides: Sides) -> None:
        await sides.settled(300)
        await sides.start(ratePerSecond=1)
        order = await _order(sides)
        first = await sides.world.platform.slice_runner.take(order)
        sides.world.clock.advance(60)

        again = [await sides.world.platform.slice_runner.take(order) for _ in range(3)]

        assert (first, again) == (Sliced.DONE, [Sliced.STALE] * 3)
        assert (await sides.world.storage.queue("reconciliation-slices").depth()).messages == 1

    async def test_wait_out_a_mainframe_that_does_not_answer(self, sides: Sides) -> None:
        await sides.settled(200)
        started = await sides.start(ratePerSecond=1)
        down = True
        tries = 0

        async def dead(point: str, when: When) -> None:
            nonlocal tries
            if point == "mainframe.browse" and when is When.BEFORE and down:
                tries += 1
                raise MainframeUnreachableError("no connection")

        sides.world.tap = dead
        await sides.world.settle(seconds=3 * 3600, tick_seconds=20)
        waiting = await sides.look(started.json()["id"])
        down = False

        shown = await sides.ended(started.json()["id"], within_seconds=900)

        assert (waiting["state"], waiting["note"]) == ("waiting", "no connection")
        assert waiting["nextSliceAt"] is not None
        assert tries < 200
        assert shown["counts"]["inStep"] == 200
        assert sides.world.failures == []

    async def test_ask_nothing_while_the_breaker_is_open(self, sides: Sides) -> None:
        await sides.settled(20)
        for _ in range(5):
            await sides.world.platform.breaker.fail("unreachable")
        asked: list[str] = []

        async def note(point: str, when: When) -> None:
            if point in {"mainframe.browse", "mainframe.inquire"}:
                asked.append(f"{point} {when}")

        sides.world.tap = note
        started = await sides.start()

        await sides.world.settle(seconds=30)

        assert asked == []
        assert (await sides.look(started.json()["id"]))["state"] == "waiting"

    async def test_outlive_an_outage_of_the_tables(self, sides: Sides) -> None:
        await sides.settled(50)
        started = await sides.start()
        down = True

        async def refuse(point: str, when: When) -> None:
            if down and when is When.BEFORE and point.startswith("reconciliations."):
                raise StorageUnavailableError

        sides.world.tap = refuse
        await sides.world.settle(seconds=300)
        down = False

        shown = await sides.ended(started.json()["id"])

        assert shown["counts"]["inStep"] == 50
        assert (await sides.world.storage.queue("reconciliation-slices-poison").depth()).messages == 0

    async def test_that_are_none_are_refused(self, sides: Sides) -> None:
        with pytest.raises(UnreadableMessageError):
            await sides.world.platform.slice_runner.take('{"schemaVersion":2}')


class TestWatch:
    async def test_wakes_one_whose_message_was_lost(self, sides: Sides) -> None:
        await sides.settled(50)
        started = await sides.start()
        queue = sides.world.storage.queue("reconciliation-slices")
        sides.world.clock.advance(3)
        for message in await queue.receive(32, lease_seconds=1):
            await queue.delete(message)

        early = await sides.world.platform.reconciliations.watch()
        sides.world.clock.advance(16 * 60)
        late = await sides.world.platform.reconciliations.watch()

        assert (early, late) == (False, True)
        assert (await sides.ended(started.json()["id"]))["state"] == "completed"


class TestCancel:
    async def test_ends_it_and_makes_room_for_the_next(self, sides: Sides) -> None:
        await sides.settled(300)
        first = (await sides.start(ratePerSecond=1)).json()["id"]
        await sides.world.settle(seconds=6)

        cancelled = await sides.http.post(f"{ROOT}/{first}/cancel", headers={"X-Actor": "l.berg"})
        second = await sides.start()
        await sides.world.settle(seconds=60)

        shown = await sides.look(first)
        assert cancelled.json()["state"] == "cancelled"
        assert (shown["note"], shown["counts"]["compared"] < 300) == ("cancelled by l.berg", True)
        assert (await sides.look(second.json()["id"]))["state"] == "completed"

    async def test_twice_changes_nothing(self, sides: Sides) -> None:
        run_id = (await sides.start()).json()["id"]
        first = await sides.http.post(f"{ROOT}/{run_id}/cancel")
        sides.world.clock.advance(60)

        again = await sides.http.post(f"{ROOT}/{run_id}/cancel")

        assert again.json() == first.json()

    async def test_of_a_completed_one_is_refused(self, sides: Sides) -> None:
        shown = await sides.run()

        assert (await sides.http.post(f"{ROOT}/{shown['id']}/cancel")).status_code == 409

    async def test_in_the_middle_of_a_slice_counts_nothing_more(self, sides: Sides) -> None:
        await sides.settled(120)
        run_id = (await sides.start()).json()["id"]

        async def cancel(point: str, when: When) -> None:
            if (point, when) == ("mainframe.browse", When.AFTER):
                sides.world.tap = calm
                await sides.http.post(f"{ROOT}/{run_id}/cancel")

        sides.world.tap = cancel
        await sides.world.settle(seconds=120)

        shown = await sides.look(run_id)
        assert (shown["state"], shown["counts"]["compared"]) == ("cancelled", 0)
        assert (await sides.world.storage.queue("reconciliation-slices").depth()).messages == 0


class TestRead:
    @pytest.mark.parametrize("path", ["", "/result"])
    @pytest.mark.parametrize("run_id", ["rec_00000000000000000000000000", "cus_1", "rec_", "active", "%2e%2e"])
    async def test_of_none_is_not_found(self, sides: Sides, run_id: str, path: str) -> None:
        answer = await sides.http.get(f"{ROOT}/{run_id}{path}")

        assert answer.status_code == 404

    async def test_of_a_result_refuses_the_cursor_of_another(self, sides: Sides) -> None:
        for key in ("A", "B"):
            await sides.mainframe_holds(key, 1)
        first, second = (await sides.run())["id"], (await sides.run())["id"]
        link = (await sides.http.get(f"{ROOT}/{first}/result?limit=1")).links["next"]["url"]

        answer = await sides.http.get(link.replace(first, second))

        assert answer.status_code == 400

    async def test_of_a_result_is_a_download(self, sides: Sides) -> None:
        shown = await sides.run()

        answer = await sides.http.get(f"{ROOT}/{shown['id']}/result")

        assert answer.headers["content-disposition"] == f'attachment; filename="{shown["id"]}.ndjson"'


class TestList:
    async def test_is_newest_first_and_paged(self, sides: Sides) -> None:
        runs = [(await sides.run())["id"] for _ in range(3)]

        found = [one["id"] for one in await sides.listed(limit=1)]

        assert found == runs[::-1]


class _Died(Exception):  # noqa: N818 - what happened, not an error of ours
    """The process died here."""


async def _order(sides: Sides) -> str:
    queue = sides.world.storage.queue("reconciliation-slices")
    sides.world.clock.advance(3)
    [message] = await queue.receive(1, lease_seconds=1)
    await queue.delete(message)
    assert SliceOrder.model_validate_json(message.body).sent_at <= sides.world.clock.now() - timedelta(seconds=2)
    return message.body

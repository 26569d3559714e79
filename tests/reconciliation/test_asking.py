"""Reconciliations are started, watched, cancelled, read and listed."""

import asyncio

import pytest

from lib.storage.errors import OutcomeUnknownError, StorageUnavailableError
from local.faults.taps import When
from tests.reconciliation.drifting import ROOT, Sides, calm


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

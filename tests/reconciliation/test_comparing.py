"""Reconciliation: what counts as drift, and what is mended."""

import pytest

from lib.storage.ports import Replace
from local.faults.taps import When
from local.simulation.mainframe import Behaviour
from tests.reconciliation.drifting import DRIFTS, Sides
from tests.reconciliation.slices import slice_due


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
        await sides.world.platform.slice_runner.take(await slice_due(sides))
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

"""Reconciliation walks orders after customers, and tells their drift apart. Feature 90."""

import httpx2
import pytest

from tests.orders.support import body
from tests.reconciliation.drifting import Sides


async def place(sides: Sides, customer_id: str) -> str:
    answer = await sides.http.post(f"/api/v1/customers/{customer_id}/orders", json=body())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def placed_long_ago(sides: Sides, count: int) -> tuple[str, list[str]]:
    (customer_id,) = await sides.create()
    orders = [await place(sides, customer_id) for _ in range(count)]
    await sides.world.settle(seconds=10)
    sides.world.clock.advance(3600)
    return customer_id, orders


def forget(sides: Sides, order_id: str) -> None:
    """Take an order from the mainframe, as a restored backup would."""
    del sides.world.mainframe.inner._held["ORDER", order_id]


class TestCompare:
    async def test_walks_both_subjects_and_lists_customers_first(self, sides: Sides) -> None:
        customer_id, orders = await placed_long_ago(sides, 3)
        forget(sides, orders[0])
        await sides.mainframe_holds(customer_id, 9)
        await sides.world.mainframe.inner.update(subject="ORDER", key="ord 7", version=2, trace="", body=b"")

        run = await sides.run(subjects=["customer", "order"])

        found = [(line["subject"], line["id"], line["drift"]) for line in await sides.result(run["id"])]
        assert found[0] == ("customer", customer_id, "ahead")
        assert sorted(found[1:]) == sorted([("order", orders[0], "missing"), ("order", "ord 7", "unknownToUs")])
        assert (run["subjects"], run["subject"]) == (["customer", "order"], "order")
        assert (run["counts"]["walked"], run["counts"]["compared"], run["counts"]["inStep"]) == (4, 5, 2)

    async def test_repair_sends_the_order_again(self, sides: Sides) -> None:
        _, orders = await placed_long_ago(sides, 2)
        forget(sides, orders[1])

        run = await sides.run(repair=True, subjects=["order"])
        await sides.world.settle(seconds=30)

        assert run["counts"]["repaired"] == 1
        assert await sides.world.mainframe.inquire(subject="ORDER", key=orders[1]) == 1
        assert (await sides.run(subjects=["order"]))["counts"]["inStep"] == 2

    async def test_everything_is_compared_when_nothing_is_named(self, sides: Sides) -> None:
        await placed_long_ago(sides, 1)

        answer = await sides.http.post("/api/private/v1/reconciliations", json={})
        run = await sides.ended(answer.json()["id"])

        assert run["counts"]["inStep"] == 2

    @pytest.mark.parametrize("subjects", [[], ["invoice"], ["preferences"], "order"])
    async def test_refuses_what_the_mainframe_does_not_hold(self, sides: Sides, subjects: object) -> None:
        answer: httpx2.Response = await sides.start(subjects=subjects)

        assert answer.status_code == 422

    async def test_slice_that_died_between_subjects_is_taken_up_where_it_was(self, sides: Sides) -> None:
        _, orders = await placed_long_ago(sides, 1)
        forget(sides, orders[0])
        started = await sides.start(subjects=["customer", "order"])
        await sides.world.settle(seconds=2)
        shown = await sides.look(started.json()["id"])
        queue = sides.world.storage.queue("reconciliation-slices")
        sides.world.clock.advance(5)
        for message in await queue.receive(32, lease_seconds=1):
            await queue.delete(message)
        sides.world.clock.advance(3600)

        ended = await sides.ended(shown["id"], within_seconds=60)

        assert ended["counts"]["missing"] == 1

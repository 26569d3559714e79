"""Orders travel to the mainframe as customers do, each on its own. Features 85 to 88."""

from collections.abc import AsyncIterator, Callable

import httpx2
import pytest

from lib.mainframe.layouts import ORDER_LAYOUT
from lib.storage.errors import OutcomeUnknownError, StorageUnavailableError
from local.faults.taps import When
from local.simulation.mainframe import Behaviour
from local.simulation.world import World
from tests.customers.support import Once
from tests.orders.support import Desk, segment


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    world = await World.build()
    transport = httpx2.ASGITransport(app=world.api)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as http:
        made = await http.post("/api/v1/customers", json={"lastName": "Lovelace", "email": "ada@example.com"})
        yield Desk(world, http, made.json()["id"])


async def delivery(desk: Desk, order_id: str) -> dict[str, object]:
    answer = await desk.http.get(f"{desk.private}/{order_id}/deliveries/mainframe")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def held(desk: Desk, order_id: str) -> int | None:
    return await desk.world.mainframe.inquire(subject="ORDER", key=order_id)


def only(chosen: str, behaviour: Behaviour) -> Callable[[str, int], Behaviour]:
    return lambda key, _version: behaviour if key == chosen else Behaviour.ANSWER


class TestDeliver:
    async def test_customer_and_two_orders_arrive_each_under_its_own_subject(self, desk: Desk) -> None:
        orders = [(await desk.place())["id"] for _ in range(2)]

        await desk.world.settle(seconds=30)

        assert [await held(desk, one) for one in orders] == [1, 1]
        assert await desk.world.mainframe.inquire(subject="CUSTOMER", key=desk.customer_id) == 1
        assert await desk.world.mainframe.inquire(subject="CUSTOMER", key=orders[0]) is None
        assert [(await delivery(desk, one))["state"] for one in orders] == ["inSync", "inSync"]
        body = desk.world.mainframe.inner.body(orders[0], "ORDER")
        assert body is not None
        assert ORDER_LAYOUT.decode(body)["ITEMS"][0]["FLIGHT"] == "IM204"

    async def test_rejected_order_is_listed_with_its_customer_and_blocks_nobody(self, desk: Desk) -> None:
        bad, good = (await desk.place())["id"], (await desk.place())["id"]
        desk.world.mainframe.behave = only(bad, Behaviour.REJECT)

        await desk.world.settle(seconds=30)
        await desk.world.import_poison()
        failures = (await desk.http.get("/api/private/v1/failures")).json()["items"]

        assert [await held(desk, one) for one in (bad, good)] == [None, 1]
        assert [(one["subject"], one["entityId"], one["customerId"]) for one in failures] == [
            ("order", bad, desk.customer_id)
        ]
        by_customer = await desk.http.get("/api/private/v1/failures", params={"customerId": desk.customer_id})
        assert [one["entityId"] for one in by_customer.json()["items"]] == [bad]

    async def test_rejected_order_is_replayed_and_leaves_the_list(self, desk: Desk) -> None:
        """Feature 88: edited and replayed, and safe to repeat."""
        order = (await desk.place())["id"]
        desk.world.mainframe.behave = only(order, Behaviour.REJECT)
        await desk.world.settle(seconds=30)
        await desk.world.import_poison()
        desk.world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER

        answer = await desk.http.post(
            "/api/private/v1/replays",
            json={
                "filter": {"customerId": desk.customer_id},
                "reason": "mended",
                "ticket": "OPS-1",
                "requestedBy": "m.okafor",
            },
        )
        await desk.world.settle(seconds=120)

        assert answer.status_code == 202, answer.text
        assert await held(desk, order) == 1
        assert (await desk.http.get("/api/private/v1/failures", params={"state": "open"})).json()["items"] == []

    async def test_older_version_never_overwrites_a_newer_one(self, desk: Desk) -> None:
        """Feature 86: the order's order is kept, also when messages come twice and late."""
        order = await desk.place()
        wake_ups = [message.body for message in await desk.world.storage.queue("changes").receive(32, lease_seconds=1)]
        await desk.patch(order["id"], 1, notes="second")
        await desk.world.settle(seconds=30)

        for body in wake_ups:
            await desk.world.storage.queue("mainframe-updates").send(body)
        await desk.world.settle(seconds=30)

        versions = [entry.version for entry in desk.world.mainframe.inner.journal if entry.key == order["id"]]
        assert versions == sorted(versions)
        assert await held(desk, order["id"]) == 2

    async def test_parked_while_the_mainframe_is_down_and_delivered_at_its_newest_version(self, desk: Desk) -> None:
        desk.world.mainframe.behave = lambda _key, _version: Behaviour.UNREACHABLE
        order = await desk.place()
        await desk.world.settle(seconds=120)
        down = await delivery(desk, order["id"])
        await desk.patch(order["id"], 1, notes="meanwhile")
        await desk.patch(order["id"], 2, notes="and again")

        desk.world.mainframe.behave = lambda _key, _version: Behaviour.ANSWER
        await desk.world.settle(seconds=900)

        applied = [entry.version for entry in desk.world.mainframe.inner.journal if entry.key == order["id"]]
        assert down["state"] in {"parked", "retrying"}
        assert applied == [3]
        assert (await delivery(desk, order["id"]))["state"] == "inSync"
        assert await desk.world.platform.undelivered.get("order", order["id"]) is None  # type: ignore[arg-type]

    @pytest.mark.parametrize("when", [When.BEFORE, When.AFTER])
    @pytest.mark.parametrize("point", ["changes.send", "customers.commit"])
    async def test_lost_answer_of_storage_loses_no_order(self, desk: Desk, point: str, when: When) -> None:
        error = StorageUnavailableError("down") if when is When.BEFORE else OutcomeUnknownError("lost")
        desk.world.tap = Once(point, when, error)

        order = await desk.place()
        await desk.world.settle(seconds=200)

        assert await held(desk, order["id"]) == 1
        assert len(await desk.listed()) == 1

    async def test_of_nothing_is_404(self, desk: Desk) -> None:
        for order_id in ("ord_00000000000000000000000000", "nothing"):
            answer = await desk.http.get(f"{desk.private}/{order_id}/deliveries/mainframe")

            assert answer.status_code == 404

    async def test_name_that_nothing_can_write_is_a_failure_with_its_field(self, desk: Desk) -> None:
        nobody = {"id": "P2", "lastName": "\U0001f600"}
        order = await desk.place(segment(travellers=[]), passengers=[nobody])

        await desk.world.settle(seconds=30)

        status = await delivery(desk, order["id"])
        assert (status["state"], status["lastError"]["code"]) == ("rejected", "NOTEXT")  # type: ignore[index]
        assert "/passengers/0/lastName" in status["lastError"]["text"]  # type: ignore[index]

"""Reconciliation with the mainframe that speaks EBCDIC over TCP, keeps a master file, and fails on request."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest

from lib.mainframe.client import MainframeClient
from lib.mainframe.layouts import CUSTOMER_LAYOUT
from lib.messaging.envelope import WakeUp
from local.mainframe.server import MockMainframe
from local.simulation.world import World
from tests.reconciliation.drifting import Sides

FOREIGN = CUSTOMER_LAYOUT.encode({"LAST-NAME": "Núñez"})


@dataclass
class Wired:
    """Both sides, with a wire between them."""

    sides: Sides
    mainframe: MockMainframe
    client: MainframeClient

    async def never_sent(self) -> str:
        """Create a customer whose delivery is lost behind the relay."""
        world = self.sides.world
        made = await self.sides.http.post(
            "/api/v1/customers", json={"lastName": "Lovelace", "email": "ada@example.com"}
        )
        world.clock.advance(3)
        for queue, relay in ((world.storage.queue("changes"), True), (world.storage.queue("mainframe-updates"), False)):
            for message in await queue.receive(32, lease_seconds=1):
                if relay:
                    await world.platform.relay.relay(WakeUp.read(message.body))
                await queue.delete(message)
        world.clock.advance(3600)
        return made.json()["id"]


@pytest.fixture
async def wired(tmp_path: Path) -> AsyncIterator[Wired]:
    async with (
        MockMainframe(tmp_path, control_port=None, grace_seconds=0.5) as mainframe,
        MainframeClient(host="127.0.0.1", port=mainframe.port, call_timeout_seconds=0.3) as client,
    ):
        world = await World.build()
        world.platform = replace(world.platform, link=client)
        world.api.app.state.platform = lambda: world.platform
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=world.api), base_url="http://test") as http:
            yield Wired(Sides(world, http), mainframe, client)


class TestCompare:
    async def test_finds_and_mends_what_drifted(self, wired: Wired) -> None:
        customers = await wired.sides.settled(130)
        await wired.sides.lose_change(customers[7])
        missing = await wired.never_sent()
        await wired.client.update(subject="CUSTOMER", key=customers[9], version=5, trace="", body=FOREIGN)
        await wired.client.update(subject="CUSTOMER", key="LEGACY-1", version=3, trace="", body=FOREIGN)

        shown = await wired.sides.run(repair=True, ratePerSecond=20)
        await wired.sides.world.settle(seconds=10)

        assert await wired.sides.drifted(shown["id"]) == {
            customers[7]: "behind",
            customers[9]: "ahead",
            missing: "missing",
            "LEGACY-1": "unknownToUs",
        }
        assert shown["counts"]["walked"] == 131
        assert await wired.client.inquire(subject="CUSTOMER", key=customers[7]) == 2
        assert await wired.client.inquire(subject="CUSTOMER", key=missing) == 1

    @pytest.mark.parametrize(
        "fault",
        [
            {"kind": "busy"},
            {"kind": "abend"},
            {"kind": "hang"},
            {"kind": "resetBeforeApply"},
            {"kind": "garbage", "form": "noise"},
            {"kind": "garbage", "form": "wrongKey"},
        ],
        ids=lambda fault: "-".join(map(str, fault.values())),
    )
    async def test_outlives_a_mainframe_that_misbehaves(self, wired: Wired, fault: dict[str, object]) -> None:
        await wired.sides.settled(130)
        await wired.never_sent()
        await wired.mainframe.set_faults(
            {**fault, "times": 2, "transaction": "BRW"}, {**fault, "times": 2, "transaction": "INQ"}
        )

        shown = await wired.sides.run(ratePerSecond=2)

        assert wired.mainframe.statistics()["faultsFired"] == {fault["kind"]: 4}
        assert "waiting" in {look["state"] for look in wired.sides.seen}
        assert (shown["state"], shown["counts"]["inStep"], shown["counts"]["missing"]) == ("completed", 130, 1)

"""A few of the kills of `make chaos`, each looked at closely: real processes, one write at a time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest

from local.chaos.api import Api, Reply
from local.chaos.burst import burst
from local.chaos.fleet import APP_FOLDER, Fleet
from local.chaos.history import Outcome
from local.chaos.mainframe import MainframeControl
from local.chaos.points import KILL_POINTS, STOPPED_WRITER, Point

ROOT = Path(__file__).parents[2]
BRISK = {
    "LOCAL_QUEUE_LEASE_SECONDS": "1",
    "COMMIT_WINDOW_SECONDS": "2",
    "MAINFRAME_CONNECT_TIMEOUT_SECONDS": "0.3",
    "MAINFRAME_CALL_TIMEOUT_SECONDS": "0.5",
    "LOG": "info",
}
# `make chaos` strikes them all; these are between two effects, and one has to wait for the lease of the dead.
TRIED = (
    "after the promise",
    "after commit, before the answer",
    "relay, after the index",
    "delivery, applied but not answered",
)
POINTS = {point.name: point for point in KILL_POINTS}


@pytest.fixture(scope="module")
async def fleet() -> AsyncIterator[Fleet]:
    async with Fleet(hosts_wanted=2, proxied=False, environment=BRISK) as running:
        yield running


@pytest.fixture
async def api(fleet: Fleet) -> AsyncIterator[Api]:
    async with Api([host.url for host in fleet.hosts], fleet.function_key, Random(1)) as one:  # noqa: S311 - which host, not a secret
        yield one


@pytest.fixture
async def mainframe(fleet: Fleet) -> AsyncIterator[MainframeControl]:
    async with aiohttp.ClientSession() as session:
        control = MainframeControl(session, fleet.control_url)
        yield control
        await control.faults()


async def until(what: str, happened: Any) -> None:
    """Wait for something that is bound to come."""
    for _ in range(600):
        if await happened():
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"{what} did not happen within 30 s")


async def in_sync(api: Api, customer_id: str, version: int) -> None:
    async def told() -> bool:
        state = (await api.get(f"/api/private/v1/customers/{customer_id}/deliveries/mainframe")).json()
        return state["acknowledgedVersion"] == version == state["version"]

    await until(f"the delivery of version {version}", told)


async def strike(fleet: Fleet, point: Point, write: Any) -> "asyncio.Future[Any]":
    """Have whichever host comes to the point first go down there while something is written.

    Returns when the write is over; the host is on its way back meanwhile, and to be awaited.
    """
    for host in fleet.hosts:
        host.door.arm(point.trap)
    writing = asyncio.create_task(write())

    async def sprang() -> bool:
        return any(host.door.sprang for host in fleet.hosts)

    await until(f"the kill {point.name}", sprang)
    for host in fleet.hosts:
        host.door.disarm()
    struck = [host for host in fleet.hosts if host.door.sprang]
    await asyncio.gather(*(host.ended() for host in struck))
    coming_back = asyncio.gather(*(host.start() for host in struck))
    await writing
    return coming_back


class TestKilled:
    @pytest.mark.parametrize("name", TRIED)
    async def test_loses_nothing_and_repeats_no_effect(
        self, fleet: Fleet, api: Api, mainframe: MainframeControl, name: str
    ) -> None:
        if name == "delivery, applied but not answered":
            await mainframe.faults({"kind": "late", "milliseconds": 400, "times": 1})
        body = {"lastName": "Survivor", "email": "survivor@example.com"}
        key = f"kill-{TRIED.index(name)}"
        replies: list[Reply] = []

        async def write() -> None:
            replies.append(await api.create(body, key=key))

        coming_back = await strike(fleet, POINTS[name], write)
        again = await api.create(body, key=key)

        assert again.status == 201
        customer_id = again.json()["id"]
        assert replies[0].outcome is Outcome.UNKNOWN or replies[0].json()["id"] == customer_id
        await in_sync(api, customer_id, 1)
        await coming_back
        effects = [row["version"] for row in await mainframe.journal(key=customer_id) if row["outcome"] == "applied"]
        assert effects == [1]


class TestStopped:
    async def test_a_writer_that_was_let_go_still_keeps_its_promise(
        self, fleet: Fleet, api: Api, mainframe: MainframeControl
    ) -> None:
        stopped, other = fleet.hosts
        customer_id = (await api.create({"lastName": "Sleeper", "email": "sleeper@example.com"})).json()["id"]
        await in_sync(api, customer_id, 1)
        let_go = other.said().count("promise.letGo")
        stopped.door.arm(STOPPED_WRITER.trap)

        only = Random(1)  # noqa: S311 - one host, nothing to draw
        async with Api([stopped.url], fleet.function_key, only, timeout_seconds=60) as sleepy:
            writing = asyncio.create_task(sleepy.amend(customer_id, {"middleName": "late"}, etag='"1-public"'))
            assert await stopped.door.springs(within_seconds=20)

            async def fenced() -> bool:
                return other.said().count("promise.letGo") > let_go

            await until("the fence", fenced)
            stopped.resume()
            reply = await writing

        kept = (await api.get(f"/api/v1/customers/{customer_id}")).json()
        assert (reply.outcome is Outcome.OK) == (kept["version"] == 2)
        await in_sync(api, customer_id, kept["version"])
        effects = [row["version"] for row in await mainframe.journal(key=customer_id) if row["outcome"] == "applied"]
        assert effects == list(range(1, kept["version"] + 1))


class TestBurst:
    async def test_costs_few_calls_and_ends_with_the_newest_version(self, fleet: Fleet) -> None:
        counted = await burst(fleet, changes=25)

        assert counted.good, str(counted)


class TestApp:
    def test_is_served_with_the_deployed_host_json(self) -> None:
        assert (APP_FOLDER / "host.json").read_text(encoding="utf-8") == (ROOT / "host.json").read_text(
            encoding="utf-8"
        )

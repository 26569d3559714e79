"""What every release kept and sent is read by the code of today, which meets it when it is deployed."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lib.messaging.envelope import WakeUp
from local.simulation.world import World
from tests.compatibility.recording import RELEASES, Teller, play, record

_RELEASES = sorted(RELEASES.glob("*.json"))


@pytest.fixture(params=_RELEASES, ids=lambda path: path.stem)
def recording(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What one release kept and sent."""
    path: Path = request.param
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
async def world(recording: dict[str, Any]) -> World:
    """The code of today, an hour later, on that release's tables and queues."""
    world = await World.build()
    world.clock.at = datetime.fromisoformat(recording["at"]) + timedelta(hours=1)
    await play(recording, world.storage)
    return world


class TestRows:
    async def test_are_read(self, world: World, recording: dict[str, Any]) -> None:
        answer = await Teller(world).client.get(f"/api/v1/customers/{recording['full']['id']}")

        assert answer.json() == recording["full"]

    async def test_are_changed(self, world: World, recording: dict[str, Any]) -> None:
        changed = await Teller(world).change(recording["full"]["id"], firstName="Zofia")

        assert changed["version"] == recording["full"]["version"] + 1
        assert changed["passport"] == recording["full"]["passport"]

    async def test_are_listed(self, world: World, recording: dict[str, Any]) -> None:
        client, found = Teller(world).client, list[str]()

        following = "/api/private/v1/customers"
        while following:
            page = (await client.get(following)).json()
            found += [item["id"] for item in page["items"]]
            following = page["next"]

        assert recording["full"]["id"] in found

    async def test_of_changes_are_listed(self, world: World, recording: dict[str, Any]) -> None:
        path = f"/api/private/v1/customers/{recording['full']['id']}/changes"

        answer = await Teller(world).client.get(path)

        assert [item["version"] for item in answer.json()["items"]] == [2, 1]

    async def test_remember_what_a_key_was_used_for(self, world: World, recording: dict[str, Any]) -> None:
        answer = await Teller(world).create_full()

        assert answer.json()["id"] == recording["full"]["id"]
        assert answer.headers["Idempotency-Replayed"] == "true"

    async def test_keep_their_claims(self, world: World) -> None:
        other = {"lastName": "Other", "loyalty": {"number": "IO-100", "tier": "gold"}}

        answer = await Teller(world).client.post("/api/v1/customers", json=other)

        assert answer.status_code == 409

    async def test_say_what_was_refused(self, world: World, recording: dict[str, Any]) -> None:
        path = f"/api/private/v1/customers/{recording['refused']}/deliveries/mainframe"

        status = (await Teller(world).client.get(path)).json()

        assert (status["state"], status["lastError"]["code"]) == ("rejected", "E042")


class TestMessages:
    async def test_and_rows_that_waited_are_delivered(self, world: World, recording: dict[str, Any]) -> None:
        await world.settle(seconds=60)

        newest = {key: max(world.mainframe.applied(key), default=0) for key in recording["waiting"]}
        assert newest == recording["waiting"]

    async def test_are_not_poisoned(self, world: World, recording: dict[str, Any]) -> None:
        before = {name: len(bodies) for name, bodies in recording["queues"].items() if name.endswith("-poison")}

        await world.settle(seconds=60)

        after = {name: len(world.storage.queue(name)._kept) for name in before}
        assert after == before
        assert world.failures == []

    async def test_of_the_outbox_are_sent(self, world: World) -> None:
        await world.settle(seconds=60)

        assert await world.platform.outbox.waiting() == 0

    async def test_with_more_fields_than_we_know_are_read(self, recording: dict[str, Any]) -> None:
        bodies = [body for name in ("changes", "mainframe-updates") for body in recording["queues"][name]]

        assert bodies
        for body in bodies:
            newer = json.dumps(json.loads(body) | {"fieldOfTheNextRelease": 1})
            assert WakeUp.read(newer) == WakeUp.read(body)


class TestRecording:
    def test_is_there_for_every_release(self) -> None:
        changelog = (RELEASES.parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")
        released = {
            line.split("]")[0].removeprefix("## [") for line in changelog.splitlines() if line.startswith("## [")
        }

        assert released - {"Unreleased"} <= {path.stem for path in _RELEASES}

    async def test_holds_every_kind_of_table_that_the_story_fills(self, recording: dict[str, Any]) -> None:
        filled = {name for name, rows in recording["tables"].items() if rows}

        assert {"customers", "customerindex", "identifiers", "outbox", "undelivered", "mainframe"} <= filled

    async def test_can_be_made_of_the_code_of_today(self) -> None:
        assert (await record())["tables"]["customers"]

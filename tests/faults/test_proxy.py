import asyncio
import json
import signal
import sys

import aiohttp

from lib.storage.azure import AzureStorage, ConnectionString
from lib.storage.ports import Insert, Upsert
from local.azurite import Azurite
from local.faults.control import FaultControl
from local.faults.proxy import FaultProxy
from local.faults.rules import Fault, FaultRules, Operation, Rule


class TestFaultProxy:
    async def test_without_rules_changes_nothing(self, azurite: Azurite) -> None:
        async with FaultProxy(azurite.connection_string) as proxy:
            storage = AzureStorage(ConnectionString.parse(proxy.connection_string))
            await storage.create_missing(tables=["passed"], queues=["passed"])
            await storage.table("passed").write("p'ü", Upsert("a&b", {"v": b"\xff" * 60_000}), Insert("c", {}))
            await storage.queue("passed").send("Zoë")

            row = await storage.table("passed").get("p'ü", "a&b")
            messages = await storage.queue("passed").peek()

            await storage.close()
        assert row is not None
        assert row.values == {"v": b"\xff" * 60_000}
        assert list(messages) == ["Zoë"]
        assert proxy.rules.seen == {
            Operation.OTHER: 2,
            Operation.TRANSACTION: 1,
            Operation.GET: 1,
            Operation.SEND: 1,
            Operation.PEEK: 1,
        }
        assert not proxy.rules.fired

    async def test_can_do_one_request_twice(self, azurite: Azurite) -> None:
        async with FaultProxy(azurite.connection_string) as proxy:
            storage = AzureStorage(ConnectionString.parse(proxy.connection_string))
            await storage.create_missing(tables=[], queues=["twice"])
            proxy.rules.add(Rule(fault=Fault.TWICE, operation=Operation.SEND, times=1))

            await storage.queue("twice").send("hello")

            assert list(await storage.queue("twice").peek()) == ["hello", "hello"]
            await storage.close()


class TestFaultControl:
    async def test_sets_shows_and_ends_rules(self) -> None:
        rules = FaultRules(seed=3)
        control = FaultControl(rules)
        await control.start()
        async with aiohttp.ClientSession(control.url) as client:
            added = await client.post("/rules", json={"fault": "busy", "operation": "get", "times": 1})
            number = (await added.json())["number"]
            rules.decide(Operation.GET, "GET", "/")
            shown = await (await client.get("/rules")).json()
            removed = await client.delete(f"/rules/{number}")
            again = await client.delete(f"/rules/{number}")
            cleared = await client.delete("/rules")
        await control.stop()

        assert added.status == 201
        assert shown["seed"] == 3
        assert shown["rules"][str(number)]["fired"] == 1
        assert shown["seen"] == {"get": 1}
        assert shown["fired"] == {"get busy": 1}
        assert (removed.status, again.status, cleared.status) == (204, 404, 204)
        assert not rules.standing()

    async def test_refuses_what_is_no_rule(self) -> None:
        rules = FaultRules()
        control = FaultControl(rules)
        await control.start()
        async with aiohttp.ClientSession(control.url) as client:
            answers = [
                (await client.post("/rules", data=body)).status
                for body in (
                    "",
                    "[]",
                    "{}",
                    '{"fault":"nice"}',
                    '{"fault":"busy","path":"("}',
                    '{"fault":"busy","x":1}',
                )
            ]
        await control.stop()

        assert answers == [400] * 6
        assert not rules.standing()


class TestProcess:
    async def test_says_where_it_is_and_ends_when_told(self, azurite: Azurite) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "local.faults.control", azurite.connection_string, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        said = json.loads(await process.stdout.readline())

        storage = AzureStorage(ConnectionString.parse(said["connectionString"]))
        await storage.create_missing(tables=["ofProcess"], queues=[])
        await storage.close()
        async with aiohttp.ClientSession(said["control"]) as client:
            shown = await (await client.get("/rules")).json()
        process.send_signal(signal.SIGTERM)

        assert await process.wait() == 0
        assert shown["seen"] == {"other": 1}

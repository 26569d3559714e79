"""The stand-in as a process: what it keeps when it is killed, and how it ends when it is asked to."""

import asyncio
import os
import re
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from lib.mainframe.client import MainframeClient
from lib.mainframe.errors import MainframeError
from lib.mainframe.layouts import CUSTOMER_LAYOUT
from lib.mainframe.protocol import ReturnCode
from local.mainframe.listener import bound_socket

READY = re.compile(r"listening on 127\.0\.0\.1:(\d+), control on http://127\.0\.0\.1:(\d+)")
BODY = CUSTOMER_LAYOUT.encode({})


@dataclass
class Running:
    process: asyncio.subprocess.Process
    port: int
    control_port: int

    async def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 20)


async def start(*arguments: str, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "local.mainframe",
        *arguments,
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | environment,  # noqa: TID251 - a child process gets the environment of the tests
    )


@asynccontextmanager
async def running(folder: Path, **environment: str) -> AsyncIterator[Running]:
    process = await start("--port", "0", "--control-port", "0", "--data", str(folder), "--quiet", **environment)
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        found = READY.search(line)
        assert found, line
        yield Running(process, int(found[1]), int(found[2]))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def connected(folder: Path, **environment: str) -> AsyncIterator[tuple[Running, MainframeClient]]:
    async with (
        running(folder, **({"MAINFRAME_LATENCY_MS": "0"} | environment)) as mainframe,
        MainframeClient(host="127.0.0.1", port=mainframe.port) as client,
    ):
        yield mainframe, client


class TestKill:
    async def test_loses_no_update_that_was_answered(self, tmp_path: Path) -> None:
        answered: dict[str, int] = {}
        enough = asyncio.Event()

        async def write(client: MainframeClient, key: str) -> None:
            version = 0
            while True:
                version += 1
                reply = await client.update(subject="CUSTOMER", key=key, version=version, trace="", body=BODY)
                assert reply.code is ReturnCode.APPLIED
                answered[key] = version
                if sum(answered.values()) > 400:
                    enough.set()

        async with connected(tmp_path, MAINFRAME_REGIONS="64") as (mainframe, client):
            writers = [asyncio.create_task(write(client, f"cus_{number}")) for number in range(20)]
            await asyncio.wait([asyncio.create_task(enough.wait()), *writers], return_when=asyncio.FIRST_COMPLETED)
            await mainframe.stop(signal.SIGKILL)
            ends = await asyncio.gather(*writers, return_exceptions=True)

        assert all(isinstance(end, MainframeError) for end in ends)
        async with connected(tmp_path) as (_, client):
            held = {key: await client.inquire(subject="CUSTOMER", key=key) for key in answered}
        assert all((held[key] or 0) - version in {0, 1} for key, version in answered.items())

    async def test_leaves_a_master_file_that_can_be_audited(self, tmp_path: Path) -> None:
        async with connected(tmp_path) as (mainframe, client):
            for version in (2, 1):
                await client.update(subject="CUSTOMER", key="cus_1", version=version, trace="", body=BODY)
            await mainframe.stop(signal.SIGKILL)

        database = sqlite3.connect(tmp_path / "mainframe.sqlite3")
        rows = database.execute("SELECT key, version, outcome FROM journal").fetchall()
        database.close()
        assert rows == [("cus_1", 2, "applied"), ("cus_1", 1, "ignored")]


class TestTerminate:
    async def test_lets_calls_that_run_finish(self, tmp_path: Path) -> None:
        async with connected(tmp_path, MAINFRAME_LATENCY_MS="300") as (mainframe, client):
            call = asyncio.create_task(client.update(subject="CUSTOMER", key="cus_1", version=1, trace="", body=BODY))
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{mainframe.control_port}") as http:
                while not (await http.get("/stats")).json()["inFlight"]:
                    pass

            status = await mainframe.stop(signal.SIGTERM)

            assert status == 0
            assert (await call).code is ReturnCode.APPLIED


class TestStart:
    @pytest.mark.parametrize("option", ["--port", "--control-port"])
    async def test_says_in_a_sentence_that_a_port_is_taken(self, tmp_path: Path, option: str) -> None:
        with bound_socket(0) as taken:
            taken.listen()
            port = str(taken.getsockname()[1])
            other = "--control-port" if option == "--port" else "--port"

            process = await start(option, port, other, "0", "--data", str(tmp_path))
            _, errors = await asyncio.wait_for(process.communicate(), 30)

        assert process.returncode == 2
        assert errors.decode() == f"Port {port} on 127.0.0.1 is taken; choose another one.\n"

    @pytest.mark.parametrize(
        ("name", "value"), [("MAINFRAME_LATENCY_MS", "fast"), ("MAINFRAME_REGIONS", "0"), ("MAINFRAME_REGIONS", "many")]
    )
    async def test_says_in_a_sentence_that_a_setting_is_nonsense(self, tmp_path: Path, name: str, value: str) -> None:
        process = await start("--port", "0", "--control-port", "0", "--data", str(tmp_path), **{name: value})
        _, errors = await asyncio.wait_for(process.communicate(), 30)

        assert process.returncode == 2
        assert errors.decode().startswith(f"{name} is {value}")
        assert errors.count(b"\n") == 1

# ruff: noqa: S311 - repeatable luck is what the tests need
import asyncio
from random import Random

import pytest

from local.mainframe.faults import FaultBoard, parse_faults
from local.mainframe.latency import LognormalLatency, UniformLatency, parse_latency
from local.mainframe.listener import Listener, PortTakenError, bound_socket
from local.mainframe.regions import Regions


class TestLatency:
    def test_keeps_its_shape(self) -> None:
        random = Random(1)
        uniform = UniformLatency(from_milliseconds=10, to_milliseconds=20)
        lognormal = LognormalLatency(median_milliseconds=50, sigma=0.5)

        uniforms = [uniform.seconds(random) for _ in range(2000)]
        lognormals = sorted(lognormal.seconds(random) for _ in range(2000))

        assert 0.010 <= min(uniforms) < 0.011
        assert 0.019 < max(uniforms) <= 0.020
        assert 0.045 < lognormals[1000] < 0.055
        assert lognormals[-1] > 3 * lognormals[1000]

    @pytest.mark.parametrize("text", ["50", "0.5", "uniform:20:80", "lognormal:50:0.5"])
    def test_is_read_from_a_setting(self, text: str) -> None:
        assert parse_latency(text).seconds(Random(1)) > 0

    @pytest.mark.parametrize("text", ["", "fast", "-1", "uniform:20", "lognormal:0:0.5", "50:60", "nan", "uniform:a:b"])
    def test_refuses_nonsense(self, text: str) -> None:
        with pytest.raises(ValueError):  # noqa: PT011 - pydantic's or our own, callers see only the kind
            parse_latency(text)


class TestRegions:
    async def test_serve_in_the_order_of_coming(self) -> None:
        regions, order = Regions(1), list[int]()

        async def work(number: int) -> None:
            async with regions.one():
                order.append(number)
                await asyncio.sleep(0)

        await asyncio.gather(*(work(number) for number in range(5)))

        assert order == [0, 1, 2, 3, 4]
        assert (regions.busy, regions.max_busy, regions.waiting) == (0, 1, 0)

    async def test_admit_more_when_there_are_more(self) -> None:
        regions, release = Regions(1), asyncio.Event()

        async def work() -> None:
            async with regions.one():
                await release.wait()

        tasks = [asyncio.create_task(work()) for _ in range(3)]
        await asyncio.sleep(0)
        assert (regions.busy, regions.waiting) == (1, 2)

        regions.count = 3

        assert (regions.busy, regions.waiting) == (3, 0)
        release.set()
        await asyncio.gather(*tasks)

    @pytest.mark.parametrize("turns", [0, 1, 2, 3])
    async def test_are_not_lost_when_who_waits_is_cancelled(self, turns: int) -> None:
        regions = Regions(1)
        async with regions.one():
            waiting = asyncio.create_task(self.occupy(regions))
            await asyncio.sleep(0)
        for _ in range(turns):
            await asyncio.sleep(0)

        waiting.cancel()
        await asyncio.wait([waiting])

        assert regions.busy == 0
        await self.occupy(regions)

    async def occupy(self, regions: Regions) -> None:
        async with regions.one():
            await asyncio.sleep(0)


class TestFaultBoard:
    def test_forgets_a_fault_whose_time_is_over(self) -> None:
        now = [100.0]
        board = FaultBoard(Random(1), monotonic=lambda: now[0])
        board.set(parse_faults([{"kind": "busy", "seconds": 10}, {"kind": "refuse", "seconds": 5}]))
        assert board.refusing()
        assert board.next_end_seconds() == 5

        now[0] = 105.0
        picked = board.pick(transaction="UPD", key="k", record=dict)
        now[0] = 110.0

        assert picked is not None
        assert picked.kind == "busy"
        assert not board.refusing()
        assert board.pick(transaction="UPD", key="k", record=dict) is None
        assert [fault["active"] for fault in board.listing()] == [False, False]

    def test_takes_the_first_that_hits(self) -> None:
        board = FaultBoard(Random(1))
        board.set(parse_faults([{"kind": "abend", "key": "a"}, {"kind": "busy"}]))

        picked = [board.pick(transaction="UPD", key=key, record=dict) for key in "ab"]

        assert [fault.kind for fault in picked if fault] == ["abend", "busy"]
        assert board.fired == {"abend": 1, "busy": 1}


class TestListener:
    async def test_keeps_its_port_while_it_refuses(self) -> None:
        listener = Listener(0, self.serve)
        await listener.open()
        listener.refuse()
        try:
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", listener.port)
            await listener.open()
            _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            writer.close()
        finally:
            listener.close()

    def test_says_that_a_port_is_taken(self) -> None:
        with bound_socket(0) as taken:
            taken.listen()
            port = taken.getsockname()[1]

            with pytest.raises(PortTakenError, match=f"Port {port} on 127.0.0.1 is taken"):
                bound_socket(port)

    async def serve(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

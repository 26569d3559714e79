"""The load check tells a kept promise from a broken one."""

import pytest
from aiohttp import web

from local.infra.load import Load, Seen


class TestSeen:
    def test_keeps_a_promise_that_98_of_100_keep(self) -> None:
        assert Seen(0.7, [0.1] * 98 + [5.0, 5.0]).kept

    def test_breaks_one_that_97_of_100_keep(self) -> None:
        assert not Seen(0.7, [0.1] * 97 + [5.0, 5.0, 5.0]).kept

    def test_breaks_one_when_a_call_failed(self) -> None:
        assert not Seen(0.7, [0.1] * 100, failed=1).kept

    def test_breaks_one_when_nothing_was_answered(self) -> None:
        assert not Seen(0.7).kept


class TestDrive:
    @pytest.mark.parametrize(("status", "failed"), [(200, False), (503, True)])
    async def test_counts_what_came_back(self, status: int, failed: bool) -> None:
        async def answer(request: web.Request) -> web.Response:
            if request.method == "POST":
                return web.json_response({}, status=201, headers={"Location": "/api/v1/customers/1", "ETag": '"1"'})
            assert request.method == "GET" or request.headers["If-Match"]
            return web.json_response({}, status=status, headers={"ETag": '"1"'})

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]

        load = Load(f"http://127.0.0.1:{port}", {}, run="test")
        await load.drive(callers=2, seconds=0.2)
        await runner.cleanup()

        assert load.reads.seconds
        assert load.writes.seconds
        assert bool(load.reads.failed) is failed

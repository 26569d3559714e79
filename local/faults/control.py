"""Setting faults from outside: the proxy as a process, with a small HTTP interface on loopback.

    GET /rules            the rules in force, with how often each matched and fired, and what went by
    POST /rules           a rule as JSON: {"fault": "drop_reply", "operation": "transaction", "times": 1}
    DELETE /rules[/N]     all rules, or rule N

`python -m local.faults.control` reads the connection string to stand before from its arguments and prints, as one line
of JSON, the connection string to give the app and the address of this interface.
"""

import argparse
import asyncio
import json
import signal
from dataclasses import asdict

from aiohttp import web
from pydantic import TypeAdapter

from local.faults.proxy import FaultProxy
from local.faults.rules import FaultRules, Rule

_HOST = "127.0.0.1"
_RULE = TypeAdapter(Rule)


class FaultControl:
    """The HTTP interface to a proxy's rules."""

    def __init__(self, rules: FaultRules) -> None:
        """Say whose rules."""
        self._rules = rules
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self, *, port: int = 0) -> None:
        """Listen on this port (0: any free one)."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/rules", self._show),
                web.post("/rules", self._add),
                web.delete("/rules", self._clear),
                web.delete("/rules/{number}", self._remove),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, _HOST, port).start()
        self.url = f"http://{_HOST}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _show(self, _request: web.Request) -> web.Response:
        rules = {number: asdict(standing) for number, standing in self._rules.standing().items()}
        return web.json_response(
            {"seed": self._rules.seed, "rules": rules, "seen": self._rules.seen, "fired": self._rules.fired}
        )

    async def _add(self, request: web.Request) -> web.Response:
        try:
            rule = _RULE.validate_json(await request.read())
        except ValueError as reason:
            return web.json_response({"error": str(reason)}, status=400)
        return web.json_response({"number": self._rules.add(rule)}, status=201)

    async def _clear(self, _request: web.Request) -> web.Response:
        self._rules.clear()
        return web.Response(status=204)

    async def _remove(self, request: web.Request) -> web.Response:
        try:
            self._rules.remove(int(request.match_info["number"]))
        except (KeyError, ValueError):
            return web.json_response({"error": "no rule of this number"}, status=404)
        return web.Response(status=204)


async def serve(arguments: argparse.Namespace) -> None:
    """Stand there until told to stop."""
    stop = asyncio.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    proxy = FaultProxy(arguments.connection_string, rules=FaultRules(seed=arguments.seed))
    control = FaultControl(proxy.rules)
    await proxy.start(ports=(arguments.table_port, arguments.queue_port))
    try:
        await control.start(port=arguments.control_port)
        print(json.dumps({"connectionString": proxy.connection_string, "control": control.url}), flush=True)
        await stop.wait()
    finally:
        await control.stop()
        await proxy.stop()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description="Put faults between the app and its storage.")
    parser.add_argument("connection_string", help="the storage to stand before")
    parser.add_argument("--table-port", type=int, default=0)
    parser.add_argument("--queue-port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()

"""Start the mock mainframe: `python -m local.mainframe --port 7080 --control-port 7081 --data DIR`."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from local.mainframe.configuration import read_environment
from local.mainframe.listener import PortTakenError
from local.mainframe.server import MockMainframe

_USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.mainframe", description="A mainframe on this machine.")
    parser.add_argument("--port", type=int, default=7080, help="where the protocol is spoken (default 7080)")
    parser.add_argument("--control-port", type=int, default=7081, help="where it is looked at and set (default 7081)")
    parser.add_argument("--data", type=Path, default=Path(".local/mainframe"), help="where the master file is kept")
    parser.add_argument("--quiet", action="store_true", help="no line per call")
    options = parser.parse_args(arguments)
    try:
        environment = read_environment()
        mainframe = MockMainframe(
            folder=options.data,
            port=options.port,
            control_port=options.control_port,
            latency=environment.latency,
            regions=environment.regions,
        )
        if not options.quiet:
            mainframe.log = say
        asyncio.run(run(mainframe))
    except (PortTakenError, ValueError) as error:
        print(error, file=sys.stderr)
        return _USAGE_ERROR
    return 0


async def run(mainframe: MockMainframe) -> None:
    """Serve until a signal says otherwise."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with mainframe:
        say(
            f"mainframe listening on 127.0.0.1:{mainframe.port}, control on {mainframe.control_url},"
            f" data in {mainframe.folder}"
        )
        await stopping.wait()
        say("stopping; calls that run may finish")
    say("stopped")


def say(text: str) -> None:
    """Print a line with its time."""
    print(f"{datetime.now(UTC):%H:%M:%S.%f}"[:12], text, flush=True)


if __name__ == "__main__":
    sys.exit(main())

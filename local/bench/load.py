"""A load generator that costs little: raw sockets, keep-alive, its own process.

`python -m local.bench.load http://127.0.0.1:7071/api/health --connections 16 --seconds 5`
"""

import argparse
import asyncio
import json
import math
import multiprocessing
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count, cycle
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Counting:
    """One request per connection, that counts: `%(n)d` in it becomes 1, 2, 3 … as that connection sends it again.

    For what depends on its own earlier answer, such as a PATCH that names the version the last one made. In a body,
    give the number a fixed width (`%(n)08d`), because the length is said before it.
    """

    templates: Sequence[bytes]


# What to send next: a fixed list is sent round and round; a callable makes each request anew.
Requests: TypeAlias = Sequence[bytes] | Callable[[], bytes] | Counting


@dataclass(frozen=True)
class LoadResult:
    """What one load run saw."""

    requests: int
    seconds: float
    per_second: float
    p50_ms: float
    p98_ms: float
    p99_ms: float
    statuses: dict[str, int] = field(default_factory=dict)
    errors: int = 0

    def line(self) -> str:
        """Return it as one line to read."""
        statuses = " ".join(f"{status}:{count}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.per_second:8.0f} req/s  p50 {self.p50_ms:6.2f} ms  p98 {self.p98_ms:6.2f} ms  "
            f"p99 {self.p99_ms:6.2f} ms  {statuses}" + (f"  errors:{self.errors}" if self.errors else "")
        )


def http_request(
    method: str, target: str, *, host: str = "127.0.0.1", headers: dict[str, str] | None = None, body: bytes = b""
) -> bytes:
    """Return one HTTP/1.1 request as bytes, made once and sent often."""
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode() + _HEAD_END + body


def run_load(port: int, requests: Requests, *, connections: int = 16, seconds: float = 5.0) -> LoadResult:
    """Send requests from a process of their own, so that measuring does not share the measured one's interpreter."""
    if callable(requests):
        return _forked(port, requests, connections, seconds)
    counting = isinstance(requests, Counting)
    order = {
        "port": port,
        "connections": connections,
        "seconds": seconds,
        "counting": counting,
        "requests": [one.decode("latin-1") for one in (requests.templates if counting else requests)],
    }
    done = subprocess.run(
        [sys.executable, "-m", "local.bench.load", "--order-on-stdin"],
        cwd=Path(__file__).parents[2],
        input=json.dumps(order),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return LoadResult(**json.loads(done.stdout))


def _forked(port: int, requests: Callable[[], bytes], connections: int, seconds: float) -> LoadResult:
    """Take a callable along by forking: it cannot be sent to a fresh process."""
    context = multiprocessing.get_context("fork")
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=_in_process, args=(writer, port, requests, connections, seconds), daemon=True)
    process.start()
    writer.close()
    try:
        outcome: LoadResult | str = reader.recv()
    except EOFError:
        raise RuntimeError("the load generator died") from None
    finally:
        process.join()
    if isinstance(outcome, str):
        raise RuntimeError(outcome)  # noqa: TRY004 - the text of what went wrong over there
    return outcome


async def load(port: int, requests: Requests, *, connections: int = 16, seconds: float = 5.0) -> LoadResult:
    """Send requests over `connections` sockets for `seconds`, one at a time on each."""
    senders = _senders(requests, connections)
    tally = _Tally()
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    clients: list[_Client] = []
    for next_request in senders:
        client = _Client(next_request, tally, loop.create_future())
        await loop.create_connection(lambda made=client: made, "127.0.0.1", port)
        clients.append(client)
    await asyncio.sleep(seconds)
    for client in clients:
        client.stopping = True
    await asyncio.wait([client.ended for client in clients], timeout=10)
    return tally.result(time.perf_counter() - started)


@dataclass
class _Tally:
    times: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter[str])
    errors: int = 0

    def result(self, seconds: float) -> LoadResult:
        ordered = sorted(self.times)
        return LoadResult(
            requests=len(ordered),
            seconds=seconds,
            per_second=len(ordered) / seconds,
            p50_ms=_percentile(ordered, 50),
            p98_ms=_percentile(ordered, 98),
            p99_ms=_percentile(ordered, 99),
            statuses=dict(self.statuses),
            errors=self.errors,
        )


class _Client(asyncio.Protocol):
    """One connection: sends, reads the whole answer, sends the next."""

    def __init__(self, next_request: Callable[[], bytes], tally: _Tally, ended: "asyncio.Future[None]") -> None:
        self.stopping = False
        self.ended = ended
        self._next = next_request
        self._tally = tally
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._length = -1
        self._started = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        if self._length < 0 and not self._read_head():
            return
        if len(self._buffer) >= self._length:
            self._tally.times.append(time.perf_counter() - self._started)
            self._tally.statuses[self._buffer[9:12].decode("latin-1")] += 1
            self._buffer, self._length = b"", -1
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - that it ended is enough
        if not self.stopping:
            self._tally.errors += 1
        if not self.ended.done():
            self.ended.set_result(None)

    def _send(self) -> None:
        if self._transport is None:
            return
        if self.stopping:
            self._transport.close()
            return
        self._started = time.perf_counter()
        self._transport.write(self._next())

    def _read_head(self) -> bool:
        end = self._buffer.find(_HEAD_END)
        if end < 0:
            return False
        head = self._buffer[:end].lower()
        if b"transfer-encoding: chunked" in head:
            # Good enough for a body that ends with its last chunk, which is all that our servers send.
            self._length = len(self._buffer) if self._buffer.endswith(b"0\r\n\r\n") else len(self._buffer) + 1
            done = self._buffer.endswith(b"0\r\n\r\n")
            self._length = self._length if done else -1
            return done
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        self._length = end + len(_HEAD_END) + length
        return True


def _senders(requests: Requests, connections: int) -> list[Callable[[], bytes]]:
    if isinstance(requests, Counting):
        if len(requests.templates) < connections:
            raise ValueError("every connection needs a request of its own")
        return [_counting(template) for template in requests.templates[:connections]]
    if callable(requests):
        return [requests] * connections
    again: Iterator[bytes] = cycle(requests)
    return [again.__next__] * connections


def _counting(template: bytes) -> Callable[[], bytes]:
    numbers = count(1)
    return lambda: template % {b"n": next(numbers)}


def _percentile(ordered: list[float], percent: int) -> float:
    if not ordered:
        return math.nan
    return ordered[min(len(ordered) - 1, math.ceil(len(ordered) * percent / 100) - 1)] * 1000


def _in_process(writer: Any, port: int, requests: Requests, connections: int, seconds: float) -> None:
    try:
        writer.send(asyncio.run(load(port, requests, connections=connections, seconds=seconds)))
    except Exception as error:  # noqa: BLE001 - the other process must hear what went wrong here
        writer.send(f"{type(error).__name__}: {error}")


def _run_order() -> None:
    order = json.load(sys.stdin)
    texts = [text.encode("latin-1") for text in order["requests"]]
    requests = Counting(texts) if order["counting"] else texts
    result = asyncio.run(load(order["port"], requests, connections=order["connections"], seconds=order["seconds"]))
    print(json.dumps(asdict(result)))


def main() -> None:
    """Send GET requests to one address and print what came of it."""
    if sys.argv[1:] == ["--order-on-stdin"]:
        _run_order()
        return
    parser = argparse.ArgumentParser(prog="python -m local.bench.load", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--headers", type=json.loads, default={}, help="a JSON object")
    options = parser.parse_args()
    parts = urlsplit(options.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    request = http_request("GET", target, host=parts.netloc, headers=options.headers)
    print(run_load(parts.port or 80, [request], connections=options.connections, seconds=options.seconds).line())


if __name__ == "__main__":
    main()

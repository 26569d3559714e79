"""Serve connections: read a request, run it, give its answer or what a fault makes of it."""

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

from lib.mainframe.errors import FrameError, RecordError
from lib.mainframe.frames import read_frame
from lib.mainframe.protocol import Request, UpdateRequest, key_of, parse_request, transaction_of
from local.mainframe.transactions import Answer, Ending, Transactions

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(slots=True, eq=False)
class Connection:
    """A caller's connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    busy: bool = False

    def gone(self) -> bool:
        """Tell whether the caller has closed, or broken off."""
        return self.writer.transport.is_closing() or self.reader.at_eof() or self.reader.exception() is not None

    async def until_gone(self) -> None:
        """Wait until the caller has left, deaf to whatever it says."""
        try:
            while await self.reader.read(4096):
                pass
        except OSError:
            return

    def reset(self) -> None:
        """Break off, so that the other side sees a reset and not an end."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.writer.transport.abort()


@dataclass(slots=True)
class Connections:
    """All callers connected now."""

    transactions: Transactions
    log: Callable[[str], None]
    accepting: bool = True
    _open: set[Connection] = field(default_factory=set[Connection])
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set["asyncio.Task[None]"])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a caller until it leaves."""
        stats = self.transactions.stats
        connection = Connection(reader, writer)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker: coroutines run in tasks
        self._open.add(connection)
        self._tasks.add(task)
        stats.connections_opened += 1
        stats.connections_open += 1
        try:
            await self._converse(connection)
        except (OSError, asyncio.CancelledError):
            pass  # the caller broke off, or everything is being closed
        finally:
            stats.connections_open -= 1
            self._open.discard(connection)
            self._tasks.discard(task)
            writer.close()

    async def hang_up_idle(self) -> None:
        """Close whoever is not being served, and the others after their answer."""
        self.accepting = False
        for connection in self._open:
            if not connection.busy:
                connection.writer.transport.abort()
        await asyncio.sleep(0)

    async def close(self, grace_seconds: float) -> None:
        """Let running calls finish for a while, then break off."""
        await self.hang_up_idle()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_seconds)
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)

    async def _converse(self, connection: Connection) -> None:
        while self.accepting:
            request = await self._next_request(connection)
            if request is None:
                return
            started = perf_counter()
            connection.busy = True
            try:
                answer = await self.transactions.run(request, connection, connection.until_gone)
                self.log(_line(request, answer, (perf_counter() - started) * 1000))
                if not await _give(connection, answer):
                    return
            finally:
                connection.busy = False

    async def _next_request(self, connection: Connection) -> Request | None:
        try:
            payload = await read_frame(connection.reader)
            return None if payload is None else parse_request(payload)
        except (FrameError, RecordError) as error:
            self.transactions.stats.garbled_requests += 1
            self.log(f"garbled request: {error}")
            connection.reset()
            return None


async def _give(connection: Connection, answer: Answer) -> bool:
    """Give the answer; returns whether the connection goes on."""
    if answer.delay_seconds:
        await asyncio.sleep(answer.delay_seconds)
    if answer.ending is Ending.RESET:
        connection.reset()
        return False
    if answer.data:
        connection.writer.write(answer.data)
        await connection.writer.drain()
    if answer.ending is Ending.SILENCE:
        await connection.until_gone()
    return answer.ending is Ending.KEEP


def _line(request: Request, answer: Answer, milliseconds: float) -> str:
    version = f" v{request.version}" if isinstance(request, UpdateRequest) else ""
    held = f" held {answer.reply.held_version}" if answer.reply and answer.reply.held_version else ""
    reason = f" {answer.reply.reason_code}" if answer.reply and answer.reply.reason_code else ""
    fault = f" [{answer.fault}]" if answer.fault else ""
    return (
        f"{transaction_of(request)} {request.subject} {key_of(request) or '(start)'}{version}"
        f" -> {answer.outcome}{reason}{held} {milliseconds:.0f} ms{fault}"
    )

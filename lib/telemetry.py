"""Traces and log events: what an operator needs to follow one change from request to mainframe.

Events, not prose: a name and fields, written as one JSON object per line. Never personal data.
"""

import json
import logging
import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Self

_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?P<trace>(?!0{32})[0-9a-f]{32})-(?P<parent>(?!0{16})[0-9a-f]{16})-[0-9a-f]{2}(-.*)?"
)


@dataclass(frozen=True, slots=True)
class Trace:
    """The W3C trace context (https://www.w3.org/TR/trace-context/) that a request or message belongs to."""

    trace_id: str
    span_id: str

    @classmethod
    def start(cls) -> Self:
        """Return a new trace."""
        return cls(trace_id=secrets.token_hex(16), span_id=secrets.token_hex(8))

    @classmethod
    def join(cls, traceparent: str | None) -> Self:
        """Return a new span in the caller's trace, or a new trace when there is none or it cannot be read."""
        match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
        if match is None:
            return cls.start()
        return cls(trace_id=match["trace"], span_id=secrets.token_hex(8))

    @property
    def traceparent(self) -> str:
        """The value of the traceparent header or field that hands this trace on."""
        return f"00-{self.trace_id}-{self.span_id}-01"


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def enter_trace(trace: Trace) -> None:
    """Make this the trace of everything that the current task does from now on."""
    _current.set(trace)


def current_trace() -> Trace:
    """Return the trace of the current task; outside of any, a new one."""
    return _current.get() or Trace.start()


@dataclass(frozen=True, slots=True)
class EventLog:
    """Writes events to the standard logging tree, which the Functions worker forwards."""

    logger: logging.Logger

    def info(self, event: str, /, **fields: object) -> None:
        """Record something expected."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, /, **fields: object) -> None:
        """Record something that heals by itself, such as a retry."""
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, /, **fields: object) -> None:
        """Record something that a person must look at."""
        self._write(logging.ERROR, event, fields)

    def defect(self, event: str, /, **fields: object) -> None:
        """Record an unexpected exception with its stack, from inside its handler."""
        self._write(logging.ERROR, event, fields, stack=True)

    def _write(self, level: int, event: str, fields: dict[str, object], *, stack: bool = False) -> None:
        if not self.logger.isEnabledFor(level):
            return
        trace = _current.get()
        record = {"event": event, **({"traceId": trace.trace_id} if trace else {}), **fields}
        self.logger.log(level, "%s", json.dumps(record, default=str), exc_info=stack)


def event_log(room: str) -> EventLog:
    """Return the log of a room."""
    return EventLog(logging.getLogger(f"platform.{room}"))

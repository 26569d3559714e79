"""What a function learns about its own invocation: `azure.functions.Context` and what hangs from it."""

import random
import re
import threading
from typing import Any

import azure.functions as func
from azure.functions import _abc  # pyright: ignore[reportPrivateUsage] - its two abstract classes have no public name

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})")
_worker_threads = threading.local()


class TraceContext(_abc.TraceContext):
    """The trace of one invocation: the caller's trace id when it sent one, and a span of our own, as the host does."""

    __slots__ = ("_incoming", "_parent", "_state")

    def __init__(self, traceparent: str | None, tracestate: str | None) -> None:
        self._incoming = traceparent
        self._parent: str | None = None
        self._state = tracestate or ""

    @property
    def trace_parent(self) -> str:
        """W3C traceparent of this invocation."""
        if self._parent is None:
            found = _TRACEPARENT.fullmatch(self._incoming) if self._incoming else None
            trace = found[1] if found else f"{random.getrandbits(128):032x}"
            flags = found[2] if found else "00"
            self._parent = f"00-{trace}-{random.getrandbits(64):016x}-{flags}"
        return self._parent

    @property
    def trace_id(self) -> str:
        """The trace id alone, as logs show it."""
        return self.trace_parent[3:35]

    @property
    def trace_state(self) -> str:
        """W3C tracestate as the caller sent it."""
        return self._state

    @property
    def attributes(self) -> dict[str, str]:
        """Nothing locally."""
        return {}


class RetryContext(_abc.RetryContext):
    """The first and only try: retry policies of the host are not served locally."""

    @property
    def retry_count(self) -> int:
        """Always 0."""
        return 0

    @property
    def max_retry_count(self) -> int:
        """Always 0."""
        return 0

    @property
    def exception(self) -> Any:
        """Always None."""
        return None


_FIRST_TRY = RetryContext()


class InvocationContext(func.Context):
    """The `context` parameter of a function."""

    __slots__ = ("_directory", "_invocation_id", "_name", "_trace")

    def __init__(
        self, *, name: str, directory: str, traceparent: str | None = None, tracestate: str | None = None
    ) -> None:
        self._name = name
        self._directory = directory
        self._invocation_id = _new_id()
        self._trace = TraceContext(traceparent, tracestate)

    @property
    def invocation_id(self) -> str:
        """The id of this one run."""
        return self._invocation_id

    @property
    def thread_local_storage(self) -> Any:
        """The worker's thread-local storage, for functions that start threads and want their logs attributed."""
        _worker_threads.invocation_id = self._invocation_id
        return _worker_threads

    @property
    def function_name(self) -> str:
        """The function's name."""
        return self._name

    @property
    def function_directory(self) -> str:
        """The folder of the app."""
        return self._directory

    @property
    def trace_context(self) -> TraceContext:
        """The distributed trace this run belongs to."""
        return self._trace

    @property
    def retry_context(self) -> RetryContext:
        """The retry that this run is; never one, locally."""
        return _FIRST_TRY


def _new_id() -> str:
    # A version 4 UUID like the host's, written straight from random bits: `uuid.uuid4` takes three times as long.
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def trace_of(traceparent: str | None) -> str | None:
    """Return the trace id in a traceparent header, or None when it is missing or malformed."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    return found[1] if found else None

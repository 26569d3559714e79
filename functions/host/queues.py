"""The other edge: what a message's outcome means to the host.

A function that returns is done with its message. One that raises has it run again, and after five times moved to the
poison queue. So only what must run again raises: back-off is a new message, and lives in the row.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import azure.functions as func

from lib.messaging.envelope import WakeUp
from lib.telemetry import Trace, enter_trace, event_log

DATA_STORAGE: Final = "DataStorage"

_log = event_log("queues")


@dataclass(slots=True)
class Outcome:
    """What became of a message."""

    word: str = ""

    def say(self, word: str) -> None:
        """Record what became of it."""
        self.word = word


@contextmanager
def handled(function: str, message: func.QueueMessage, wake_up: WakeUp) -> Generator[Outcome, None, None]:
    """Handle one message within its trace, and log what became of it."""
    enter_trace(Trace.join(wake_up.trace))
    outcome = Outcome()
    about = {
        "function": function,
        "subject": wake_up.subject.value,
        "id": wake_up.id,
        "version": wake_up.version,
        "dequeueCount": message.dequeue_count,
    }
    try:
        yield outcome
    except Exception as error:
        _log.warning("message.again", **about, reason=type(error).__name__)
        raise
    _log.info("message.done", **about, outcome=outcome.word)

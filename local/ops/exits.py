"""How a command ends: the exit codes, which scripts rely on, and the error that carries one."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """What the exit code of `./ops` means."""

    FINE = 0
    ATTENTION = 1  # asked and answered, and something is not as it should be
    USAGE = 2  # the command, or the API, cannot make sense of what was asked
    UNREACHABLE = 3  # nobody answers, or not to this key, or the platform cannot answer now
    CONFLICT = 4  # it contradicts what is going on, such as another replay
    NOT_FOUND = 5
    INTERRUPTED = 130


class OpsError(Exception):
    """A command could not be carried out; the message is one sentence for the person who gave it."""

    def __init__(self, sentence: str, exit_code: Exit, problem: Mapping[str, Any] | None = None) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
        self.problem = problem

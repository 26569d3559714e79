"""A trap ends or stops a process at one named call, once.

The driver arms it by a file; the process that reaches the call renames that file and sends itself the signal. So a
trap that sprang is known for sure, and none springs twice.
"""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from local.faults.taps import When

FOLDER_VARIABLE = "CHAOS_TRAPS"
_ARMED, _SPRUNG = "armed.json", "sprung.json"
_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """Where a process goes down: at which tapped call, on which side, inside which functions, by which signal.

    With `after_seconds` the signal comes so much later, while the call is under way.
    """

    call: str
    when: When
    functions: Sequence[str] = ()
    signal: str = "SIGKILL"
    after_seconds: float = 0.0
    skip: int = 0

    def matches(self, call: str, when: When, function: str) -> bool:
        """Tell whether a call is the one that is meant."""
        return call == self.call and when == self.when and (not self.functions or function in self.functions)


@dataclass(frozen=True, slots=True)
class TrapDoor:
    """The driver's end: one trap at a time for the processes that watch this folder."""

    folder: Path

    def arm(self, trap: Trap) -> None:
        """Set a trap; what sprang before is forgotten."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / _SPRUNG).unlink(missing_ok=True)
        fresh = self.folder / "fresh.json"
        fresh.write_text(json.dumps(asdict(trap)), encoding="utf-8")
        fresh.rename(self.folder / _ARMED)

    def disarm(self) -> None:
        """Take a trap away that did not spring."""
        (self.folder / _ARMED).unlink(missing_ok=True)

    @property
    def sprang(self) -> bool:
        """Whether the trap that was armed last went off."""
        return (self.folder / _SPRUNG).exists()

    async def springs(self, *, within_seconds: float) -> bool:
        """Wait for the trap; False when nobody came by in time, and it is disarmed then."""
        deadline = asyncio.get_running_loop().time() + within_seconds
        while asyncio.get_running_loop().time() < deadline:
            if self.sprang:
                return True
            await asyncio.sleep(_LOOK_SECONDS)
        self.disarm()
        return self.sprang


@dataclass(slots=True)
class TrapWatch:
    """The process's end: a tap that looks for an armed trap at every call it hears."""

    folder: Path
    function: Callable[[], str]
    _seen: tuple[int, int] | None = None
    _trap: Trap | None = None
    _passed: int = field(default=0)

    async def tap(self, call: str, when: When) -> None:
        """Go down here when the armed trap says so."""
        trap = self._armed()
        if trap is None or not trap.matches(call, when, self.function()):
            return
        self._passed += 1
        if self._passed <= trap.skip:
            return
        try:
            (self.folder / _ARMED).rename(self.folder / _SPRUNG)
        except FileNotFoundError:
            return  # disarmed this moment, or another process went down
        number = signal.Signals[trap.signal]
        if trap.after_seconds:
            asyncio.get_running_loop().call_later(trap.after_seconds, os.kill, os.getpid(), number)
        else:
            os.kill(os.getpid(), number)

    def _armed(self) -> Trap | None:
        try:
            found = (self.folder / _ARMED).stat()
        except FileNotFoundError:
            return None
        stamp = (found.st_ino, found.st_mtime_ns)
        if stamp != self._seen:
            try:
                kept = json.loads((self.folder / _ARMED).read_text(encoding="utf-8"))
            except FileNotFoundError:
                return None
            self._seen, self._trap, self._passed = stamp, Trap(**kept | {"when": When(kept["when"])}), 0
        return self._trap

"""The folder that holds a copy's data: one copy at a time, with room to write."""

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from local.run.errors import DataInUseError, NoSpaceError, StackError

_NEEDED_MB = 50
_WARNING_MB = 20
_MB = 1_000_000


@dataclass
class DataFolder:
    """A claimed folder: `claim()` before use, `release()` after. A claim ends with its processes, also when killed."""

    path: Path
    free_bytes: Callable[[Path], int] = field(default=lambda path: shutil.disk_usage(path).free)
    _lock: IO[str] | None = field(default=None, init=False, repr=False)

    @property
    def storage(self) -> Path:
        """Where Azurite keeps tables, queues and blobs."""
        return self.path / "storage"

    @property
    def mainframe(self) -> Path:
        """Where the mock mainframe keeps its master file and journal."""
        return self.path / "mainframe"

    @property
    def host(self) -> Path:
        """Where the local Functions host keeps its timers' times."""
        return self.path / "host"

    def claim(self) -> int:
        """Take the folder and return the lock's file descriptor.

        Raises:
            DataInUseError: another copy runs on it.
            NoSpaceError: there is no room to write.
            StackError: it cannot be made or written.
        """
        try:
            for folder in (self.path, self.storage, self.mainframe, self.host):
                folder.mkdir(parents=True, exist_ok=True)
            lock = (self.path / "run.lock").open("a+", encoding="ascii")
            try:
                self._take(lock)
            except BaseException:
                lock.close()
                raise
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise NoSpaceError(f"The disk holding {self.path} is full: make room, or set LOCAL_DATA.") from None
            raise StackError(
                f"The data folder {self.path} cannot be used: {error.strerror}. LOCAL_DATA moves it."
            ) from None
        self._lock = lock
        return lock.fileno()

    def warning(self) -> str | None:
        """Return a sentence while room runs out: Azurite keeps much in memory, and must be able to write it."""
        free = self.free_bytes(self.path) // _MB
        if free >= _WARNING_MB:
            return None
        return (
            f"The disk holding {self.path} is nearly full ({free} MB free): "
            f"make room before you stop this, or what Azurite has not written yet is lost."
        )

    def release(self) -> None:
        """Let others have it."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take(self, lock: IO[str]) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip()
            who = f" (process {holder})" if holder.isdecimal() else ""
            raise DataInUseError(
                f"Another copy already runs on {self.path}{who}: "
                f"stop it, or give this one its own LOCAL_DATA and ports."
            ) from None
        free = self.free_bytes(self.path) // _MB
        if free < _NEEDED_MB:
            raise NoSpaceError(
                f"The disk holding {self.path} is full ({free} MB free, {_NEEDED_MB} MB are needed): "
                f"make room, or set LOCAL_DATA."
            )
        lock.truncate(0)
        lock.write(str(os.getpid()))
        with contextlib.suppress(OSError):  # the name of the holder is a kindness, not the lock
            lock.flush()

"""The master file and the journal: what was applied survives a kill at any moment, before its answer is sent.

One thread owns the database. It takes whatever calls have come meanwhile into one transaction and answers them together
after the commit, so that one flush to disk serves many calls.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from lib.clock import rfc3339
from lib.mainframe.protocol import ReturnCode, UpdateRequest, collation_key

T = TypeVar("T")
_MAX_BATCH = 256
_FILE_NAME = "mainframe.sqlite3"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS master (
    subject TEXT NOT NULL, key BLOB NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
    trace TEXT NOT NULL, applied_at TEXT NOT NULL, PRIMARY KEY (subject, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journal (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, subject TEXT NOT NULL, key TEXT NOT NULL,
    version INTEGER NOT NULL, trace TEXT NOT NULL, outcome TEXT NOT NULL, reason_code TEXT NOT NULL,
    previous_version INTEGER NOT NULL, overlapping INTEGER NOT NULL
);
"""
OUTCOMES = {
    ReturnCode.APPLIED: "applied",
    ReturnCode.ALREADY_HELD: "ignored",
    ReturnCode.REJECTED: "rejected",
    ReturnCode.BUSY: "busy",
    ReturnCode.ABENDED: "abended",
}


@dataclass(frozen=True, slots=True)
class Held:
    """What the master file holds of one subject. The key is in EBCDIC, which gives the order of a browse."""

    subject: str
    key: bytes
    version: int
    body: bytes
    trace: str
    applied_at: str


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One update that was answered for, or whose answer was withheld after it was applied."""

    sequence: int
    at: str
    subject: str
    key: str
    version: int
    trace: str
    outcome: str
    reason_code: str
    previous_version: int
    overlapping: int

    @property
    def held_version(self) -> int:
        """Return what was held after it."""
        return self.version if self.outcome == OUTCOMES[ReturnCode.APPLIED] else self.previous_version


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[sqlite3.Connection], Any]
    answer: "asyncio.Future[Any]"


class MasterFile:
    """Keeps the state of subjects by key, and never goes back to an older version."""

    def __init__(self, folder: Path) -> None:
        """Open, or create, the master file in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / _FILE_NAME
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._database = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_SCHEMA)
        self._thread = threading.Thread(target=self._work, name="mainframe-master-file", daemon=True)
        self._thread.start()

    async def apply(self, update: UpdateRequest, *, overlapping: int) -> JournalRow:
        """Apply an update unless its version or a later one is held. Returns what became of it."""

        def work(database: sqlite3.Connection) -> JournalRow:
            held = _held_version(database, update)
            code = ReturnCode.APPLIED if update.version > held else ReturnCode.ALREADY_HELD
            row = _journal_row(update, code, held=held, overlapping=overlapping)
            if code is ReturnCode.APPLIED:
                database.execute(
                    "REPLACE INTO master VALUES (?, ?, ?, ?, ?, ?)",
                    (update.subject, collation_key(update.key), update.version, update.body, update.trace, row.at),
                )
            return _written(database, row)

        return await self._run(work)

    async def note(self, update: UpdateRequest, code: ReturnCode, reason_code: str, *, overlapping: int) -> JournalRow:
        """Journal an update that was not applied."""

        def work(database: sqlite3.Connection) -> JournalRow:
            held = _held_version(database, update)
            row = _journal_row(update, code, held=held, overlapping=overlapping, reason_code=reason_code)
            return _written(database, row)

        return await self._run(work)

    async def held(self, subject: str, key: str) -> Held | None:
        """Return what is held under a key."""
        place = (subject, collation_key(key))

        def work(database: sqlite3.Connection) -> Held | None:
            row = database.execute("SELECT * FROM master WHERE subject = ? AND key = ?", place).fetchone()
            return Held(*row) if row else None

        return await self._run(work)

    async def browse(self, subject: str, after: str, limit: int) -> list[tuple[str, int]]:
        """Return keys after a key, and their versions, in the order of their EBCDIC bytes."""

        def work(database: sqlite3.Connection) -> list[tuple[str, int]]:
            rows = database.execute(
                "SELECT key, version FROM master WHERE subject = ? AND key > ? ORDER BY key LIMIT ?",
                (subject, collation_key(after), limit),
            )
            return [(key.decode("cp037"), version) for key, version in rows]

        return await self._run(work)

    async def journal(self, *, after: int, limit: int, key: str | None = None) -> list[JournalRow]:
        """Return journal rows after a sequence number, oldest first."""

        def work(database: sqlite3.Connection) -> list[JournalRow]:
            rows = database.execute(
                "SELECT * FROM journal WHERE sequence > ? AND (? IS NULL OR key = ?) ORDER BY sequence LIMIT ?",
                (after, key, key, limit),
            )
            return [JournalRow(*row) for row in rows]

        return await self._run(work)

    async def last_applied_at(self) -> str | None:
        """Return when an update was applied last."""

        def work(database: sqlite3.Connection) -> str | None:
            row = database.execute(
                "SELECT at FROM journal WHERE outcome = 'applied' ORDER BY sequence DESC LIMIT 1"
            ).fetchone()
            return row[0] if row else None

        return await self._run(work)

    async def close(self) -> None:
        """Finish what was asked, and close the file."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        answer: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(work, answer))
        return await answer

    def _work(self) -> None:
        open_ = True
        while open_:
            batch = self._next_batch()
            open_ = None not in batch
            jobs = [job for job in batch if job is not None]
            results = _run_all(self._database, jobs)
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(_answer_all, jobs, results)
        self._database.close()

    def _next_batch(self) -> list[_Job | None]:
        batch = [self._jobs.get()]
        while len(batch) < _MAX_BATCH and batch[-1] is not None:
            try:
                batch.append(self._jobs.get_nowait())
            except Empty:
                break
        return batch


def _run_all(database: sqlite3.Connection, jobs: list[_Job]) -> list[Any]:
    """Return the jobs' results after they are all on disk, or the error for each of them when they are not."""
    try:
        database.execute("BEGIN IMMEDIATE")
        try:
            results = [job.work(database) for job in jobs]
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")
    except Exception as error:  # noqa: BLE001 - handed to the callers, who wait in another thread
        return [error] * len(jobs)
    return results


def _answer_all(jobs: list[_Job], results: list[Any]) -> None:
    for job, result in zip(jobs, results, strict=True):
        if job.answer.cancelled():
            continue
        if isinstance(result, Exception):
            job.answer.set_exception(result)
        else:
            job.answer.set_result(result)


def _held_version(database: sqlite3.Connection, update: UpdateRequest) -> int:
    row = database.execute(
        "SELECT version FROM master WHERE subject = ? AND key = ?", (update.subject, collation_key(update.key))
    ).fetchone()
    return row[0] if row else 0


def _journal_row(
    update: UpdateRequest, code: ReturnCode, *, held: int, overlapping: int, reason_code: str = ""
) -> JournalRow:
    return JournalRow(
        sequence=0,
        at=rfc3339(datetime.now(UTC)),
        subject=update.subject,
        key=update.key,
        version=update.version,
        trace=update.trace,
        outcome=OUTCOMES[code],
        reason_code=reason_code,
        previous_version=held,
        overlapping=overlapping,
    )


def _written(database: sqlite3.Connection, row: JournalRow) -> JournalRow:
    """Append a row to the journal and return it with its place."""
    _, *values = astuple(row)
    done = database.execute("INSERT INTO journal VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    return replace(row, sequence=done.lastrowid or 0)

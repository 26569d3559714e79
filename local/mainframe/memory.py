"""A mainframe in memory, for simulations: the same link and the same rules, without wire, latency or faults."""

from dataclasses import dataclass, field

from lib.mainframe.protocol import MAX_BROWSE_KEYS, Reply, ReturnCode, collation_key


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedUpdate:
    """An update that the mainframe was handed, and what became of it."""

    subject: str
    key: str
    version: int
    trace: str
    body: bytes
    previous_version: int
    applied: bool


@dataclass(slots=True)
class MemoryMainframe:
    """Implements `lib.mainframe.link.Link`; `journal` lists every update in the order it came."""

    journal: list[AppliedUpdate] = field(default_factory=list[AppliedUpdate])
    _held: dict[tuple[str, str], AppliedUpdate] = field(default_factory=dict[tuple[str, str], AppliedUpdate])

    async def update(self, *, subject: str, key: str, version: int, trace: str, body: bytes) -> Reply:
        """Apply an update unless its version or a later one is held."""
        held = self._version(subject, key)
        entry = AppliedUpdate(
            subject=subject,
            key=key,
            version=version,
            trace=trace,
            body=body,
            previous_version=held,
            applied=version > held,
        )
        self.journal.append(entry)
        if not entry.applied:
            return Reply(code=ReturnCode.ALREADY_HELD, held_version=held)
        self._held[subject, key] = entry
        return Reply(code=ReturnCode.APPLIED, held_version=version)

    async def inquire(self, *, subject: str, key: str) -> int | None:
        """Return the version held, or None."""
        return self._version(subject, key) or None

    async def browse(self, *, subject: str, after: str, limit: int) -> list[tuple[str, int]]:
        """Return keys and versions after a key, in EBCDIC order."""
        keys = sorted((key for kept, key in self._held if kept == subject), key=collation_key)
        later = [key for key in keys if collation_key(key) > collation_key(after)]
        return [(key, self._version(subject, key)) for key in later[: min(limit, MAX_BROWSE_KEYS)]]

    def body(self, key: str, subject: str = "CUSTOMER") -> bytes | None:
        """Return the record held under a key."""
        held = self._held.get((subject, key))
        return held.body if held else None

    def _version(self, subject: str, key: str) -> int:
        held = self._held.get((subject, key))
        return held.version if held else 0

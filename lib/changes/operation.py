"""Operations: who asked for a write, under which idempotency key, and what was answered the first time.

The answer of a keyed operation is kept in the same transaction as its effect, so key and effect are atomic
(IETF draft-ietf-httpapi-idempotency-key-header).
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from lib.errors import IdempotencyMismatchError
from lib.ids import Seal
from lib.storage.documents import joined, split
from lib.storage.ports import Insert, Row, Table, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One asked-for write.

    `id` is the same for every request with the same caller, operation, target and key; `attempt` is this request's own.
    `fingerprint` is the digest of a keyed request's body. Rows of before digests were keyed hold `plain_fingerprint`,
    which is only compared and never kept.
    """

    name: str
    id: str
    attempt: str
    actor: str
    fingerprint: str | None = None
    plain_fingerprint: str | None = None

    @property
    def keyed(self) -> bool:
        """Whether the caller gave an idempotency key."""
        return self.fingerprint is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a write answered: the entity as shown, whether it was `changed`, and whether this is told again."""

    entity_id: str
    version: int
    document: str
    changed: bool = True
    replayed: bool = False


def fingerprint_of(body: Any) -> str:
    """Return the digest of a body as canonical JSON: the same whatever the order of fields and the spacing."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def keyed_fingerprint(body: Any, seal: Seal) -> str:
    """Return the digest by which a body is known again, under a key.

    Who reads a plain one can try what the body may hold until one fits: the masked digits of a card number, a passport.
    """
    return f"hmac-sha256:{seal.digest(fingerprint_of(body)).hex()}"


def record_writes(operation: Operation, answer: Answer) -> tuple[Insert, ...]:
    """Return the row that keeps the answer of a keyed operation; nothing for one without a key."""
    if operation.fingerprint is None:
        return ()
    kept: dict[str, Value] = {
        "operation": operation.name,
        "fingerprint": operation.fingerprint,
        "entityId": answer.entity_id,
        "version": answer.version,
        **split("answer", answer.document),
    }
    if not answer.changed:
        kept["changed"] = False
    return (Insert(f"op~{operation.id}", kept),)


async def first_answer(table: Table, *, partition: str, operation: Operation) -> Answer | None:
    """Return what this keyed operation answered before, or None when it never did.

    Raises:
        IdempotencyMismatchError: the key was used with another body.
    """
    if not operation.keyed:
        return None
    row: Row | None = await table.get(partition, f"op~{operation.id}")
    if row is None:
        return None
    if row.values["fingerprint"] not in {operation.fingerprint, operation.plain_fingerprint}:
        raise IdempotencyMismatchError("This Idempotency-Key was used before with another body; use a new key.")
    return Answer(
        entity_id=str(row.values["entityId"]),
        version=int(str(row.values["version"])),
        document=joined("answer", row.values),
        changed=bool(row.values.get("changed", True)),
        replayed=True,
    )

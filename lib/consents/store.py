"""How consents are kept: a row each, and a row for every statement, which is never written again.

The keys of a consent's statements sort as `lib.consents.rules.place_of` says, so the statement that held at a moment is
the first row of a range, and a page of the history is a page of rows.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lib.changes.owned import KeptEntity, OwnedEntities, after_prefix, kept_entity
from lib.consents.models import Capture, Consent
from lib.consents.rules import place_from, place_of
from lib.consents.vocabulary import Channel, State
from lib.ids import Seal
from lib.storage.documents import joined, split
from lib.storage.ports import Insert, Row, RowPage

CONSENT_PREFIX: Final = "con"
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class ConsentStore:
    """Reads consents and their statements."""

    entities: OwnedEntities
    id_seal: Seal

    def id_of(self, customer_id: str, purpose: str, channel: Channel) -> str:
        """Return the id of the one consent of a customer for a purpose and channel."""
        return self.id_seal.id(CONSENT_PREFIX, "consent", customer_id, purpose, channel)

    def never_asked(self, customer_id: str, purpose: str, channel: Channel) -> Consent:
        """Return what is read where nothing was ever said."""
        return Consent(
            id=self.id_of(customer_id, purpose, channel),
            customer_id=customer_id,
            purpose=purpose,
            channel=channel,
            version=0,
            state=State.UNKNOWN,
        )

    async def read(self, customer_id: str, purpose: str, channel: Channel) -> Consent | None:
        """Return a consent as it was last written, in one storage call."""
        return consent_of(await self.entities.read(customer_id, self.id_of(customer_id, purpose, channel)))

    async def page(self, customer_id: str, *, limit: int, resume: str | None) -> tuple[Sequence[Consent], str | None]:
        """Return a page of a customer's consents, in one storage call."""
        page = await self._page(customer_id, limit=limit, resume=resume, purpose=None)
        return _consents(page.rows), page.resume

    async def all_of(self, customer_id: str, *, purpose: str | None = None) -> Sequence[Consent]:
        """Return all consents of a customer, or those for one purpose; one storage call as a rule."""
        found: list[Consent] = []
        resume: str | None = None
        while True:
            page = await self._page(customer_id, limit=_PAGE, resume=resume, purpose=purpose)
            found += _consents(page.rows)
            resume = page.resume
            if resume is None:
                return found

    async def holding_at(self, consent: Consent, moment: datetime | None) -> Capture | None:
        """Return the statement that held at a moment: a storage call only when something was said since.

        Without a moment it is the one that holds now, also when the clock that captured it runs ahead of this one.
        """
        if moment is None or consent.statement is None or consent.statement.captured.at <= moment:
            return consent.statement
        prefix = _log_prefix(consent.id)
        resume: str | None = None
        while True:
            page = await self.entities.table.page(
                consent.customer_id,
                from_key=f"{prefix}{place_from(moment)}",
                below_key=after_prefix(prefix),
                limit=1,
                resume=resume,
            )
            if page.rows:
                return read_capture(page.rows[0])
            resume = page.resume
            if resume is None:
                return None

    async def holdings_at(self, consents: Sequence[Consent], moment: datetime | None) -> Sequence[Capture | None]:
        """Return the statements that held at a moment, or hold now, in the order of the consents."""
        return await asyncio.gather(*(self.holding_at(consent, moment) for consent in consents))

    async def captures(
        self, customer_id: str, consent_id: str, *, limit: int, resume: str | None
    ) -> tuple[Sequence[Capture], str | None]:
        """Return a page of what was said about one consent, captured last first."""
        prefix = _log_prefix(consent_id)
        page = await self.entities.table.page(
            customer_id, from_key=prefix, below_key=after_prefix(prefix), limit=limit, resume=resume
        )
        return [read_capture(row) for row in page.rows], page.resume

    async def _page(self, customer_id: str, *, limit: int, resume: str | None, purpose: str | None) -> RowPage:
        prefix = self.entities.prefix
        return await self.entities.table.page(
            customer_id,
            from_key=prefix,
            below_key=after_prefix(prefix),
            limit=limit,
            resume=resume,
            where={"purpose": purpose} if purpose else None,
        )


def capture_write(consent_id: str, capture: Capture) -> Insert:
    """Return the write that keeps a statement, for the transaction of the version that it makes."""
    values = {"version": capture.version, **split("capture", json.dumps(capture.as_json(), ensure_ascii=False))}
    return Insert(f"{_log_prefix(consent_id)}{place_of(capture)}", values)


def read_capture(row: Row) -> Capture:
    """Return the statement that a row keeps."""
    return Capture.model_validate_json(joined("capture", row.values))


def consent_of(kept: KeptEntity | None) -> Consent | None:
    """Return the consent that a row keeps."""
    return None if kept is None else Consent.model_validate_json(kept.document)


def _consents(rows: Sequence[Row]) -> list[Consent]:
    return [consent for row in rows if (consent := consent_of(kept_entity(row))) is not None]


def _log_prefix(consent_id: str) -> str:
    return f"consentlog~{consent_id}~"

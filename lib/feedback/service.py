"""What we do for feedback: keep what a customer says once, read it back, list it."""

import json
from dataclasses import dataclass
from typing import Any, Final

from pydantic.alias_generators import to_camel

from lib.changes.belongings import absent
from lib.changes.operation import Answer, Operation
from lib.changes.records import KeptRecord, NewRecord, Records
from lib.clock import Clock, in_milliseconds, rfc3339
from lib.customers.service import CustomerService, check_customer_id
from lib.errors import FieldProblem, NotFoundError
from lib.feedback.models import FEEDBACK_PREFIX, About, FeedbackDraft, FeedbackKind, RecordedFeedbackDraft
from lib.feedback.rules import FeedbackInvalidError, check_feedback, summary_of
from lib.ids import Ids, Seal, is_id
from lib.paging import Page
from lib.storage.documents import joined, split
from lib.storage.ports import Insert
from lib.timeline.entries import TIMELINE_PREFIX, TimelineEntry, TimelineType, timeline_key, timeline_write
from lib.timeline.ranges import KeyRange, RangePages

FEEDBACK: Final = "feedback"
_LIST_PREFIX: Final = "feedbacklist~"
_LISTING: Final = "feedback"


class FeedbackNotFoundError(NotFoundError):
    """This customer gave no feedback with this id."""

    kind = "feedback-not-found"
    title = "No such feedback"

    def __init__(self) -> None:
        super().__init__("This customer gave no feedback with this id.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackService:
    """The operations on feedback."""

    records: Records
    pages: RangePages
    customers: CustomerService
    clock: Clock
    ids: Ids
    id_seal: Seal

    async def give(self, *, customer_id: str, draft: FeedbackDraft, operation: Operation) -> KeptRecord:
        """Keep feedback, or return the first record of the same event.

        New feedback takes two storage calls, and one more for each thing that it is about.

        Raises:
            CustomerNotFoundError: there is no such customer.
            FeedbackInvalidError: it says nothing, is off its scale, or is about something that this customer has not.
            RecordConflictError: the event was told before with another content.
            IdempotencyMismatchError: the key was used with another body.
            OutcomeNotSettledError: storage did not say what became of it; the same request again settles it.
            UnavailableError: it cannot be done now; nothing was written.
        """
        check_feedback(draft, now=self.clock.now())
        owner = await self.customers.require(customer_id)
        if draft.about is not None:
            await self._check_about(owner, draft.about)
        record = self._record(owner, self._id_of(owner, draft, operation), draft, actor=operation.actor)
        return await self.records.keep(owner=owner, record=record, operation=operation)

    async def read(self, *, customer_id: str, feedback_id: str) -> Answer:
        """Return feedback as staff read it back, in one storage call.

        Raises:
            FeedbackNotFoundError: this customer gave none with this id.
        """
        check_customer_id(customer_id)
        known = is_id(feedback_id, prefix=FEEDBACK_PREFIX)
        answer = await self.records.read(customer_id, feedback_id) if known else None
        if answer is None:
            raise FeedbackNotFoundError
        return answer

    async def list_page(
        self, *, customer_id: str, limit: int, cursor: str | None, kind: FeedbackKind | None = None
    ) -> Page[str]:
        """Return a page of a customer's feedback as staff read it back, the latest first.

        Raises:
            CustomerNotFoundError: there is no such customer.
            BadCursorError: the cursor is not one that this list gave out.
        """
        check_customer_id(customer_id)
        asked = KeyRange.of_prefix(_LIST_PREFIX, where={"kind": kind.value} if kind else None)
        found = await self.pages.read(customer_id, asked, limit=limit, cursor=cursor, name=_LISTING)
        if not found.items and found.cursor is None and cursor is None:
            await self.customers.require(customer_id)
        return Page([joined("document", row.values) for row in found.items], found.cursor)

    async def _check_about(self, owner: str, about: About) -> None:
        missing = await absent(self.records.table, owner, about.model_dump(exclude_none=True))
        if missing:
            raise FeedbackInvalidError(
                "The feedback is about something that this customer does not have.",
                [FieldProblem(f"/about/{to_camel(name)}", "is not one of this customer") for name in missing],
            )

    def _id_of(self, owner: str, draft: FeedbackDraft, operation: Operation) -> str:
        if isinstance(draft, RecordedFeedbackDraft) and draft.source is not None:
            return self.id_seal.id(FEEDBACK_PREFIX, owner, draft.source.system, draft.source.event_id)
        if operation.keyed:
            return self.id_seal.id(FEEDBACK_PREFIX, operation.id)
        return self.ids.new(FEEDBACK_PREFIX)

    def _record(self, owner: str, feedback_id: str, draft: FeedbackDraft, *, actor: str) -> NewRecord:
        said: dict[str, Any] = draft.model_dump(mode="json", by_alias=True, exclude_none=True)
        now = in_milliseconds(self.clock.now())
        recorded = draft if isinstance(draft, RecordedFeedbackDraft) else None
        happened_at = recorded.happened_at if recorded else now
        document = json.dumps(
            {
                "id": feedback_id,
                "customerId": owner,
                "happenedAt": rfc3339(now),
                **said,
                "recordedAt": rfc3339(now),
                "recordedBy": actor,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
        entry = TimelineEntry(
            id=feedback_id,
            type=TimelineType.FEEDBACK,
            kind=draft.kind.value,
            happened_at=happened_at,
            recorded_at=now,
            summary=summary_of(draft.kind, draft.rating),
            actor=(recorded.agent if recorded else None) or actor,
            channel=recorded.channel.value if recorded and recorded.channel else None,
            reference=feedback_id,
        )
        key = timeline_key(happened_at, TimelineType.FEEDBACK, feedback_id).removeprefix(TIMELINE_PREFIX)
        listed = Insert(f"{_LIST_PREFIX}{key}", {"kind": draft.kind.value, **split("document", document)})
        return NewRecord(id=feedback_id, document=document, content=said, more=(timeline_write(entry), listed))

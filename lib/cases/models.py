"""What a case is: what customers and staff write, what is kept, and how it is read back."""

from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field

from lib.cases.states import SETTLED, CaseState
from lib.clock import in_milliseconds
from lib.customers.models import SystemName
from lib.feedback.models import FeedbackId
from lib.fields import REDACTED, FreeLine, Moment, Prose, ShortText, Text
from lib.interactions.words import CaseId, InteractionChannel, InteractionId, OrderId
from lib.orders.items import MAXIMUM_ITEMS
from lib.orders.states import ItemKind
from lib.orders.words import FreeText, ItemId
from lib.pan import without_card_numbers
from lib.parts import Part
from lib.text import prose

CASE_PREFIX: Final = "cas"


class CaseType(StrEnum):
    """What the customer wants: an answer, something done, something put right, something paid."""

    QUESTION = "question"
    REQUEST = "request"
    INCIDENT = "incident"
    COMPLAINT = "complaint"
    CLAIM = "claim"


class CasePriority(StrEnum):
    """How soon somebody has to look after it."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class ResolutionCode(StrEnum):
    """How a case ended."""

    SOLVED = "solved"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    NO_ANSWER = "noAnswer"
    WITHDRAWN = "withdrawn"


class Author(StrEnum):
    """Who says something in a case."""

    CUSTOMER = "customer"
    STAFF = "staff"


class Visibility(StrEnum):
    """Who reads a comment: the customer too (public), or staff alone (internal)."""

    PUBLIC = "public"
    INTERNAL = "internal"


def _no_card_number(word: str) -> str:
    if without_card_numbers(word) != word:
        raise ValueError("must not hold a card number")
    return word


Category = Annotated[
    str,
    Field(
        max_length=40,
        pattern="^[A-Za-z][A-Za-z0-9.-]{0,39}$",
        description="A word of the organisation's own",
        examples=["baggage.delayed"],
    ),
    AfterValidator(_no_card_number),
]
Description = Annotated[Prose, Field(description="In the words of who opened it; card numbers are masked")]
ResolutionText = Annotated[
    str,
    Field(min_length=1, max_length=2_000, description="What the customer is told; card numbers are masked"),
    AfterValidator(prose),
    REDACTED,
]
_ItemIds = Annotated[tuple[ItemId, ...], Field(max_length=MAXIMUM_ITEMS, description="Items of this order")]


class CaseAbout(Part):
    """What a case is about. What is named has to be this customer's."""

    order_id: OrderId | None = None
    item_ids: _ItemIds = ()
    interaction_id: InteractionId | None = None
    feedback_id: FeedbackId | None = None
    case_id: Annotated[CaseId | None, Field(description="The case that this one follows")] = None


class CaseItem(Part):
    """An item of an order as it was when the case came to be about it."""

    id: ItemId
    kind: ItemKind
    label: Annotated[str, Field(max_length=200, examples=["IM204 LHR-JFK 2026-12-20"])]
    status: ShortText


class Resolution(Part):
    """How a case ended, and what the customer is told of it."""

    code: ResolutionCode
    text: ResolutionText | None = None


class CaseDraft(Part):
    """A case as a customer opens it."""

    type: CaseType
    category: Category | None = None
    subject: Annotated[FreeLine, Field(description="One line; card numbers are masked")]
    description: Description | None = None
    about: CaseAbout | None = None


class RecordedCaseDraft(CaseDraft):
    """A case as staff and systems open it."""

    priority: CasePriority = CasePriority.NORMAL
    channel: InteractionChannel | None = None
    assignee: Annotated[FreeLine | None, Field(description="Who looks after it: a name or a staff number")] = None
    opened_at: Annotated[
        Moment | None,
        AfterValidator(lambda moment: moment and in_milliseconds(moment)),
        Field(description="When it came in, if before now; not in the future"),
    ] = None


class CaseReference(Part):
    """How another system knows a case."""

    system: SystemName
    id: Text


class AboutPatch(Part):
    """Changes to what a case is about; the lists are replaced whole."""

    order_id: OrderId | None = None
    item_ids: _ItemIds | None = None
    interaction_id: InteractionId | None = None
    feedback_id: FeedbackId | None = None
    case_id: CaseId | None = None


class CasePatch(Part):
    """Changes to a case, as a merge patch. Its state is moved, and not patched."""

    reason: Annotated[FreeText | None, Field(description="Why; kept in the change log and not in the case")] = None
    type: CaseType | None = None
    category: Category | None = None
    subject: FreeLine | None = None
    description: Description | None = None
    priority: CasePriority | None = None
    channel: InteractionChannel | None = None
    assignee: FreeLine | None = None
    about: AboutPatch | None = None

    def changes(self) -> dict[str, Any]:
        """Return the patch as JSON values by their wire names: only what the caller named, without the reason."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"reason"})


class CaseMove(Part):
    """The next state of a case."""

    state: CaseState
    resolution: Annotated[Resolution | None, Field(description="Needed to resolve or close what has none yet")] = None
    reason: Annotated[FreeText | None, Field(description="Why; kept in the change log, where staff read it")] = None


class CommentDraft(Part):
    """What a customer adds to a case."""

    text: Prose


class RecordedCommentDraft(CommentDraft):
    """What staff add to a case, for the customer or for each other, or what a customer told them."""

    visibility: Visibility = Visibility.PUBLIC
    author: Annotated[Author, Field(description="Whose words they are; a customer's are public")] = Author.STAFF


_Version = Annotated[int, Field(ge=1, json_schema_extra={"format": "int64"})]
_CaseIdentity = Annotated[str, Field(max_length=30, examples=["cas_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])]


class OwnCase(Part):
    """A case as the customer reads it back. `version` counts changes from 1, those that only staff see among them."""

    id: _CaseIdentity
    customer_id: Annotated[str, Field(max_length=30, examples=["cus_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])]
    version: _Version
    state: CaseState
    type: CaseType
    category: Category | None = None
    subject: Annotated[str, Field(max_length=200)]
    description: Annotated[str | None, Field(max_length=10_000)] = None
    channel: InteractionChannel | None = None
    about: CaseAbout | None = None
    items: Annotated[tuple[CaseItem, ...], Field(max_length=MAXIMUM_ITEMS)]
    resolution: Resolution | None = None
    opened_at: Moment
    updated_at: Moment
    resolved_at: Moment | None = None
    closed_at: Moment | None = None


class Case(OwnCase):
    """A case as it is kept, and as staff read it back."""

    priority: CasePriority
    assignee: Annotated[str | None, Field(max_length=200)] = None
    opened_by: Author
    recorded_by: Annotated[str, Field(max_length=100, description="Who told of it, as asserted")]
    recorded_at: Moment
    reference: CaseReference | None = None
    comments: Annotated[int, Field(ge=0, json_schema_extra={"format": "int32"}, description="How many it has")]
    reopened: Annotated[int, Field(ge=0, json_schema_extra={"format": "int32"}, description="How often it was")]

    @property
    def order_id(self) -> str | None:
        """The order that it is about, if it is about one."""
        return self.about.order_id if self.about else None

    @property
    def settled(self) -> bool:
        """Whether nobody has to look after it any more."""
        return self.state in SETTLED

    def json_text(self) -> str:
        """Return the case as JSON, absent fields left out."""
        return self.model_dump_json(by_alias=True, exclude_none=True)

    def json_values(self) -> dict[str, Any]:
        """Return the case as JSON values by their wire names, absent fields left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @classmethod
    def read(cls, document: str) -> Self:
        """Return the case that a kept document is."""
        return cls.model_validate_json(document)


class OwnCaseSummary(Part):
    """A case as the customer's lists show it."""

    id: _CaseIdentity
    version: _Version
    state: CaseState
    type: CaseType
    category: Category | None = None
    subject: Annotated[str, Field(max_length=200)]
    order_id: OrderId | None = None
    item_ids: _ItemIds
    opened_at: Moment
    updated_at: Moment


class CaseSummary(OwnCaseSummary):
    """A case as the lists of staff show it."""

    priority: CasePriority
    assignee: Annotated[str | None, Field(max_length=200)] = None

    @classmethod
    def of(cls, case: Case) -> Self:
        """Return how lists show a case."""
        shared = {name: getattr(case, name) for name in cls.model_fields if name not in {"order_id", "item_ids"}}
        return cls(**shared, order_id=case.order_id, item_ids=case.about.item_ids if case.about else ())


_CommentNumber = Annotated[int, Field(ge=1, json_schema_extra={"format": "int32"}, description="Within its case")]


class OwnComment(Part):
    """A comment as the customer reads it back."""

    number: _CommentNumber
    case_id: _CaseIdentity
    author: Author
    text: Annotated[str, Field(max_length=10_000)]
    at: Moment


class Comment(OwnComment):
    """A comment as staff read it back."""

    visibility: Visibility
    recorded_by: Annotated[str, Field(max_length=100, description="Who told of it, as asserted")]

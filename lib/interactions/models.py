"""What an interaction is: what its sender says, one model per kind, and how it is read back."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag, TypeAdapter, WithJsonSchema

from lib.fields import FreeLine, Moment, Prose
from lib.interactions.attributes import (
    BaggageAttributes,
    CallAttributes,
    ChatAttributes,
    ChauffeurAttributes,
    CheckInAttributes,
    EmailAttributes,
    FlightAttributes,
    InFlightRetailAttributes,
    LoungeAttributes,
    OtherAttributes,
    ShopAttributes,
    SocialMentionAttributes,
)
from lib.interactions.words import Direction, EventSource, HappenedAt, InteractionChannel, InteractionKind, References
from lib.parts import VARIANT, Part

INTERACTION_PREFIX: Final = "int"


class _Told(Part):
    channel: InteractionChannel
    direction: Direction | None = None
    agent: Annotated[FreeLine | None, Field(description="Who acted for the airline: a name or a staff number")] = None
    subject: Annotated[FreeLine | None, Field(description="One line; card numbers are masked")] = None
    body: Annotated[Prose | None, Field(description="What was said; card numbers are masked")] = None
    references: References | None = None
    happened_at: HappenedAt
    source: EventSource | None = None


class CallDraft(_Told):
    """A telephone call."""

    kind: Literal[InteractionKind.CALL]
    attributes: CallAttributes | None = None


class EmailDraft(_Told):
    """An e-mail."""

    kind: Literal[InteractionKind.EMAIL]
    attributes: EmailAttributes | None = None


class ChatDraft(_Told):
    """A chat."""

    kind: Literal[InteractionKind.CHAT]
    attributes: ChatAttributes | None = None


class SocialMentionDraft(_Told):
    """A mention in a social network."""

    kind: Literal[InteractionKind.SOCIAL_MENTION]
    attributes: SocialMentionAttributes | None = None


class ShopDraft(_Told):
    """A purchase in a shop."""

    kind: Literal[InteractionKind.SHOP]
    attributes: ShopAttributes | None = None


class LoungeDraft(_Told):
    """A visit to a lounge."""

    kind: Literal[InteractionKind.LOUNGE]
    attributes: LoungeAttributes | None = None


class ChauffeurDraft(_Told):
    """A ride with the chauffeur service."""

    kind: Literal[InteractionKind.CHAUFFEUR]
    attributes: ChauffeurAttributes | None = None


class CheckInDraft(_Told):
    """A check-in."""

    kind: Literal[InteractionKind.CHECK_IN]
    attributes: CheckInAttributes | None = None


class BaggageDraft(_Told):
    """Something that happened to a bag."""

    kind: Literal[InteractionKind.BAGGAGE]
    attributes: BaggageAttributes


class InFlightRetailDraft(_Told):
    """A purchase on board."""

    kind: Literal[InteractionKind.IN_FLIGHT_RETAIL]
    attributes: InFlightRetailAttributes | None = None


class FlightDraft(_Told):
    """Something that happened with a flight."""

    kind: Literal[InteractionKind.FLIGHT]
    attributes: FlightAttributes


class OtherDraft(_Told):
    """Something that no other kind names. A kind that nobody knows is told here, with all that are known."""

    kind: Annotated[InteractionKind, WithJsonSchema({"const": InteractionKind.OTHER.value, "type": "string"})]
    attributes: OtherAttributes | None = None


def _variant(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, Mapping) else getattr(value, "kind", None)
    known = isinstance(kind, str) and kind in _KINDS
    return f"{VARIANT}{kind if known else InteractionKind.OTHER}"


_KINDS: Final = frozenset(kind.value for kind in InteractionKind)

InteractionDraft: TypeAlias = Annotated[
    Annotated[CallDraft, Tag(":call")]
    | Annotated[EmailDraft, Tag(":email")]
    | Annotated[ChatDraft, Tag(":chat")]
    | Annotated[SocialMentionDraft, Tag(":socialMention")]
    | Annotated[ShopDraft, Tag(":shop")]
    | Annotated[LoungeDraft, Tag(":lounge")]
    | Annotated[ChauffeurDraft, Tag(":chauffeur")]
    | Annotated[CheckInDraft, Tag(":checkIn")]
    | Annotated[BaggageDraft, Tag(":baggage")]
    | Annotated[InFlightRetailDraft, Tag(":inFlightRetail")]
    | Annotated[FlightDraft, Tag(":flight")]
    | Annotated[OtherDraft, Tag(":other")],
    Discriminator(_variant),
]
"""What a sender tells, by its kind."""

DRAFTS: Final[TypeAdapter[InteractionDraft]] = TypeAdapter(InteractionDraft)
"""Reads drafts from JSON values, for those who have many: `DRAFTS.validate_python({...})`."""

Attributes: TypeAlias = (
    CallAttributes
    | EmailAttributes
    | ChatAttributes
    | SocialMentionAttributes
    | ShopAttributes
    | LoungeAttributes
    | ChauffeurAttributes
    | CheckInAttributes
    | BaggageAttributes
    | InFlightRetailAttributes
    | FlightAttributes
    | OtherAttributes
)


class InteractionSummary(Part):
    """An interaction as lists show it: without its body and what only its kind has."""

    id: Annotated[str, Field(max_length=30, examples=["int_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])]
    kind: InteractionKind
    channel: InteractionChannel
    direction: Direction | None = None
    agent: Annotated[str | None, Field(max_length=200)] = None
    subject: Annotated[str | None, Field(max_length=200)] = None
    references: References | None = None
    happened_at: Moment
    recorded_at: Moment


class Interaction(InteractionSummary):
    """An interaction as it is read back."""

    customer_id: Annotated[str, Field(max_length=30, examples=["cus_01KAJ8W8Q9V3D0W3W7S2F5R3YT"])]
    body: Annotated[str | None, Field(max_length=10_000)] = None
    attributes: Annotated[Attributes | None, Field(description="What its kind has")] = None
    recorded_by: Annotated[str, Field(max_length=100, description="Who told of it, as asserted")]
    source: EventSource | None = None

"""The words of consent: purposes, channels, states, and how a statement was captured."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field


class KnownPurpose(StrEnum):
    """Purposes that every room knows. Others are named `custom-…`."""

    MARKETING = "marketing"
    PROFILING = "profiling"
    ANALYTICS = "analytics"
    PERSONALISATION = "personalisation"
    PARTNER_SHARING = "partnerSharing"
    RESEARCH = "research"
    SERVICE = "service"


PURPOSE_PATTERN: Final = f"^({'|'.join(KnownPurpose)}|custom-[a-z0-9][a-z0-9-]{{0,39}})$"
PurposeField = Field(
    min_length=1,
    max_length=47,
    pattern=PURPOSE_PATTERN,
    description="What it is for: one of the known purposes, or one of your own that begins with custom-",
    examples=["marketing"],
)
Purpose = Annotated[str, PurposeField]


class Channel(StrEnum):
    """By which way a customer may be reached. `any` stands for all, unless a channel says otherwise."""

    EMAIL = "email"
    SMS = "sms"
    PHONE = "phone"
    POST = "post"
    PUSH = "push"
    WHATSAPP = "whatsapp"
    ANY = "any"


class CapturedState(StrEnum):
    """What a customer can say."""

    GRANTED = "granted"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"


class State(StrEnum):
    """How consent stands at a moment. Nobody says `expired` or `unknown`: time does, and silence."""

    GRANTED = "granted"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class How(StrEnum):
    """How a statement was captured."""

    WEB = "web"
    APP = "app"
    CALL = "call"
    MESSAGE = "message"
    COUNTER = "counter"
    PAPER = "paper"
    IMPORT = "import"


class OwnHow(StrEnum):
    """How customers state things themselves."""

    WEB = "web"
    APP = "app"


class ProofKind(StrEnum):
    """What can prove that a statement was made."""

    FORM = "form"
    RECORDING = "recording"
    DOCUMENT = "document"
    MESSAGE = "message"
    LOG = "log"

"""What we decide about consents: which statement holds, how consent stands at a moment, and what is allowed. Pure.

The statement captured last holds; of several captured at one moment the strictest does. When a statement arrives has no
part in it, so late imports take their place in the history and change nothing that was said after them.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from lib.clock import in_milliseconds
from lib.consents.models import Capture, CapturedStatement, Consent, KeptCapture, OwnStatement
from lib.consents.vocabulary import CapturedState, Channel, How, State
from lib.errors import FieldProblem, InvalidError

# Systems' clocks differ a little; what claims to come from further ahead is a mistake.
_AHEAD: Final = timedelta(minutes=5)
_MOMENT: Final = timedelta(milliseconds=1)
_CEILING: Final = 10**15 - 1
_STRICTEST_FIRST: Final = (CapturedState.WITHDRAWN, CapturedState.DENIED, CapturedState.GRANTED)
_REFUSALS: Final = frozenset({State.DENIED, State.WITHDRAWN})

# What a statement does to the state before it, in the words of the timeline. Nothing is forbidden: "no" is never
# refused, and "yes" is refused only without its evidence (`lib.consents.models`). What withdrew can be given again by a
# statement captured later, and by nothing else.
MOVES: Final[Mapping[tuple[State, CapturedState], str]] = {
    (State.UNKNOWN, CapturedState.GRANTED): "given",
    (State.UNKNOWN, CapturedState.DENIED): "refused",
    (State.UNKNOWN, CapturedState.WITHDRAWN): "withdrawn",
    (State.GRANTED, CapturedState.GRANTED): "renewed",
    (State.GRANTED, CapturedState.DENIED): "refused",
    (State.GRANTED, CapturedState.WITHDRAWN): "withdrawn",
    (State.DENIED, CapturedState.GRANTED): "given",
    (State.DENIED, CapturedState.DENIED): "refusedAgain",
    (State.DENIED, CapturedState.WITHDRAWN): "withdrawn",
    (State.WITHDRAWN, CapturedState.GRANTED): "givenAgain",
    (State.WITHDRAWN, CapturedState.DENIED): "refused",
    (State.WITHDRAWN, CapturedState.WITHDRAWN): "withdrawnAgain",
    (State.EXPIRED, CapturedState.GRANTED): "renewed",
    (State.EXPIRED, CapturedState.DENIED): "refused",
    (State.EXPIRED, CapturedState.WITHDRAWN): "withdrawn",
}
NOTED: Final = "noted"


class ConsentInvalidError(InvalidError):
    """What was captured cannot be."""

    kind = "consent-invalid"
    title = "Not a valid statement of consent"


def captured_from(
    said: OwnStatement | CapturedStatement, *, before: Consent | None, now: datetime, version: int, actor: str
) -> Capture:
    """Return a statement as it is kept. Without a time it was made now, and after everything that was said before.

    Raises:
        ConsentInvalidError: it was captured in the future, or its validity ends before it begins.
    """
    if isinstance(said, OwnStatement):
        captured, valid_from = KeptCapture(at=_now(before, now), how=How(said.how.value)), None
    else:
        told = said.captured
        at = _now(before, now) if told.at is None else _past(told.at, now)
        captured = KeptCapture(at=at, how=told.how, place=told.place, agent=told.agent)
        valid_from = said.valid_from and in_milliseconds(said.valid_from)
    valid_until = said.valid_until and in_milliseconds(said.valid_until)
    _check_validity(captured.at, valid_from, valid_until)
    return Capture(
        state=said.state,
        text_version=said.text_version,
        language=said.language,
        captured=captured,
        proof=said.proof,
        valid_from=valid_from,
        valid_until=valid_until,
        recorded_at=max(now, captured.at),
        recorded_by=actor,
        version=version,
    )


def place_of(capture: Capture) -> str:
    """Return where a statement stands among those of its consent, as a text that sorts: the one that holds comes first.

    Newest first; of one moment the strictest first: a refusal, then the consent that is valid for less time.
    """
    content = capture.model_dump(mode="json", exclude={"recorded_at", "recorded_by", "version"})
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
    until = _milliseconds(capture.valid_until) if capture.valid_until else _CEILING
    begins = _milliseconds(capture.valid_from or capture.captured.at)
    return (
        f"{place_from(capture.captured.at)}{_STRICTEST_FIRST.index(capture.state)}"
        f"~{until:015d}~{_CEILING - begins:015d}~{digest}~{capture.version:013d}"
    )


def place_from(moment: datetime) -> str:
    """Return where what was captured at a moment, and everything before it, begins."""
    return f"{_CEILING - _milliseconds(moment):015d}~"


def state_of(capture: Capture | None, *, at: datetime) -> State:
    """Return how consent stands at a moment, given the statement that was captured last before it."""
    if capture is None:
        return State.UNKNOWN
    if capture.state is not CapturedState.GRANTED:
        return State(capture.state.value)
    if capture.valid_from is not None and at < capture.valid_from:
        return State.UNKNOWN
    if capture.valid_until is not None and at >= capture.valid_until:
        return State.EXPIRED
    return State.GRANTED


def standing(consent: Consent, holding: Capture | None, moment: datetime) -> Consent:
    """Return a consent as it stands at a moment, given the statement that holds then."""
    return consent.model_copy(update={"statement": holding, "state": state_of(holding, at=moment)})


class Because(StrEnum):
    """Why something is allowed, or not."""

    GRANTED = "granted"
    GRANTED_FOR_ANY_CHANNEL = "grantedForAnyChannel"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    REFUSED_FOR_ANY_CHANNEL = "refusedForAnyChannel"
    EXPIRED = "expired"
    NOT_YET_VALID = "notYetValid"
    NEVER_ASKED = "neverAsked"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a purpose may be pursued over a channel, and why."""

    allowed: bool
    because: Because


def decided(holding: Mapping[Channel, Capture], channel: Channel, *, at: datetime) -> Decision:
    """Return whether consent allows something at a moment. What was never asked for is not allowed (GDPR Art. 4(11)).

    What was said of the channel itself comes first. Consent for any channel covers it unless the channel was refused; a
    refusal of every channel ends consent for one of them that is older.
    """
    own, every = holding.get(channel), holding.get(Channel.ANY)
    state = state_of(own, at=at)
    if state in _REFUSALS or channel is Channel.ANY:
        return Decision(state is State.GRANTED, _because(own, state))
    for_any = state_of(every, at=at)
    if own is not None and state is State.GRANTED:
        overruled = every is not None and for_any in _REFUSALS and every.captured.at >= own.captured.at
        return Decision(not overruled, Because.REFUSED_FOR_ANY_CHANNEL if overruled else Because.GRANTED)
    if for_any is State.GRANTED:
        return Decision(allowed=True, because=Because.GRANTED_FOR_ANY_CHANNEL)
    if own is not None:
        return Decision(allowed=False, because=_because(own, state))
    refused = for_any in _REFUSALS
    return Decision(False, Because.REFUSED_FOR_ANY_CHANNEL if refused else _because(every, for_any))


def allows(consents: Sequence[Consent], purpose: str, channel: Channel, *, at: datetime) -> bool:
    """Tell whether a customer's consents allow a purpose over a channel now."""
    holding = {
        consent.channel: consent.statement
        for consent in consents
        if consent.purpose == purpose and consent.statement is not None
    }
    return decided(holding, channel, at=at).allowed


def _because(capture: Capture | None, state: State) -> Because:
    if state is State.UNKNOWN:
        return Because.NEVER_ASKED if capture is None else Because.NOT_YET_VALID
    return Because(state.value)


def _now(before: Consent | None, now: datetime) -> datetime:
    last = before.captured_at if before else None
    return now if last is None else max(now, last + _MOMENT)


def _past(at: datetime, now: datetime) -> datetime:
    if at > now + _AHEAD:
        raise ConsentInvalidError(
            "It was captured in the future.", [FieldProblem("/captured/at", "must not be in the future")]
        )
    return min(in_milliseconds(at), now)


def _check_validity(at: datetime, valid_from: datetime | None, valid_until: datetime | None) -> None:
    if valid_from is not None and valid_from < at:
        raise ConsentInvalidError(
            "Consent cannot begin before it was given.", [FieldProblem("/validFrom", "must not be before it was given")]
        )
    if valid_until is not None and valid_until <= (valid_from or at):
        raise ConsentInvalidError(
            "Consent would end before it begins.", [FieldProblem("/validUntil", "must be after it begins")]
        )


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)

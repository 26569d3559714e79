"""What the tests of consents say: statements by the day."""

from datetime import UTC, datetime, timedelta

from lib.consents.models import Capture, Captured, CapturedStatement, KeptCapture
from lib.consents.vocabulary import CapturedState, How

DAY_0 = datetime(2026, 6, 1, tzinfo=UTC)


def at_day(day: float) -> datetime:
    return DAY_0 + timedelta(days=day)


def capture(
    state: str,
    *,
    day: float = -2,
    begins: float | None = None,
    until: float | None = None,
    text: str = "t-1",
    recorded: float = 50,
    version: int = 1,
) -> Capture:
    granted = state == "granted"
    return Capture(
        state=CapturedState(state),
        text_version=text if granted else None,
        captured=KeptCapture(at=at_day(day), how=How.WEB),
        valid_from=at_day(begins) if granted and begins is not None else None,
        valid_until=at_day(until) if granted and until is not None and until > day else None,
        recorded_at=at_day(recorded),
        version=version,
    )


def statement(
    state: str, *, at: float | None = None, begins: float | None = None, until: float | None = None
) -> CapturedStatement:
    return CapturedStatement(
        state=CapturedState(state),
        text_version="t-1",
        captured=Captured(how=How.PAPER, at=None if at is None else at_day(at)),
        valid_from=None if begins is None else at_day(begins),
        valid_until=None if until is None else at_day(until),
    )

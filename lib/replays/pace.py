"""The rate of a replay: how many may be sent by now, counted from an anchor, so that a slow slice is made up for.

What the anchor forgets is not made up for: a crash, a pause, or more than a few seconds of being late. So in any
stretch of time no more is sent than the rate times its seconds and those few.
"""

from datetime import datetime, timedelta
from math import floor
from typing import Final

from lib.replays.models import Replay, ReplayState

MADE_UP_SECONDS: Final = 5.0
# No more than this is sent on and on without an outcome: the mainframe is slower than the rate, or down.
_UNANSWERED_SECONDS: Final = 60.0
_UNANSWERED_LEAST: Final = 100
_TICK_SECONDS: Final = 1.0
_LONGEST_TICK_SECONDS: Final = 5.0
_LONGEST_IDLE_SECONDS: Final = 15.0
_DOUBLINGS: Final = 10


def anchored(replay: Replay, now: datetime, *, afresh: bool) -> Replay:
    """Return the replay with an anchor to count from: a new one when asked for, else one that is not too long ago."""
    if afresh or replay.anchor_at is None:
        return replay.with_(anchor_at=now, anchor_sent=replay.sent)
    if _due(replay, replay.anchor_at, now) - replay.sent > 1 + floor(replay.request.rate_per_second * MADE_UP_SECONDS):
        return replay.with_(anchor_at=now - timedelta(seconds=MADE_UP_SECONDS), anchor_sent=replay.sent)
    return replay


def allowance(replay: Replay, now: datetime) -> int:
    """Return how many may be sent now."""
    if replay.anchor_at is None:
        return 0
    return max(0, min(_due(replay, replay.anchor_at, now) - replay.sent, room(replay)))


def room(replay: Replay) -> int:
    """Return how many may be sent before more outcomes are known, whatever the time."""
    rate = replay.request.rate_per_second
    unanswered = max(_UNANSWERED_LEAST, floor(rate * _UNANSWERED_SECONDS)) - replay.unanswered
    if replay.state is not ReplayState.CANARY:
        return max(0, min(replay.unsent, unanswered))
    # Whoever was superseded before it was sent proves nothing.
    return max(0, min(replay.unsent, unanswered, replay.request.canary - (replay.sent - replay.counts.superseded)))


def seconds_to_next(replay: Replay, now: datetime) -> float:
    """Return when the next slice is due: when more may be sent, no sooner than a tick; later while nothing moves."""
    if room(replay) and replay.anchor_at is not None:
        so_far = (replay.sent - replay.anchor_sent) / replay.request.rate_per_second
        until_next = (replay.anchor_at - now).total_seconds() + so_far
        return max(_TICK_SECONDS, min(until_next, _LONGEST_TICK_SECONDS))
    return min(_LONGEST_IDLE_SECONDS, _TICK_SECONDS * 2 ** min(replay.idle_slices, _DOUBLINGS))


def _due(replay: Replay, anchor_at: datetime, now: datetime) -> int:
    elapsed = max(0.0, (now - anchor_at).total_seconds())
    return replay.anchor_sent + 1 + floor(elapsed * replay.request.rate_per_second)

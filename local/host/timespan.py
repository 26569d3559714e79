"""Durations as .NET writes them: `hh:mm:ss`, `d.hh:mm:ss`, `hh:mm:ss.fff`, or a bare number of days."""

import re

_FORM = re.compile(
    r"\s*(?:(?P<only_days>\d+)"
    r"|(?:(?P<days>\d+)\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{1,2})(?::(?P<seconds>\d{1,2})(?P<fraction>\.\d{1,7})?)?)\s*"
)
_DAY_SECONDS = 86_400


def parse_timespan(text: str) -> float:
    """Return the duration in seconds. Raises ValueError for anything that .NET would refuse, and for negative ones."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is not a duration like 00:00:30.")
    if found["only_days"] is not None:
        return float(int(found["only_days"]) * _DAY_SECONDS)
    hours, minutes, seconds = int(found["hours"]), int(found["minutes"]), int(found["seconds"] or 0)
    if hours > 23 or minutes > 59 or seconds > 59:  # noqa: PLR2004 - the clock's own limits
        raise ValueError(f"'{text}' is not a duration like 00:00:30: hours end at 23, minutes and seconds at 59.")
    whole = int(found["days"] or 0) * _DAY_SECONDS + hours * 3600 + minutes * 60 + seconds
    return whole + float(found["fraction"] or 0)

"""How big a storm is."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Size:
    """Writes and customers, and how often hosts go down. The load goes on until all of it was done.

    What is `cut_short` ends at its limit, and then need not have dealt every blow of the plan, but each kind of them.
    """

    operations: int
    customers: int
    workers: int
    kills_per_point: int
    kills_per_rare_point: int
    other_blows: int
    down_seconds: float
    limit_seconds: float
    replayed_failures: int
    cut_short: bool = False


SMALL: Final = Size(
    operations=300, customers=40, workers=8, kills_per_point=1, kills_per_rare_point=0, other_blows=1,
    down_seconds=4, limit_seconds=120, replayed_failures=200,
)  # fmt: skip
DEFAULT: Final = Size(
    operations=5_000, customers=500, workers=48, kills_per_point=10, kills_per_rare_point=5, other_blows=5,
    down_seconds=15, limit_seconds=540, replayed_failures=5_000,
)  # fmt: skip
NIGHTLY: Final = Size(
    operations=100_000, customers=2_000, workers=48, kills_per_point=30, kills_per_rare_point=30, other_blows=30,
    down_seconds=120, limit_seconds=9_000, replayed_failures=5_000,
)  # fmt: skip
BY_NAME: Final = {"small": SMALL, "default": DEFAULT, "nightly": NIGHTLY}

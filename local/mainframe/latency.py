"""How long a transaction takes: fixed, uniform or lognormal, because a mean alone hides the slow ones."""

import math
from random import Random
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

_MAX_MILLISECONDS = 600_000

Milliseconds: TypeAlias = Annotated[float, Field(ge=0, le=_MAX_MILLISECONDS, allow_inf_nan=False)]


class _Distribution(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class FixedLatency(_Distribution):
    """Always the same."""

    distribution: Literal["fixed"] = "fixed"
    milliseconds: Milliseconds

    def seconds(self, random: Random) -> float:
        """Return how long the next transaction takes."""
        del random
        return self.milliseconds / 1000


class UniformLatency(_Distribution):
    """Anything between two bounds."""

    distribution: Literal["uniform"] = "uniform"
    from_milliseconds: Milliseconds
    to_milliseconds: Milliseconds

    def seconds(self, random: Random) -> float:
        """Return how long the next transaction takes."""
        return random.uniform(self.from_milliseconds, self.to_milliseconds) / 1000


class LognormalLatency(_Distribution):
    """Half are faster than the median, and a few take very long, as in real life."""

    distribution: Literal["lognormal"] = "lognormal"
    median_milliseconds: Annotated[float, Field(gt=0, le=_MAX_MILLISECONDS, allow_inf_nan=False)]
    sigma: Annotated[float, Field(gt=0, le=3, allow_inf_nan=False)] = 0.5

    def seconds(self, random: Random) -> float:
        """Return how long the next transaction takes."""
        drawn = random.lognormvariate(math.log(self.median_milliseconds), self.sigma)
        return min(drawn, _MAX_MILLISECONDS) / 1000


Latency: TypeAlias = Annotated[FixedLatency | UniformLatency | LognormalLatency, Field(discriminator="distribution")]


def parse_latency(text: str) -> FixedLatency | UniformLatency | LognormalLatency:
    """Return the latency that a setting names: `50`, `uniform:20:80` or `lognormal:50:0.5`. Raises ValueError."""
    kind, *numbers = text.split(":")
    match kind, [float(number) for number in numbers]:
        case "uniform", [low, high]:
            return UniformLatency(from_milliseconds=low, to_milliseconds=high)
        case "lognormal", [median, sigma]:
            return LognormalLatency(median_milliseconds=median, sigma=sigma)
        case _, []:
            return FixedLatency(milliseconds=float(kind))
        case _:
            message = f"{text} is not a latency; try 50, uniform:20:80 or lognormal:50:0.5"
            raise ValueError(message)

"""What the environment says about the stand-in; the only file here that reads it."""

import os
from dataclasses import dataclass

from local.mainframe.latency import FixedLatency, LognormalLatency, UniformLatency, parse_latency

_DEFAULT_LATENCY = "50"
_DEFAULT_REGIONS = "8"


@dataclass(frozen=True, slots=True)
class Environment:
    """Latency and regions to start with."""

    latency: FixedLatency | UniformLatency | LognormalLatency
    regions: int


def read_environment() -> Environment:
    """Return what MAINFRAME_LATENCY_MS and MAINFRAME_REGIONS say. Raises ValueError with a sentence for nonsense."""
    latency = os.environ.get("MAINFRAME_LATENCY_MS", _DEFAULT_LATENCY)
    regions = os.environ.get("MAINFRAME_REGIONS", _DEFAULT_REGIONS)
    if not (regions.isdigit() and int(regions)):
        message = f"MAINFRAME_REGIONS is {regions}; it must be a whole number above 0."
        raise ValueError(message)
    try:
        return Environment(parse_latency(latency), int(regions))
    except ValueError:
        message = f"MAINFRAME_LATENCY_MS is {latency}; try 50, uniform:20:80 or lognormal:50:0.5."
        raise ValueError(message) from None

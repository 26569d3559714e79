"""The platform of this process: built once, when the first request or message needs it."""

from functools import cache

from lib.settings import read_settings
from lib.wiring import Platform, build


@cache
def platform() -> Platform:
    """Return the platform of this process."""
    return build(read_settings())

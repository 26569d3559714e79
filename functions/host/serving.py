"""The platform of this process: built once, when the first request or message needs it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from lib.settings import read_settings
from lib.wiring import Platform, build


def _from_environment() -> Platform:
    return build(read_settings())


@dataclass(slots=True)
class Serving:
    """Holds the one platform. Who puts faults around its parts replaces `builder` before the first use."""

    builder: Callable[[], Platform] = _from_environment
    _built: Platform | None = field(default=None)

    def platform(self) -> Platform:
        """Return the platform, built at the first call."""
        if self._built is None:
            self._built = self.builder()
        return self._built


SERVING: Final = Serving()


def platform() -> Platform:
    """Return the platform of this process."""
    return SERVING.platform()

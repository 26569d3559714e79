"""Ids arrive through here: prefixed, 128 bits in Crockford base 32, and no promise of order."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Protocol

from lib.clock import Clock, SystemClock

ID_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 26
_SHAPE = re.compile(r"[a-z]{3}_[0-9A-HJKMNP-TV-Z]{26}")


def crockford(number: int) -> str:
    """Return 128 bits as 26 characters of Crockford base 32."""
    return "".join(ID_ALPHABET[(number >> shift) & 31] for shift in range(5 * (_LENGTH - 1), -1, -5))


def is_id(text: str, *, prefix: str) -> bool:
    """Tell whether the text has the shape of an id with this prefix."""
    return text.startswith(f"{prefix}_") and _SHAPE.fullmatch(text) is not None


class Ids(Protocol):
    """Makes ids."""

    def new(self, prefix: str) -> str:
        """Return an id that was never made before."""
        ...


@dataclass(frozen=True, slots=True)
class UlidIds:
    """Ids whose first 48 bits are the time in milliseconds and whose other 80 are random (the ULID layout)."""

    clock: Clock

    def new(self, prefix: str) -> str:
        """Return an id that was never made before."""
        milliseconds = int(self.clock.now().timestamp() * 1000)
        return f"{prefix}_{crockford((milliseconds << 80) | secrets.randbits(80))}"


SYSTEM_IDS = UlidIds(SystemClock())


@dataclass(frozen=True, slots=True)
class Seal:
    """Keyed digests for one purpose, so that a digest made for one use says nothing in another.

    HMAC-SHA-256 (RFC 2104); the key of each purpose is itself an HMAC of the platform's secret.
    """

    key: bytes

    @classmethod
    def for_purpose(cls, secret: str, purpose: str) -> "Seal":
        """Return the seal of one purpose under the platform's secret."""
        return cls(hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).digest())

    def digest(self, *parts: str) -> bytes:
        """Return 32 bytes that only holders of the secret can make from these parts."""
        message = b"".join(len(raw).to_bytes(4, "big") + raw for raw in (part.encode() for part in parts))
        return hmac.new(self.key, message, hashlib.sha256).digest()

    def id(self, prefix: str, *parts: str) -> str:
        """Return the id that these parts always give: the first 128 bits of their digest."""
        return f"{prefix}_{crockford(int.from_bytes(self.digest(*parts)[:16], 'big'))}"

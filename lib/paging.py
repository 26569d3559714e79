"""Pages of long lists: a limit, and a cursor that callers can neither read nor change."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from lib.errors import MalformedRequestError
from lib.ids import Seal

DEFAULT_LIMIT = 50
MAXIMUM_LIMIT = 200
MAXIMUM_CURSOR_LENGTH = 2048
_MAC_BYTES = 16

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items of a list, and the cursor of the next page, or None at the end."""

    items: Sequence[Item]
    cursor: str | None


class BadCursorError(MalformedRequestError):
    """The cursor is not one that this list gave out."""

    kind = "bad-cursor"
    title = "Unknown cursor"


@dataclass(frozen=True, slots=True)
class Cursors:
    """Turns a position in one list into an opaque, tamper-proof text and back."""

    seal: Seal

    def give(self, position: str, *, listing: str) -> str:
        """Return the cursor for a position in a listing (its name and filters)."""
        raw = position.encode()
        return base64.urlsafe_b64encode(self.seal.digest(listing, position)[:_MAC_BYTES] + raw).decode().rstrip("=")

    def take(self, cursor: str, *, listing: str) -> str:
        """Return the position that a cursor of this listing stands for.

        Raises:
            BadCursorError: the cursor was changed, made up, or belongs to another listing.
        """
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            mac, position = raw[:_MAC_BYTES], raw[_MAC_BYTES:].decode()
        except (binascii.Error, ValueError):
            raise BadCursorError("The cursor is not one that this list gave out.") from None
        if not hmac.compare_digest(mac, self.seal.digest(listing, position)[:_MAC_BYTES]):
            raise BadCursorError("The cursor is not one that this list gave out.")
        return position

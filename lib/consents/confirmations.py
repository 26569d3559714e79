"""Confirmation tokens of double opt-in: sealed, so that nobody can make one, and kept nowhere, so that none can leak.

A token goes to whoever sends the confirmation message, over the private API only: that it comes back shows that the
message reached the customer's own address or number.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from lib.consents.subscriptions import Subscription, SubscriptionState
from lib.errors import NotFoundError
from lib.ids import Seal

VALID_FOR: Final = timedelta(days=7)
MAXIMUM_TOKEN_LENGTH: Final = 300
_MAC_BYTES: Final = 20
_PARTS: Final = 4


class ConfirmationUnknownError(NotFoundError):
    """The token is not one that was given out."""

    kind = "confirmation-unknown"
    title = "No such confirmation"

    def __init__(self) -> None:
        super().__init__("There is no confirmation with this token.")


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a token stands for: the request of one customer to be subscribed to one group."""

    customer_id: str
    group: str
    requested_version: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Confirmations:
    """Makes tokens and takes them back."""

    seal: Seal

    def awaited(self, subscription: Subscription, *, now: datetime) -> Confirmation | None:
        """Return the confirmation that a subscription waits for, while it can still be given."""
        if subscription.state is not SubscriptionState.PENDING:
            return None
        if subscription.requested_at is None or subscription.requested_version is None:
            return None
        expires_at = subscription.requested_at + VALID_FOR
        if now >= expires_at:
            return None
        return Confirmation(subscription.customer_id, subscription.group, subscription.requested_version, expires_at)

    def token(self, confirmation: Confirmation) -> str:
        """Return the token of a confirmation; it is the same every time."""
        milliseconds = round(confirmation.expires_at.timestamp() * 1000)
        said = f"{confirmation.customer_id}~{confirmation.group}~{confirmation.requested_version}~{milliseconds}"
        return base64.urlsafe_b64encode(self._mac(said) + said.encode()).decode().rstrip("=")

    def take(self, token: str) -> Confirmation:
        """Return what a token stands for.

        Raises:
            ConfirmationUnknownError: it was changed, or made up.
        """
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            mac, said = raw[:_MAC_BYTES], raw[_MAC_BYTES:].decode()
        except (binascii.Error, ValueError):
            raise ConfirmationUnknownError from None
        parts = said.split("~")
        if not hmac.compare_digest(mac, self._mac(said)) or len(parts) != _PARTS:
            raise ConfirmationUnknownError
        customer_id, group, version, milliseconds = parts
        found = Confirmation(customer_id, group, int(version), datetime.fromtimestamp(int(milliseconds) / 1000, UTC))
        if self.token(found) != token:  # base64 has several spellings of the same bytes
            raise ConfirmationUnknownError
        return found

    def _mac(self, said: str) -> bytes:
        return self.seal.digest("confirmation", said)[:_MAC_BYTES]

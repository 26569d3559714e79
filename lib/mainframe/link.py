"""What the delivery may ask of the mainframe, whoever answers: the real link, or an in-memory one in simulations."""

from typing import Protocol

from lib.mainframe.protocol import Reply


class Link(Protocol):
    """One attempt per call; nothing is tried again in here: only the caller knows what an unknown outcome costs.

    Every method raises MainframeUnreachableError when nothing was sent, NoAnswerError when the outcome is unknown.
    """

    async def update(self, *, subject: str, key: str, version: int, trace: str, body: bytes) -> Reply:
        """Hand over a subject's state. Every return code comes back as a reply, busy and abended too."""
        ...

    async def inquire(self, *, subject: str, key: str) -> int | None:
        """Return the version that is held, or None. Raises MainframeRefusedError for busy and abended."""
        ...

    async def browse(self, *, subject: str, after: str, limit: int) -> list[tuple[str, int]]:
        """Return at most `limit` (never more than 50) keys and versions after a key, in EBCDIC order.

        An empty list says that there is nothing behind the key. Raises MainframeRefusedError for busy and abended.
        """
        ...

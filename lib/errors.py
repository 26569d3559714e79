"""The kinds of refusal, named by what happened; only the edges decide what each becomes (an HTTP status, a retry).

A room adds one subclass per case, beside the code that raises it. Every message is a sentence that a caller may read.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one part of a body: a JSON pointer (RFC 6901) and a sentence, never the value itself."""

    pointer: str
    detail: str


class PlatformError(Exception):
    """We could not do what was asked; the message says why."""

    kind = "error"
    title = "The request failed"

    @property
    def private_holder(self) -> str | None:
        """The customer who has what was asked for; told to callers inside the company only."""
        return None


class MalformedRequestError(PlatformError):
    """The request cannot be read."""

    kind = "malformed-request"
    title = "The request cannot be read"


class InvalidError(PlatformError):
    """The request can be read but breaks rules; `problems` says which, part by part."""

    kind = "invalid"
    title = "The request breaks a rule"

    def __init__(self, detail: str, problems: Sequence[FieldProblem] = ()) -> None:
        super().__init__(detail)
        self.problems = tuple(problems)


class NotFoundError(PlatformError):
    """There is no such thing, or the caller may not know of it."""

    kind = "not-found"
    title = "Not found"


class ConflictError(PlatformError):
    """What is asked contradicts what is kept."""

    kind = "conflict"
    title = "Conflict with what is kept"


class StaleError(PlatformError):
    """The caller's version is no longer the current one."""

    kind = "stale"
    title = "Changed since it was read"


class PreconditionMissingError(PlatformError):
    """The caller must say which version it read."""

    kind = "precondition-missing"
    title = "If-Match is required"


class IdempotencyMismatchError(PlatformError):
    """The idempotency key was used before, with another body."""

    kind = "idempotency-key-reused"
    title = "Idempotency key used with another body"


class TooLargeError(PlatformError):
    """The body is larger than is taken here."""

    kind = "too-large"
    title = "Body too large"


class UnsupportedMediaTypeError(PlatformError):
    """The body is of a kind that is not taken here."""

    kind = "unsupported-media-type"
    title = "Unsupported media type"


class NotAuthenticatedError(PlatformError):
    """The caller did not show the key that is demanded here."""

    kind = "not-authenticated"
    title = "Not authenticated"


class UnavailableError(PlatformError):
    """It cannot be done now; the same request may work later."""

    kind = "unavailable"
    title = "Not available now"

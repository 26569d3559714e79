"""Entity tags: made of an entity's version and the view that was read, never of a storage row."""

import re
from typing import Final

from lib.errors import MalformedRequestError, PreconditionMissingError, StaleError

ETAG_PATTERN: Final = '"(0|[1-9][0-9]{0,17})-[a-z]{1,20}"'
_OURS: Final = re.compile(ETAG_PATTERN)
_ANY_STRONG: Final = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')
_ANY_TAG: Final = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def etag(version: int, view: str) -> str:
    """Return the strong entity tag of one version in one view."""
    return f'"{version}-{view}"'


def expected_version(if_match: str | None) -> int:
    """Return the version that an If-Match header names.

    Raises:
        PreconditionMissingError: there is no such header.
        MalformedRequestError: it is not exactly one entity tag; `*` and lists would hide a lost update.
        StaleError: it is a tag that no current version has (a weak one never matches, RFC 9110 section 13.1.1).
    """
    if if_match is None:
        raise PreconditionMissingError("Send If-Match with the ETag that you read, so that no other change is lost.")
    text = if_match.strip()
    if _OURS.fullmatch(text):
        return int(text[1:].partition("-")[0])
    if _ANY_STRONG.fullmatch(text) or (text.startswith("W/") and _ANY_STRONG.fullmatch(text[2:])):
        raise StaleError("The ETag in If-Match is not one that this resource has.")
    raise MalformedRequestError("If-Match must be exactly one ETag, as it was read.")


def named_version(if_match: str | None) -> int | None:
    """Return the version that an If-Match header names, or None where an action may be asked without one.

    Raises:
        MalformedRequestError, StaleError: as `expected_version`.
    """
    return None if if_match is None else expected_version(if_match)


def expected_or_first(if_match: str | None, if_none_match: str | None) -> int:
    """Return the version that a write is to be made over: the one in If-Match, or 0 for `If-None-Match: *`.

    Raises:
        PreconditionMissingError: neither header is there.
        MalformedRequestError: one cannot be used.
        StaleError: If-Match is a tag that no current version has, or both are there, which nothing satisfies.
    """
    if if_none_match is None:
        return expected_version(if_match)
    if if_none_match.strip() != "*":
        raise MalformedRequestError("If-None-Match must be *, for the first; otherwise send If-Match with an ETag.")
    if if_match is not None:
        raise StaleError("Nothing both has the ETag in If-Match and is not there yet; send one of the two headers.")
    return 0


def creates_only(if_none_match: str | None) -> bool:
    """Tell whether an If-None-Match header of a write asks that nothing is there yet.

    Raises:
        MalformedRequestError: it is something else than `*`: to write only over other versions has no use.
    """
    if if_none_match is None:
        return False
    if if_none_match.strip() != "*":
        raise MalformedRequestError("If-None-Match must be * here: create only.")
    return True


def not_modified(if_none_match: str | None, current: str) -> bool:
    """Tell whether an If-None-Match header already names the current entity tag (weak comparison, RFC 9110)."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    return current in _ANY_TAG.findall(if_none_match)

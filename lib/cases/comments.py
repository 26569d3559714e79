"""How comments are kept: a row each in the customer's partition, numbered within its case, never changed."""

from typing import Final

from lib.cases.models import Comment, Visibility
from lib.storage.documents import joined, split
from lib.storage.ports import Insert, Row
from lib.timeline.ranges import KeyRange

_PREFIX: Final = "casecomment~"
_DOCUMENT: Final = "document"


def comment_text(comment: Comment) -> str:
    """Return a comment as JSON, as staff read it back."""
    return comment.model_dump_json(by_alias=True)


def comment_write(comment: Comment) -> Insert:
    """Return the write of a comment, for the transaction of its case."""
    key = comment_key(comment.case_id, comment.number)
    return Insert(key, {"visibility": comment.visibility.value, **split(_DOCUMENT, comment_text(comment))})


def comment_key(case_id: str, number: int) -> str:
    """Return the row key of a comment."""
    return f"{_PREFIX}{case_id}~{number:06d}"


def comments_range(case_id: str, *, public: bool) -> KeyRange:
    """Return where the comments of a case stand, or with `public` those that the customer sees."""
    return KeyRange.of_prefix(f"{_PREFIX}{case_id}~", where={"visibility": Visibility.PUBLIC.value} if public else None)


def kept_comment(row: Row, *, public: bool) -> str | None:
    """Return the comment that a row keeps as JSON; with `public`, None for what the customer does not see."""
    if public and row.values["visibility"] != Visibility.PUBLIC:
        return None
    return joined(_DOCUMENT, row.values)

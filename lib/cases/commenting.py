"""What we do for the comments of cases: add them, read them, list them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lib.cases.comments import comment_key, comment_text, comments_range, kept_comment
from lib.cases.models import Case, Comment, CommentDraft
from lib.cases.rules import commented
from lib.cases.service import CaseService, Made
from lib.changes.operation import Answer, Operation
from lib.errors import NotFoundError
from lib.paging import Page

_LISTING: Final = "case-comments"


class CommentNotFoundError(NotFoundError):
    """The case has no comment with this number."""

    kind = "case-comment-not-found"
    title = "No such comment"

    def __init__(self) -> None:
        super().__init__("The case has no comment with this number.")


@dataclass(frozen=True, slots=True)
class CommentService:
    """The operations on the comments of cases."""

    cases: CaseService

    async def add(self, *, customer_id: str, case_id: str, draft: CommentDraft, operation: Operation) -> Answer:
        """Add a comment, and return it as staff read it back; its number is the answer's id.

        Raises:
            CaseClosedError: the case is closed.
            CommentsFullError: it has as many comments as it may have.
            CaseInvalidError: words of the customer are marked as internal.
            CustomerNotFoundError, CaseNotFoundError: there is none.
            IdempotencyMismatchError: the key was used with another comment.
            UnavailableError: it cannot be done now.
        """
        said: list[Comment] = []

        async def make(case: Case, version: int, at: datetime) -> Made:
            after, comment = commented(case, draft, actor=operation.actor, version=version, at=at)
            said.append(comment)
            return after, comment

        answer = await self.cases.change(
            customer_id=customer_id,
            case_id=case_id,
            expected_version=None,
            operation=operation,
            reason="",
            make=make,
        )
        if not answer.replayed:
            return _answer(said[-1].number, comment_text(said[-1]))
        first = await self.read(
            customer_id=customer_id, case_id=case_id, number=Case.read(answer.document).comments, public=False
        )
        return _answer(int(first.entity_id), first.document, replayed=True)

    async def read(self, *, customer_id: str, case_id: str, number: int, public: bool) -> Answer:
        """Return a comment as staff read it back, in one storage call; with `public`, only what the customer sees.

        Raises:
            CustomerNotFoundError, CaseNotFoundError, CommentNotFoundError: there is none.
        """
        await self.cases.check_ids(customer_id, case_id)
        row = await self.cases.entities.table.get(customer_id, comment_key(case_id, number))
        found = kept_comment(row, public=public) if row else None
        if found is None:
            await self.cases.kept(customer_id, case_id)
            raise CommentNotFoundError
        return _answer(number, found)

    async def page(self, *, customer_id: str, case_id: str, public: bool, limit: int, cursor: str | None) -> Page[str]:
        """Return a page of a case's comments as staff read them back, the first first, in one storage call.

        Raises:
            CustomerNotFoundError, CaseNotFoundError: there is none.
            BadCursorError: the cursor is not one that this list gave out.
        """
        await self.cases.check_ids(customer_id, case_id)
        asked = comments_range(case_id, public=public)
        found = await self.cases.pages.read(customer_id, asked, limit=limit, cursor=cursor, name=_LISTING)
        if not found.items and found.cursor is None and cursor is None:
            await self.cases.kept(customer_id, case_id)
        texts = (kept_comment(row, public=public) for row in found.items)
        return Page([text for text in texts if text is not None], found.cursor)


def _answer(number: int, document: str, *, replayed: bool = False) -> Answer:
    return Answer(entity_id=str(number), version=1, document=document, replayed=replayed)

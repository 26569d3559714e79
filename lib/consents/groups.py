"""Subscription groups: what can be subscribed to, for which purpose and over which channel. Operations define them."""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field, field_validator

from lib.changes.once import Once
from lib.changes.operation import Answer, Operation
from lib.clock import Clock, in_milliseconds
from lib.consents.vocabulary import Channel, Purpose
from lib.errors import ConflictError, NotFoundError, StaleError, UnavailableError
from lib.fields import Moment, Text
from lib.paging import Cursors, Page
from lib.parts import Part
from lib.storage.errors import OutcomeUnknownError, RowChangedError, RowExistsError
from lib.storage.ports import Insert, Replace, Row, Table

GROUPS_TABLE: Final = "subscriptiongroups"
MOST_GROUPS: Final = 100
GROUP_PATTERN: Final = "^[a-z0-9][a-z0-9-]{0,39}$"
GroupName = Annotated[str, Field(min_length=1, max_length=40, pattern=GROUP_PATTERN, examples=["weekly-offers"])]
_PARTITION: Final = "group"
_LISTING: Final = "subscription-groups"


class GroupDetails(Part):
    """What operations say of a group. Its purpose and channel stay what they were when people subscribed."""

    name: Text
    purpose: Purpose
    channel: Channel
    double_opt_in: Annotated[bool, Field(strict=True, description="Whether a subscription must be confirmed")] = False

    @field_validator("channel")
    @classmethod
    def _one_channel(cls, value: Channel) -> Channel:
        if value is Channel.ANY:
            raise ValueError("a group is sent over one channel")
        return value


class Group(GroupDetails):
    """A group as it is kept."""

    group: GroupName
    version: Annotated[int, Field(ge=1, json_schema_extra={"format": "int64"})]
    updated_at: Moment


class GroupNotFoundError(NotFoundError):
    """There is no subscription group of this name."""

    kind = "subscription-group-not-found"
    title = "No such subscription group"

    def __init__(self) -> None:
        super().__init__("There is no subscription group of this name.")


class GroupChangedError(StaleError):
    """The group changed since the caller read it."""

    kind = "subscription-group-changed"

    def __init__(self) -> None:
        super().__init__("The subscription group changed since it was read; read it again and repeat the change.")


class GroupFixedError(ConflictError):
    """People subscribed for one purpose and channel; another one is another group."""

    kind = "subscription-group-fixed"
    title = "Purpose and channel are fixed"

    def __init__(self) -> None:
        super().__init__("Purpose and channel of a group do not change; define another group.")


class TooManyGroupsError(ConflictError):
    """There are as many groups as there can be."""

    kind = "too-many-subscription-groups"
    title = "Too many subscription groups"

    def __init__(self) -> None:
        super().__init__(f"There can be {MOST_GROUPS} subscription groups.")


@dataclass(frozen=True, slots=True)
class GroupService:
    """The operations on subscription groups."""

    table: Table
    once: Once
    clock: Clock
    cursors: Cursors

    async def read(self, group: str) -> Group:
        """Return a group, in one storage call.

        Raises:
            GroupNotFoundError: there is none of this name.
        """
        row = await self.table.get(_PARTITION, group)
        if row is None:
            raise GroupNotFoundError
        return _group(row)

    async def list_page(self, *, limit: int, cursor: str | None) -> Page[Group]:
        """Return a page of all groups by name.

        Raises:
            BadCursorError: the cursor is not one that this list gave out.
        """
        resume = self.cursors.take(cursor, listing=_LISTING) if cursor else None
        page = await self.table.page(_PARTITION, limit=limit, resume=resume)
        following = self.cursors.give(page.resume, listing=_LISTING) if page.resume else None
        return Page([_group(row) for row in page.rows], following)

    async def define(self, *, group: str, details: GroupDetails, expected_version: int, operation: Operation) -> Answer:
        """Define a group anew, or over the version that the caller read.

        Raises:
            GroupChangedError: the version is no longer the current one.
            GroupFixedError: purpose or channel would change.
            TooManyGroupsError: there are as many groups as there can be.
            IdempotencyMismatchError: the key was used with other details.
            UnavailableError: it cannot be done now.
        """

        async def work() -> Answer:
            kept = await self._defined(group, details, expected_version, operation)
            return Answer(
                entity_id=group,
                version=kept.version,
                document=kept.model_dump_json(by_alias=True, exclude_none=True),
            )

        return await self.once.answer(operation, work)

    async def _defined(self, group: str, details: GroupDetails, expected: int, operation: Operation) -> Group:
        row = await self.table.get(_PARTITION, group)
        before = _group(row) if row else None
        if (before.version if before else 0) != expected:
            raise GroupChangedError
        if before is None:
            await self._check_room()
        elif (before.purpose, before.channel) != (details.purpose, details.channel):
            raise GroupFixedError
        after = Group(
            **details.model_dump(), group=group, version=expected + 1, updated_at=in_milliseconds(self.clock.now())
        )
        values = {
            "version": after.version,
            "actor": operation.actor,
            "attempt": operation.attempt,
            "document": after.model_dump_json(by_alias=True),
        }
        write = Insert(group, values) if row is None else Replace(group, values, row.etag)
        try:
            await self.table.write(_PARTITION, write)
        except (RowExistsError, RowChangedError, OutcomeUnknownError) as refused:
            found = await self.table.get(_PARTITION, group)
            if found is None or found.values["attempt"] != operation.attempt:
                if isinstance(refused, OutcomeUnknownError):
                    raise UnavailableError("Storage did not say whether the group was defined; repeat it.") from None
                raise GroupChangedError from None
        return after

    async def _check_room(self) -> None:
        groups, resume = 0, None
        while True:
            page = await self.table.page(_PARTITION, limit=MOST_GROUPS, resume=resume)
            groups, resume = groups + len(page.rows), page.resume
            if groups >= MOST_GROUPS:
                raise TooManyGroupsError
            if resume is None:
                return


def _group(row: Row) -> Group:
    return Group.model_validate_json(str(row.values["document"]))

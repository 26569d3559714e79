"""The one list of queues, and of who must hear about which subject."""

from enum import StrEnum
from typing import Final


class QueueName(StrEnum):
    """Queues that functions listen to. Each has a poison queue beside it."""

    CHANGES = "changes"
    CHANGES_BULK = "changes-bulk"
    MAINFRAME_UPDATES = "mainframe-updates"
    MAINFRAME_UPDATES_BULK = "mainframe-updates-bulk"
    FAILURE_OUTCOMES = "failure-outcomes"
    REPLAY_REQUESTS = "replay-requests"
    RECONCILIATION_SLICES = "reconciliation-slices"
    FLIGHT_EVENTS = "flight-events"
    IMPORT_SLICES = "import-slices"
    IDENTIFIER_REBUILD_SLICES = "identifier-rebuild-slices"

    @property
    def poison(self) -> str:
        """The queue to which the host moves messages that cannot be handled."""
        return f"{self.value}-poison"


class Subject(StrEnum):
    """Kinds of entities whose changes are carried to consumers."""

    CUSTOMER = "customer"
    PREFERENCES = "preferences"
    ORDER = "order"
    CONSENT = "consent"
    SUBSCRIPTION = "subscription"
    CASE = "case"


CONSUMERS: Final[dict[Subject, tuple[QueueName, ...]]] = {
    Subject.CUSTOMER: (QueueName.MAINFRAME_UPDATES,),
    Subject.PREFERENCES: (),
    Subject.ORDER: (QueueName.MAINFRAME_UPDATES,),
    Subject.CONSENT: (),
    Subject.SUBSCRIPTION: (),
    Subject.CASE: (),
}

MAINFRAME_SUBJECTS: Final[tuple[Subject, ...]] = tuple(
    subject for subject, consumers in CONSUMERS.items() if QueueName.MAINFRAME_UPDATES in consumers
)
"""What the mainframe holds, in the order in which it is reconciled."""

BULK_LANES: Final[dict[QueueName, QueueName]] = {QueueName.MAINFRAME_UPDATES: QueueName.MAINFRAME_UPDATES_BULK}
"""Where a consumer hears of bulk changes, which must not stand before all others."""

ALL_QUEUES: Final[tuple[str, ...]] = tuple(name for queue in QueueName for name in (queue.value, queue.poison))

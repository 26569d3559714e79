"""The audit of failures and replays: what failed is listed as it stands, and what replays count and tell is true."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lib.failures.models import Failure, FailureKind, FailureState
from lib.mainframe.ledger import DeliveryState
from lib.replays.models import ENDED, AuditEntry, Replay, ReplayState
from lib.replays.store import REPLAYS_TABLE
from lib.storage.documents import joined
from lib.storage.ports import Row
from local.simulation.entities import delivered_id
from local.simulation.operators import TICKET, Operators

_BY_MAINFRAME = (FailureKind.REJECTED, FailureKind.EXHAUSTED)
_AT_WORK = (ReplayState.CANARY, ReplayState.RUNNING)


@dataclass
class ListedAudit:
    """Looks at the list of failures and at every replay; tells `fail` the law and what broke it."""

    operators: Operators
    fail: Callable[[str, str], None]

    def sample(self) -> None:
        """Look at one instant: the counts of every replay add up, and no two send."""
        at_work = 0
        for replay in self._replays():
            counts = replay.counts
            settled = counts.replayed + counts.superseded + counts.rejected_again
            if counts.selected != settled + counts.waiting or min(counts.model_dump().values()) < 0:
                self.fail("replay counts", f"{replay.id}: {counts}")
            at_work += replay.state in _AT_WORK
        if at_work > 1:
            self.fail("one replay", f"{at_work} send at once")

    def carried(self) -> set[str]:
        """Return the entities whose delivery is in the hands of a replay, or of people."""
        return {
            one.entity_id or ""
            for one in self.operators.failures()
            if one.state is FailureState.REPLAYING
            or (one.kind is FailureKind.PROGRAMMING_ERROR and one.state is FailureState.OPEN)
        }

    def replays_of(self) -> Counter[str]:
        """Return how often replays sent each entity at most.

        One that ends early sends what it had claimed once more: it cannot tell whether it had sent it.
        """
        ended_early = any(one.state in {ReplayState.CANCELLED, ReplayState.STOPPED} for one in self._replays())
        counted: Counter[str] = Counter()
        for one in self.operators.failures():
            counted[one.entity_id or ""] += one.replays * (2 if ended_early else 1)
        return counted

    def conclude(self) -> None:
        """Look at everything once nothing moves any more."""
        self.sample()
        failures = self.operators.failures()
        self._truthful(failures)
        for one in failures:
            if not _complete(one):
                self.fail("I15", f"the failure {one} is not complete")
            if one.state is FailureState.REPLAYING:
                self.fail("replays", f"the failure of {one.entity_id} is held by {one.replay_id} for ever")
        for replay in self._replays():
            self._told(replay)
        for what in self.operators.broken:
            law, _, text = what.partition(": ")
            self.fail(law, text)

    def _truthful(self, failures: list[Failure]) -> None:
        listed: dict[tuple[str, int], Failure] = {
            (one.entity_id or "", one.version or 0): one for one in failures if one.kind in _BY_MAINFRAME
        }
        states = {
            delivered_id(row): DeliveryState.read(row)
            for row in self._rows("customers")
            if row.key.startswith("delivery~")
        }
        for row in self._rows("customers"):
            if not row.key.startswith("failure~"):
                continue
            entity_id, version = delivered_id(row), int(str(row.values["version"]))
            one, state = listed.get((entity_id, version)), states[entity_id]
            if one is None:
                self.fail("I9", f"the failure of {entity_id} v{version} was never told")
            elif one.state not in _true_of(version, state):
                self.fail("I9", f"the failure of {entity_id} v{version} is listed as {one.state}, but {state}")
            elif one.customer_id != row.partition:
                self.fail("I15", f"the failure of {entity_id} v{version} names the customer {one.customer_id}")

    def _told(self, replay: Replay) -> None:
        steps = [
            AuditEntry.model_validate_json(str(row.values["document"]))
            for row in self._rows(REPLAYS_TABLE)
            if row.partition == replay.id and row.key.startswith("audit~")
        ]
        actions = [step.action for step in steps]
        if replay.state not in ENDED:
            self.fail("I7", f"{replay.id} is {replay.state} for ever: {replay}")
        if actions[:1] != ["requested"] or actions[-1:] != [replay.state.value] or len(steps) != replay.steps + 1:
            self.fail("I16", f"{replay.id} is {replay.state}, and its audit tells {actions}")
        if any(step.ticket != TICKET or not step.actor for step in steps):
            self.fail("I16", f"the audit of {replay.id} names no ticket or nobody: {steps}")
        asked: dict[str, set[str]] = defaultdict(set)
        for one in self.operators.steered:
            asked[one.replay_id].add(one.action)
        # A resume of what was not paused any more changes nothing, and so is not told.
        missing = asked[replay.id] - set(actions) - {"resumed"}
        if missing:
            self.fail("I16", f"{missing} of {replay.id} was answered and is not in its audit: {actions}")

    def _replays(self) -> Iterator[Replay]:
        return (
            Replay.model_validate_json(joined("document", row.values))
            for row in self._rows(REPLAYS_TABLE)
            if row.key == "replay"
        )

    def _rows(self, table: str) -> list[Row]:
        return self.operators.fleet.storage.table(table).rows()


def _true_of(version: int, state: DeliveryState) -> set[FailureState]:
    if state.acknowledged == version:
        return {FailureState.RESOLVED}
    if state.acknowledged > version:
        return {FailureState.SUPERSEDED}
    # A newer version that failed too is listed for itself.
    return {FailureState.OPEN, FailureState.SUPERSEDED} if state.failed > version else {FailureState.OPEN}


def _complete(failure: Failure) -> bool:
    named = bool(failure.code and failure.text and failure.queue)
    in_order = failure.first_failed_at <= failure.last_failed_at
    if failure.kind not in _BY_MAINFRAME:
        return named and in_order
    return named and in_order and failure.attempts > 0 and failure.replayable

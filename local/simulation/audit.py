"""The audit of a run: what must hold at every instant, and what must hold when everything has come to rest.

The names I1 to I17 are those of `docs/reliability.md`.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lib.changes.writer import read_change
from lib.customers.rules import identifiers_of, indexed_of
from lib.customers.store import kept_from
from lib.failures.store import FAILURES_TABLE
from lib.identifiers.index import Entry
from lib.mainframe.ledger import DeliveryState
from lib.messaging.catalogue import QueueName
from lib.storage.documents import joined
from lib.storage.ports import Delete, Row, Write
from local.simulation.clients import Attempt, Clients, Outcome
from local.simulation.entities import Entity, changed_id, entities_of, order_problems
from local.simulation.feed import Feed
from local.simulation.fleet import Fleet
from local.simulation.flights import flight_problems
from local.simulation.handlers import HANDLED
from local.simulation.listed import ListedAudit
from local.simulation.operators import Operators
from local.simulation.road import CALL_SECONDS, CONNECT_SECONDS

_CARRIERS = tuple(
    name for queue in (QueueName.CHANGES, QueueName.MAINFRAME_UPDATES) for name in (queue.value, queue.poison)
)
_STALE = frozenset({"CustomerChangedError", "OrderChangedError"})
_LEASE_SECONDS = CONNECT_SECONDS + CALL_SECONDS + 5.0


@dataclass
class Audit:
    """Collects what was broken."""

    fleet: Fleet
    clients: Clients
    operators: Operators
    feed: Feed
    broken: list[str] = field(default_factory=list[str])
    _holders: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    def __post_init__(self) -> None:
        self.listed = ListedAudit(self.operators, self._fail)

    def wrote(self, table: str, partition: str, writes: Sequence[Write]) -> None:
        """Look at a write at the instant at which it was done: no identifier ever belongs to two."""
        for write in writes:
            if table != "customers" or write.key != "profile" or isinstance(write, Delete):
                continue
            row = Row(partition, write.key, write.values, "")
            kept = kept_from(row)
            held = identifiers_of(kept.customer()) if kept.version else frozenset[str]()
            for other, others in self._holders.items():
                if other != partition and held & others:
                    self._fail("unique identifiers", f"{partition} and {other} both hold {sorted(held & others)}")
            self._holders[partition] = held

    def sample(self) -> None:
        """Look at one instant: whatever was committed and is not settled is carried by something (I12)."""
        carried = {json.loads(body)["id"] for name in _CARRIERS for body in self._bodies(name)}
        carried |= {json.loads(str(row.values["message"]))["id"] for row in self._rows("outbox")}
        carried |= {str(row.values["entityId"]) for row in self._rows("undelivered") if "entityId" in row.values}
        if self.fleet.network.plan.reject_one_in or self._rows(FAILURES_TABLE):
            carried |= self.listed.carried()
            self.listed.sample()
        for entity in self._entities():
            state = self._state(entity)
            if state.done < entity.version and entity.id not in carried:
                self._fail("I12", f"{entity.id} v{entity.version} (done {state.done}) is carried by nothing")

    def conclude(self) -> None:
        """Look at everything once nothing moves any more."""
        self._no_loss()
        self._index()
        for problem in order_problems(self.fleet.storage):
            self._fail("order lists", problem)
        for problem in (*flight_problems(self.fleet.storage, self.feed.answered), *self.feed.broken):
            self._fail("flights", problem)
        self._mainframe()
        self._drained()
        self._rejections()
        self._change_log()
        self._answers()
        self._overlaps()
        self._calls()
        self.listed.conclude()

    def _no_loss(self) -> None:
        index = {row.key: row for row in self._rows("customerindex")}
        held = dict(Counter[str]())
        for entry in self.fleet.road.mainframe.journal:
            held[entry.key] = max(held.get(entry.key, 0), entry.version)
        for entity in self._entities():
            version, state = entity.version, self._state(entity)
            if held.get(entity.id, 0) < version and state.failed < version:
                self._fail("I1", f"{entity.id} v{version} did not arrive: mainframe {held.get(entity.id, 0)}, {state}")
        for customer_id, row in self._profiles():
            version = int(str(row.values["version"]))
            listed = index.get(customer_id)
            same = listed is not None and joined("document", listed.values) == joined("document", row.values)
            if not same:
                self._fail("index", f"{customer_id} v{version} is not what the index shows")
        for attempt in self.clients.attempts:
            if attempt.answer is not None and self._version(attempt.answer.entity_id) < attempt.answer.version:
                self._fail("I1", f"{attempt.attempt} was answered v{attempt.answer.version}, which is not kept")

    def _index(self) -> None:
        """Whoever holds an identifier is found by it, and the books say what is true."""
        index = self.fleet.instances[0].platform.identifier_index
        rows = {(row.partition, row.key) for row in self._rows("identifierindex")}
        books = {row.key: Entry.read(row) for row in self._rows("customerindex")}
        for customer_id, row in self._profiles():
            wanted = frozenset(index.key(one) for one in indexed_of(kept_from(row).customer()))
            for key in wanted:
                if (key, customer_id) not in rows:
                    self._fail("identifiers", f"{customer_id} is not found by its {key.partition(':')[0]}")
            book = books.get(customer_id, Entry())
            if book.keys != wanted or book.leaving:
                self._fail("identifiers", f"the book of {customer_id} has {len(book.keys)} keys, of {len(wanted)}")

    def _mainframe(self) -> None:
        last: dict[str, int] = {}
        committed = {(changed_id(row), read_change(row).version) for row in self._changes()}
        for entry in self.fleet.road.mainframe.journal:
            if (entry.key, entry.version) not in committed:
                self._fail("I2", f"the mainframe was sent {entry.key} v{entry.version}, which was never committed")
            if not entry.applied:
                continue
            if entry.version <= last.get(entry.key, 0):
                law = "I4" if entry.version == last[entry.key] else "I3"
                self._fail(law, f"{entry.key} v{entry.version} applied after v{last[entry.key]}")
            last[entry.key] = entry.version
        for entity in self._entities():
            subject = entity.subject.upper()
            held = self.fleet.road.mainframe.body(entity.id, subject)
            if last.get(entity.id) == entity.version and held != entity.record():
                self._fail("I2", f"{entity.id}: the mainframe's record is not this version's")

    def _drained(self) -> None:
        for queue in HANDLED:
            for name in (queue.value, queue.poison):
                if self._bodies(name):
                    self._fail("I7", f"{len(self._bodies(name))} messages stay on {name}")
        for table in ("outbox", "undelivered"):
            for row in self._rows(table):
                self._fail("I7", f"{table} keeps {dict(row.values)}")
        for poisoned in self.fleet.unfair_poison:
            self._fail("I8", f"poisoned though nothing disturbed some of its runs: {poisoned}")
        for defect in (*self.fleet.defects, *self.clients.defects):
            self._fail("defect", defect)

    def _rejections(self) -> None:
        if self.fleet.network.plan.only_the_mainframe_fails:
            replays = self.listed.replays_of()
            for (key, version), count in Counter(self.fleet.road.rejections).items():
                if count > 1 + replays[key]:
                    self._fail(
                        "I9",
                        f"{key} v{version} was rejected {count} times, and sent again {replays[key]} times at most",
                    )

    def _change_log(self) -> None:
        versions: dict[str, list[int]] = defaultdict(list)
        for row in self._changes():
            versions[changed_id(row)].append(read_change(row).version)
        for entity in self._entities():
            if sorted(versions[entity.id]) != list(range(1, entity.version + 1)):
                self._fail("change log", f"{entity.id} has {sorted(versions[entity.id])}")

    def _answers(self) -> None:
        effects = Counter(str(row.values["operationId"]) for row in self._changes())
        done = {str(row.values["attempt"]) for row in self._changes()}
        groups: dict[str, list[Attempt]] = defaultdict(list)
        for attempt in self.clients.attempts:
            groups[attempt.request.operation_id].append(attempt)
            if attempt.outcome is Outcome.FAILED and attempt.attempt in done:
                self._fail("honest answers", f"{attempt.attempt} was answered {attempt.error}, but was done")
        for operation_id, attempts in groups.items():
            answers = {
                (each.answer.entity_id, each.answer.version, each.answer.document) for each in attempts if each.answer
            }
            if effects[operation_id] > 1 or len(answers) > 1:
                self._fail("I13", f"{operation_id}: {effects[operation_id]} versions, {len(answers)} different answers")
            if len({json.dumps(each.body, sort_keys=True) for each in attempts if each.answer}) > 1:
                self._fail("I13", f"{operation_id} was answered for two bodies")
            if effects[operation_id] and any(each.error in _STALE for each in attempts):
                self._fail("I13", f"{operation_id} was told stale because of its own effect")
        self._one_winner(groups)

    def _one_winner(self, groups: dict[str, list[Attempt]]) -> None:
        winners: dict[tuple[str, int], list[str]] = defaultdict(list)
        for operation_id, attempts in groups.items():
            answer = next((each.answer for each in attempts if each.answer), None)
            expected = attempts[0].request.expected_version
            if answer is not None and expected is not None and answer.version > expected:
                winners[answer.entity_id, expected].append(operation_id)
        for (entity_id, expected), operations in winners.items():
            if len(operations) > 1:
                self._fail("I14", f"{entity_id} If-Match {expected}: {operations} all won")

    def _overlaps(self) -> None:
        for overlap in self.fleet.road.overlaps:
            if overlap.oldest_lease_seconds + self.fleet.widest_skew_seconds < _LEASE_SECONDS:
                self._fail("I5", f"{overlap.first.name} and {overlap.second.name} called for {overlap.key} at once")

    def _calls(self) -> None:
        if not self.fleet.network.plan.calm:
            return
        replays = self.listed.replays_of()
        for entity_id, count in Counter(key for key, _ in self.fleet.road.calls).items():
            if count > self._version(entity_id) + replays[entity_id]:
                self._fail("I6", f"{count} calls for the {self._version(entity_id)} versions of {entity_id}")

    def _fail(self, law: str, what: str) -> None:
        self.broken.append(f"{law}: {what}")
        self.fleet.network.tell("audit", f"BROKEN {law}: {what}")

    def _rows(self, table: str) -> list[Row]:
        return self.fleet.storage.table(table).rows()

    def _bodies(self, queue: str) -> list[str]:
        return self.fleet.storage.queue(queue).bodies()

    def _profiles(self) -> Iterator[tuple[str, Row]]:
        for row in self._rows("customers"):
            if row.key == "profile" and int(str(row.values["version"])) > 0:
                yield row.partition, row

    def _changes(self) -> Iterator[Row]:
        return (row for row in self._rows("customers") if row.key.startswith("change~"))

    def _entities(self) -> Iterator[Entity]:
        """Return everything that the mainframe shall hold."""
        return entities_of(self._rows("customers"))

    def _version(self, entity_id: str) -> int:
        return next((entity.version for entity in self._entities() if entity.id == entity_id), 0)

    def _state(self, entity: Entity) -> DeliveryState:
        key = f"delivery~{entity.subject}~{entity.id}"
        return DeliveryState.read(next((row for row in self._rows("customers") if row.key == key), None))

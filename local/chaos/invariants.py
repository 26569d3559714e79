"""What must hold whatever happened: each invariant takes the evidence and returns what speaks against it.

A new room adds one function and one line to `INVARIANTS`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from local.chaos.evidence import EntityEvidence, Evidence, Held
from local.chaos.history import Outcome, Write

Check: TypeAlias = Callable[[Evidence], Iterable[str]]
_EFFECT, _IGNORED, _REFUSED = "applied", "ignored", "rejected"


@dataclass(frozen=True, slots=True)
class Invariant:
    """A sentence that must hold, under its number in the list of invariants."""

    number: str
    sentence: str
    check: Check


def nothing_lost(evidence: Evidence) -> Iterable[str]:
    """Every version that was answered 2xx is kept, and held by the mainframe or visibly failed with its reason."""
    for write in evidence.history.of(Outcome.OK):
        entity = evidence.entities.get(write.entity_id or "")
        if entity is None:
            yield f"{write.mark}: answered ok, and there is no such entity"
        elif write.version is None and write.mark not in entity.marks.values():
            yield f"{write.mark}: answered ok, and no version of {entity.id} is by it"
        elif write.version is not None and entity.marks.get(write.version) != write.mark:
            yield f"{write.mark}: answered ok as version {write.version} of {entity.id}, which is not its own"
    for entity in evidence.entities.values():
        if entity.held is not None:
            yield from _undelivered(entity, entity.held)


def _undelivered(entity: EntityEvidence, held: Held) -> Iterable[str]:
    state = held.delivery["state"]
    told = f"{entity.id}: version {entity.version}, {state}"
    if state == "inSync":
        if (held.version, held.mark) != (entity.version, entity.mark):
            yield f"{told}, but the mainframe holds {held.version} by {held.mark!r}"
    elif state == "rejected":
        if not (held.delivery["lastError"] or {}).get("code"):
            yield f"{told} without a reason"
    else:
        yield f"{told} after the drain; the mainframe holds {held.version}"


def nothing_invented(evidence: Evidence) -> Iterable[str]:
    """Only what was asked is kept, nothing that was refused, and the mainframe saw only what was kept."""
    writes = evidence.history.by_mark()
    for entity in evidence.entities.values():
        if sorted(entity.marks) != list(range(1, entity.version + 1)):
            yield f"{entity.id}: its change log has versions {sorted(entity.marks)} of {entity.version}"
        for version, mark in entity.marks.items():
            write = writes.get(mark)
            if write is None or write.outcome is Outcome.FAILED:
                why = "nobody asked" if write is None else f"was refused ({', '.join(write.statuses)})"
                yield f"{entity.id}: version {version} is by {mark!r}, which {why}"
    for row in evidence.journal:
        entity = evidence.entities.get(row["key"])
        if entity is None or row["version"] > entity.version:
            yield f"the mainframe was sent version {row['version']} of {row['key']}, which is not kept"


def each_once(evidence: Evidence) -> Iterable[str]:
    """No write made two versions, and no version had two effects; yet some were sent twice, or nothing was tried."""
    made = Counter(mark for entity in evidence.entities.values() for mark in entity.marks.values())
    yield from (f"{mark} made {count} versions" for mark, count in made.items() if count > 1)
    effects = Counter((row["key"], row["version"]) for row in evidence.journal if row["outcome"] == _EFFECT)
    yield from (
        f"version {version} of {key} applied {count} times" for (key, version), count in effects.items() if count > 1
    )
    if evidence.expected and not any(row["outcome"] == _IGNORED for row in evidence.journal):
        yield "no version was ever sent twice, so this run did not try it"


def in_order(evidence: Evidence) -> Iterable[str]:
    """The mainframe applied the versions of each entity in strictly increasing order."""
    last: defaultdict[str, int] = defaultdict(int)
    for row in evidence.journal:
        if row["outcome"] == _EFFECT:
            if row["version"] <= last[row["key"]]:
                yield f"{row['key']}: version {row['version']} was applied after {last[row['key']]}"
            last[row["key"]] = row["version"]


def one_caller(evidence: Evidence) -> Iterable[str]:
    """No two live handlers called for one entity at once; one that was stopped longer than its lease may."""
    overlaps = int(evidence.mainframe["overlaps"])
    if overlaps and not evidence.hosts_stopped:
        yield f"{overlaps} calls overlapped, and no host was stopped"


def drained(evidence: Evidence) -> Iterable[str]:
    """Everything on its way arrived within the limit after the faults ended."""
    if not evidence.backlog.nothing:
        yield f"after {evidence.drain_seconds:.0f} s there is still {evidence.backlog}"
    elif evidence.drain_seconds > evidence.drain_limit_seconds:
        yield f"it took {evidence.drain_seconds:.0f} s; at most {evidence.drain_limit_seconds:.0f} s are allowed"


def failures_explained(evidence: Evidence) -> Iterable[str]:
    """On the list of failures are rejections and the garbage that was sent, byte for byte, and nothing else."""
    yield from (f"listed: {one}" for one in evidence.listed.unexplained)
    if any(name.startswith("queue garbage") for name in evidence.fired):
        yield from (f"not listed as it was sent: {one}" for one in evidence.listed.garbage_missing)


def refusals_listed(evidence: Evidence) -> Iterable[str]:
    """Every rejected entity was refused by the mainframe, and is listed as open, complete, with its reason."""
    refused = {(row["key"], row["version"]) for row in evidence.journal if row["outcome"] == _REFUSED}
    told = {
        (one.get("entityId"), one.get("version")): one for one in evidence.listed.failures if one["kind"] == "rejected"
    }
    for entity in evidence.entities.values():
        if entity.held is None or entity.held.delivery["state"] != "rejected":
            continue
        place = (entity.id, entity.version)
        if place not in refused:
            yield f"{entity.id}: rejected, but the mainframe never refused version {entity.version}"
        if told.get(place, {}).get("state") != "open":
            yield f"{entity.id}: the rejection of version {entity.version} is not listed as open"
    wanted = ("code", "text", "attempts", "firstFailedAt", "lastFailedAt")
    for (key, version), entry in told.items():
        missing = [name for name in wanted if not entry.get(name)]
        if missing:
            yield f"{key}: the rejection of version {version} lacks {', '.join(missing)}"
        entity = evidence.entities.get(str(key))
        held = entity.held if entity is not None else None
        if entry["state"] == "open" and held is not None and held.delivery["state"] == "inSync":
            yield f"{key}: delivered since, and the rejection of version {version} is still listed as open"


def one_winner(evidence: Evidence) -> Iterable[str]:
    """Of several writers with one ETag exactly one wins, unless storage refused them all."""
    races: defaultdict[int, list[Write]] = defaultdict(list)
    for write in evidence.history.writes:
        if write.race is not None:
            races[write.race].append(write)
    for race, writes in races.items():
        winners = [write for write in writes if write.outcome is Outcome.OK]
        if len(winners) > 1:
            yield f"race {race} at version {writes[0].expected}: {len(winners)} winners"
    for write in evidence.history.of(Outcome.OK):
        if write.expected is not None and write.version != write.expected + 1:
            yield f"{write.mark}: written over version {write.expected}, and became version {write.version}"


def noticed_while_running(evidence: Evidence) -> Iterable[str]:
    """Repeats gave the first answer, other bodies were refused, and every delivery was accounted for at every look."""
    yield from evidence.history.breaches


def listed(evidence: Evidence) -> Iterable[str]:
    """The lists of customers, orders, consents and cases show each at its newest version."""
    for entity in evidence.entities.values():
        if entity.listed_version != entity.version:
            yield f"{entity.id}: version {entity.version} is listed as {entity.listed_version}"


def found(evidence: Evidence) -> Iterable[str]:
    """Everybody who has an identifier is found by it, and nobody else."""
    for lookup in evidence.lookups:
        for customer_id in sorted(lookup.holders - lookup.found):
            yield f"{customer_id}: not found by one of its {lookup.identifier.partition(':')[0]} identifiers"
        for customer_id in sorted(lookup.found - lookup.holders):
            yield f"{customer_id}: found by an identifier of {lookup.identifier.partition(':')[0]} that it has not"


def no_defects(evidence: Evidence) -> Iterable[str]:
    """No request met a defect of ours: what cannot be done now is 503."""
    if count := evidence.history.counts["defects met"]:
        yield f"{count} requests met a defect of the platform"


def everything_fired(evidence: Evidence) -> Iterable[str]:
    """Every fault of the plan really happened, as often as planned."""
    for name, times in sorted(evidence.expected.items()):
        if evidence.fired.get(name, 0) < times:
            yield f"happened {evidence.fired.get(name, 0)} times of {times}: {name}"


INVARIANTS: Final[Sequence[Invariant]] = (
    Invariant("I1", "nothing that was answered 2xx is lost", nothing_lost),
    Invariant("I2", "nothing is kept or delivered that was not asked or was refused", nothing_invented),
    Invariant("I3", "versions reach the mainframe in increasing order", in_order),
    Invariant("I4", "every version has one effect, although some are sent twice", each_once),
    Invariant("I5", "no two live handlers call for one entity at once", one_caller),
    Invariant("I7", "everything drains once the faults end", drained),
    Invariant("I8", "nothing is listed as failed that should not be; garbage is, byte for byte", failures_explained),
    Invariant("I9, I15", "rejections are listed with their reason, and until they are delivered", refusals_listed),
    Invariant(
        "I12, I13", "repeats get the first answer; deliveries are accounted for at every look", noticed_while_running
    ),
    Invariant("I14", "one of several writers of one version wins", one_winner),
    Invariant("index", "the lists show every customer, order, consent and case at its newest version", listed),
    Invariant("lookup", "everybody who has an identifier is found by it, and nobody else", found),
    Invariant("no 500", "no request meets a defect", no_defects),
    Invariant("I17", "every planned fault happened", everything_fired),
)


def audit(evidence: Evidence, invariants: Sequence[Invariant] = INVARIANTS) -> Mapping[str, list[str]]:
    """Return for each invariant what speaks against it; nothing when it holds."""
    return {invariant.number: list(invariant.check(evidence)) for invariant in invariants}


def holds(findings: Mapping[str, Any]) -> bool:
    """Tell whether every invariant holds."""
    return not any(findings.values())

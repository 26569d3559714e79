"""The audit itself: from good evidence nothing is found, and every single breach is found by the one it breaks."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from local.chaos.drain import Backlog
from local.chaos.evidence import EntityEvidence, Evidence, Held, LookupEvidence
from local.chaos.history import History, Kind, Outcome, Write
from local.chaos.invariants import INVARIANTS, audit, holds
from local.chaos.listed import Listed


def row(key: str, version: int, outcome: str = "applied") -> dict[str, Any]:
    return {"key": key, "version": version, "outcome": outcome}


def held(**changes: Any) -> Held:
    in_sync = {"state": "inSync", "version": 2, "acknowledgedVersion": 2, "lastError": None}
    return replace(Held(delivery=in_sync, version=2, mark="m2"), **changes)


def customer(**changes: Any) -> EntityEvidence:
    good = EntityEvidence(
        id="cus_1",
        version=2,
        mark="m2",
        marks={1: "m1", 2: "m2"},
        listed_version=2,
        held=held(),
    )
    return replace(good, **changes)


REFUSED = customer(
    id="cus_2",
    version=1,
    mark="m3",
    marks={1: "m3"},
    listed_version=1,
    held=Held(
        delivery={"state": "rejected", "version": 1, "acknowledgedVersion": 0, "lastError": {"code": "EMAIL01"}},
        version=0,
        mark="",
    ),
)
FAILURE = {
    "kind": "rejected",
    "state": "open",
    "entityId": "cus_2",
    "version": 1,
    "code": "EMAIL01",
    "text": "not accepted",
    "attempts": 1,
    "firstFailedAt": "t",
    "lastFailedAt": "t",
}


def history(*more: Write) -> History:
    first = Write(mark="m1", kind=Kind.CREATE, outcome=Outcome.OK, entity_id="cus_1", version=1)
    second = Write(mark="m2", kind=Kind.AMEND, outcome=Outcome.OK, entity_id="cus_1", version=2, expected=1, race=1)
    third = Write(mark="m3", kind=Kind.CREATE, outcome=Outcome.OK, entity_id="cus_2", version=1)
    loser = Write(mark="m4", kind=Kind.AMEND, outcome=Outcome.FAILED, entity_id="cus_1", expected=1, race=1)
    return History(writes=[first, second, third, loser, *more])


def evidence(**changes: Any) -> Evidence:
    good = Evidence(
        history=history(),
        entities={"cus_1": customer(), "cus_2": REFUSED},
        journal=[row("cus_1", 1), row("cus_1", 1, "ignored"), row("cus_1", 2), row("cus_2", 1, "rejected")],
        mainframe={"overlaps": 0},
        listed=Listed(failures=[FAILURE]),
        drain_seconds=1,
        drain_limit_seconds=10,
        fired={"kill": 1},
        expected={"kill": 1},
    )
    return replace(good, **changes)


def with_customer(**changes: Any) -> Evidence:
    return evidence(entities={"cus_1": customer(**changes), "cus_2": REFUSED})


def with_lookup(**changes: Any) -> Evidence:
    good = LookupEvidence(identifier="email:ada@example.com", holders=frozenset({"cus_1"}), found=frozenset({"cus_1"}))
    return evidence(lookups=[good, replace(good, **changes)])


def with_write(**changes: Any) -> Evidence:
    return evidence(history=history(Write(**{"mark": "m5", "kind": Kind.AMEND, "entity_id": "cus_1"} | changes)))


def with_counts(name: str) -> Evidence:
    found = evidence()
    found.history.counts[name] += 1
    return found


def with_breach() -> Evidence:
    found = evidence()
    found.history.breaches.append("I13 m1: a repeat was answered otherwise")
    return found


BREACHES: list[tuple[str, str, Callable[[], Evidence]]] = [
    (
        "I1",
        "a customer that is gone",
        lambda: evidence(entities={"cus_2": REFUSED}, journal=[row("cus_1", 1, "ignored")]),
    ),
    ("I1", "a version by another write", lambda: with_customer(marks={1: "m1", 2: "m9"})),
    (
        "I1",
        "a comment that is gone",
        lambda: with_write(kind=Kind.CASE_COMMENT, outcome=Outcome.OK, version=None),
    ),
    ("I1", "an older version held", lambda: with_customer(held=held(version=1, mark="m1"))),
    ("I1", "another content held", lambda: with_customer(held=held(mark="m1"))),
    (
        "I1",
        "a delivery still pending",
        lambda: with_customer(held=held(delivery={"state": "pending", "lastError": None})),
    ),
    ("I2", "a refused write that is kept", lambda: with_customer(version=3, marks={1: "m1", 2: "m2", 3: "m4"})),
    ("I2", "a write that nobody asked", lambda: with_customer(version=3, marks={1: "m1", 2: "m2", 3: "m99"})),
    ("I2", "a version without its change", lambda: with_customer(marks={2: "m2"})),
    ("I2", "a delivery that was not kept", lambda: evidence(journal=[row("cus_1", 1, "ignored"), row("cus_1", 3)])),
    (
        "I3",
        "an older version after a newer",
        lambda: evidence(journal=[row("cus_1", 2), row("cus_1", 1), row("cus_1", 1, "ignored")]),
    ),
    ("I4", "an effect twice", lambda: evidence(journal=[row("cus_1", 1), row("cus_1", 1), row("cus_1", 1, "ignored")])),
    ("I4", "a write twice", lambda: with_customer(version=3, marks={1: "m1", 2: "m2", 3: "m2"})),
    ("I4", "nothing sent twice", lambda: evidence(journal=[row("cus_1", 1), row("cus_2", 1, "rejected")])),
    ("I5", "overlapping calls", lambda: evidence(mainframe={"overlaps": 1})),
    ("I7", "something left", lambda: evidence(backlog=Backlog(messages=1, outbox=0, undelivered=0))),
    ("I7", "a slow drain", lambda: evidence(drain_seconds=11)),
    (
        "I8",
        "a failure nobody can explain",
        lambda: evidence(listed=Listed(failures=[FAILURE, {**FAILURE, "kind": "programmingError"}])),
    ),
    ("I8", "garbage that is not listed", lambda: evidence(fired={"kill": 1, "queue garbage: bad JSON": 1})),
    ("I9, I15", "a refusal not listed", lambda: evidence(listed=Listed())),
    ("I9, I15", "a refusal without reason", lambda: evidence(listed=Listed(failures=[{**FAILURE, "code": ""}]))),
    ("I9, I15", "a refusal that never was", lambda: evidence(journal=[row("cus_1", 1, "ignored")])),
    (
        "I9, I15",
        "a failure open though delivered",
        lambda: evidence(listed=Listed(failures=[FAILURE, {**FAILURE, "entityId": "cus_1"}])),
    ),
    ("I12, I13", "a repeat answered otherwise", with_breach),
    ("I14", "two winners", lambda: with_write(outcome=Outcome.OK, version=2, expected=1, race=1)),
    ("I14", "a lost update", lambda: with_write(outcome=Outcome.OK, version=2, expected=0)),
    ("index", "an old version listed", lambda: with_customer(listed_version=1)),
    ("index", "a customer not listed", lambda: with_customer(listed_version=None)),
    ("lookup", "an identifier by which its holder is not found", lambda: with_lookup(found=frozenset())),
    ("lookup", "an identifier given up by which it is still found", lambda: with_lookup(holders=frozenset())),
    ("no 500", "a defect", lambda: with_counts("defects met")),
    ("I17", "a kill too few", lambda: evidence(expected={"kill": 2})),
    ("I17", "a fault that never fired", lambda: evidence(expected={"kill": 1, "pause": 1})),
]


class TestAudit:
    def test_finds_nothing_when_all_is_as_promised(self) -> None:
        findings = audit(evidence())

        assert holds(findings), findings

    @pytest.mark.parametrize(("number", "what", "breach"), BREACHES, ids=[what for _, what, _ in BREACHES])
    def test_finds(self, number: str, what: str, breach: Callable[[], Evidence]) -> None:
        findings = audit(breach())

        assert findings[number], f"{what} was not found"
        assert not holds(findings)

    def test_is_shown_to_find_for_every_invariant(self) -> None:
        assert {number for number, _, _ in BREACHES} == {invariant.number for invariant in INVARIANTS}

    def test_allows_overlaps_with_a_call_of_a_stopped_host(self) -> None:
        assert holds(audit(evidence(mainframe={"overlaps": 1}, hosts_stopped=True)))

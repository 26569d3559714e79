"""Which request meets which fault: rules with counts, drawn from a seed so that a run can be repeated."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as checked_dataclass


class Operation(StrEnum):
    """What a request asks of storage, in the words of our ports."""

    GET = "get"
    PAGE = "page"
    INSERT = "insert"
    REPLACE = "replace"
    UPSERT = "upsert"
    DELETE = "delete"
    TRANSACTION = "transaction"
    SEND = "send"
    PEEK = "peek"
    RECEIVE = "receive"
    DELETE_MESSAGE = "delete_message"
    DEPTH = "depth"
    OTHER = "other"


class Fault(StrEnum):
    """What can happen to a request."""

    RESET = "reset"
    """The connection breaks before storage sees the request."""
    DROP_REPLY = "drop_reply"
    """Storage does it; the connection breaks before the answer."""
    HANG = "hang"
    """Nothing ever comes, and storage never sees the request."""
    DELAY = "delay"
    """Storage sees the request late, even when the caller has gone by then."""
    LATE_REPLY = "late_reply"
    """Storage does it at once; the answer comes late."""
    TWICE = "twice"
    """Storage sees the request twice; the second answer is given."""
    BUSY = "busy"
    """503 ServerBusy; storage never sees the request."""
    FAIL = "fail"
    """500 InternalError; storage never sees the request."""
    FAIL_AFTER = "fail_after"
    """Storage does it, and 500 OperationTimedOut is the answer."""
    EXISTS = "exists"
    """409 EntityAlreadyExists; storage never sees the request."""
    CHANGED = "changed"
    """412 UpdateConditionNotSatisfied; storage never sees the request."""


@checked_dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Rule:
    """One fault for the requests that match all that is given. The first rule that matches and fires decides."""

    fault: Fault
    operation: Operation | None = None
    method: str | None = None
    path: str = ""
    """A regular expression to be found in the path and query."""
    skip: int = 0
    """How many matching requests pass first."""
    times: int | None = None
    """How often it fires at most; None is always."""
    probability: float = 1.0
    delay_seconds: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a pattern that is none."""
        try:
            re.compile(self.path)
        except re.error as reason:
            raise ValueError(f"path is no regular expression: {reason}") from reason

    def matches(self, operation: Operation, method: str, path: str) -> bool:
        """Say whether the request is one of those meant."""
        return (
            self.operation in {None, operation}
            and self.method in {None, method}
            and re.search(self.path, path) is not None
        )


@dataclass(slots=True)
class Standing:
    """A rule and what it has done so far."""

    rule: Rule
    matched: int = 0
    fired: int = 0


@dataclass
class FaultRules:
    """The rules of a proxy, in force until removed, and the count of what went by."""

    seed: int = 0
    seen: Counter[Operation] = field(default_factory=Counter[Operation])
    fired: Counter[str] = field(default_factory=Counter[str])
    _standing: dict[int, Standing] = field(default_factory=dict[int, Standing])
    _last_id: int = 0

    def __post_init__(self) -> None:
        """Draw from the seed."""
        self._random = Random(self.seed)  # noqa: S311 - to be repeated, not to be secret

    def add(self, rule: Rule) -> int:
        """Put a rule in force behind the others; returns its number."""
        self._last_id += 1
        self._standing[self._last_id] = Standing(rule)
        return self._last_id

    def remove(self, number: int) -> None:
        """End a rule. Raises KeyError when there is none of this number."""
        del self._standing[number]

    def clear(self) -> None:
        """End all rules; the counts stay."""
        self._standing.clear()

    def standing(self) -> Mapping[int, Standing]:
        """Return the rules in force by number."""
        return dict(self._standing)

    def decide(self, operation: Operation, method: str, path: str) -> Rule | None:
        """Count a request, and return the rule whose fault it meets, if any."""
        self.seen[operation] += 1
        for standing in self._standing.values():
            if standing.rule.matches(operation, method, path) and self._fires(standing):
                self.fired[f"{operation} {standing.rule.fault}"] += 1
                return standing.rule
        return None

    def _fires(self, standing: Standing) -> bool:
        rule = standing.rule
        standing.matched += 1
        if standing.matched <= rule.skip or (rule.times is not None and standing.fired >= rule.times):
            return False
        if self._random.random() >= rule.probability:
            return False
        standing.fired += 1
        return True


_QUEUE_OPERATIONS = {
    ("POST", True): Operation.SEND,
    ("GET", True): Operation.RECEIVE,
    ("DELETE", True): Operation.DELETE_MESSAGE,
    ("GET", False): Operation.DEPTH,
}


def queue_operation(method: str, path: str) -> Operation:
    """Return what a request to the queue service asks for."""
    if "peekonly=true" in path:
        return Operation.PEEK
    return _QUEUE_OPERATIONS.get((method, "/messages" in path), Operation.OTHER)


def table_operation(method: str, path: str, headers: Mapping[str, str]) -> Operation:
    """Return what a request to the table service asks for."""
    if path.split("?", maxsplit=1)[0].endswith("/$batch"):
        return Operation.TRANSACTION
    if method == "GET":
        return Operation.GET if "(PartitionKey=" in path else Operation.PAGE
    if method == "PUT":
        return Operation.REPLACE if "If-Match" in headers else Operation.UPSERT
    if method == "DELETE":
        return Operation.DELETE
    return Operation.OTHER if path.endswith("/Tables") else Operation.INSERT

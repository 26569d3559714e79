"""What the tests of customers say and break: details, operations, and faults at a named call."""

import itertools

from lib.changes.operation import Operation, fingerprint_of
from lib.customers.models import CustomerDetails
from lib.customers.patch import CustomerPatch
from local.faults.taps import When

_attempts = itertools.count()


def details(**fields: object) -> CustomerDetails:
    return CustomerDetails.model_validate({"lastName": "Lovelace", "email": "ada@example.com", **fields})


def operation(name: str = "create_customer", *, key: str | None = None, body: object = None) -> Operation:
    attempt = f"att_{next(_attempts)}"
    if key is None:
        return Operation(name=name, id=attempt, attempt=attempt, actor="test")
    return Operation(name=name, id=f"opr_{name}_{key}", attempt=attempt, actor="test", fingerprint=fingerprint_of(body))


def patch(**fields: object) -> CustomerPatch:
    return CustomerPatch.model_validate(fields)


class Once:
    """Fails the first time a point is reached on one side, then never again."""

    def __init__(self, point: str, when: When, error: Exception) -> None:
        self.point, self.when, self.error, self.fired = point, when, error, 0

    async def __call__(self, point: str, when: When) -> None:
        if (point, when) == (self.point, self.when) and not self.fired:
            self.fired += 1
            raise self.error


class Always(Once):
    async def __call__(self, point: str, when: When) -> None:
        if (point, when) == (self.point, self.when):
            self.fired += 1
            raise self.error

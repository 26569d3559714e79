"""The command line as operations use it, against the shared copy of the platform, and what that needs around it."""

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from typer.testing import CliRunner

from local.demo.client import Client
from local.ops.app import app
from local.stack import LocalStack

_SECONDS = 30.0


@dataclass(frozen=True)
class Said:
    """What a command wrote, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.out)


@dataclass(frozen=True)
class Ops:
    """Runs commands."""

    environment: dict[str, str]

    def __call__(self, *arguments: str, **environment: str) -> Said:
        done = CliRunner().invoke(app, list(arguments), env={**self.environment, **environment}, prog_name="ops")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Said(done.exit_code, done.stdout, done.stderr)

    def wait_for(self, state: str, *customer_ids: str) -> None:
        """Return when the delivery of each customer is in this state."""
        deadline = time.monotonic() + _SECONDS
        for customer_id in customer_ids:
            while (said := self("customer", "delivery", customer_id, "--json")).document["state"] != state:
                assert time.monotonic() < deadline, said
                time.sleep(0.2)

    def listed(self, count: int, *filters: str) -> list[dict[str, Any]]:
        """Return failures as soon as there are so many."""
        deadline = time.monotonic() + _SECONDS
        while len(items := self("failures", "list", "--json", *filters).document["items"]) != count:
            assert time.monotonic() < deadline, items
            time.sleep(0.2)
        return items


@dataclass
class Surroundings:
    """Customers and the mock mainframe's moods. `code` and `tag` are this test's own; others share the copy."""

    stack: LocalStack
    code: str = field(default_factory=lambda: f"E{secrets.token_hex(3)}")
    tag: str = field(default_factory=lambda: f"bad{secrets.token_hex(4)}")
    client: Client = field(default_factory=lambda: Client(show=lambda _text: None))

    def reject(self) -> None:
        """Have the mainframe reject this test's customers for good."""
        fault = {"kind": "reject", "field": "EMAIL", "prefix": self.tag, "reasonCode": self.code}
        self.client.ask("PUT", f"{self.stack.control_url}/faults", body=fault).require(200)

    def mend(self) -> None:
        self.client.ask("DELETE", f"{self.stack.control_url}/faults").require(200)

    def create(self, count: int) -> list[str]:
        """Create customers that the mainframe will reject while it is told to, and return their ids."""
        people = [{"lastName": "Lovelace", "email": f"{self.tag}.{number}@example.com"} for number in range(count)]
        address = f"{self.stack.base_url}/api/v1/customers"
        return [str(self.client.ask("POST", address, body=one).require(201).json()["id"]) for one in people]

    def amend(self, customer_id: str, **changes: str) -> None:
        address = f"{self.stack.base_url}/api/v1/customers/{customer_id}"
        etag = self.client.ask("GET", address).header("ETag")
        self.client.ask("PATCH", address, body=changes, headers={"If-Match": etag}).require(200)

    def held_versions(self, customer_id: str) -> list[int]:
        """Return the versions that the mainframe applied, in order."""
        journal = self.client.ask("GET", f"{self.stack.control_url}/journal?key={customer_id}").json()
        return [row["version"] for row in journal["items"] if row["outcome"] == "applied"]


@dataclass
class Rejected:
    """Failures for tests to take one by one; the mainframe would take their customers now."""

    failures: list[dict[str, Any]]
    listed_at: float

    def take(self) -> str:
        """Return the id of one that no other test has."""
        return str(self.failures.pop()["id"])


@pytest.fixture(scope="session")
def ops(stack: LocalStack) -> Ops:
    known = {"OPS_URL": stack.base_url, "OPS_KEY": stack.function_key, "OPS_ACTOR": "m.okafor", "COLUMNS": "200"}
    return Ops(known)


@pytest.fixture
def surroundings(stack: LocalStack) -> Iterator[Surroundings]:
    world = Surroundings(stack)
    yield world
    world.mend()


@pytest.fixture(scope="session")
def rejected(stack: LocalStack, ops: Ops) -> Rejected:
    world = Surroundings(stack)
    world.reject()
    try:
        world.create(5)
        failures = ops.listed(5, "--code", world.code)
        return Rejected(failures, time.time())
    finally:
        world.mend()

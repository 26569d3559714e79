"""Our operations as requests to a running copy: customers to work on, and the bytes that the load generator sends."""

import contextlib
import http.client
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from local.bench.load import Counting, Requests, http_request
from local.stack import LocalStack

OPERATIONS: Final = ("create", "read", "read, 304", "patch", "list")
STATUS: Final[Mapping[str, str]] = {"create": "201", "read": "200", "read, 304": "304", "patch": "200", "list": "200"}

_CUSTOMERS: Final = "/api/v1/customers"
_LIST: Final = "/api/private/v1/customers"
_LIST_SECONDS: Final = 30.0
_JSON: Final = {"content-type": "application/json"}
_COUNTED: Final = b"00000000"

PROFILE: Final[Mapping[str, Any]] = {
    "title": "Ms",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "email": "ada.lovelace@example.com",
    "phone": "+442071838750",
    "dateOfBirth": "1985-12-10",
    "nationality": "GB",
    "language": "en-GB",
    "passport": {"number": "533380006", "issuingCountry": "GB", "expiresOn": "2034-05-01"},
    "addresses": [
        {"kind": "home", "lines": ["12 St James's Square"], "city": "London", "postalCode": "SW1Y 4JH", "country": "GB"}
    ],
    "devices": [{"kind": "mobile", "operatingSystem": "iOS 19", "browser": "Safari"}],
}


class BenchError(Exception):
    """What was to be measured did not work; the message says what came instead."""


@dataclass(frozen=True)
class Api:
    """One running copy, asked plainly."""

    stack: LocalStack

    def create(self, count: int, **fields: Any) -> list[str]:
        """Create customers one after the other and return their ids."""
        body = json.dumps({**PROFILE, **fields})
        return [self.ask("POST", _CUSTOMERS, body=body)["id"] for _ in range(count)]

    def read(self, customer_id: str, *, known: str | None = None) -> None:
        """Read a customer, or ask whether a version is still the current one."""
        self.ask("GET", f"{_CUSTOMERS}/{customer_id}", headers={"if-none-match": known} if known else {})

    def patch(self, customer_id: str, *, version: int) -> None:
        """Change a customer that was never changed in this way before."""
        body = json.dumps({"title": f"T{version}"})
        self.ask("PATCH", f"{_CUSTOMERS}/{customer_id}", body=body, headers={"if-match": f'"{version}-public"'})

    def list_page(self) -> Any:
        """Return the first page of all customers."""
        return self.ask("GET", _LIST)

    def await_full_page(self) -> None:
        """Return when the list has a whole page: the relay has told it of the customers that were created."""
        deadline = time.monotonic() + _LIST_SECONDS
        while self.list_page()["next"] is None:
            if time.monotonic() > deadline:
                raise BenchError(f"The list had no full page within {_LIST_SECONDS:g} s.")
            time.sleep(0.1)

    def requests(self, operation: str, *, customer_ids: Sequence[str], connections: int) -> Requests:
        """Return what the load generator sends. Patches need new customers, one for each connection."""
        if operation == "create":
            return [http_request("POST", _CUSTOMERS, headers=_JSON, body=json.dumps(PROFILE).encode())]
        if operation == "list":
            return [http_request("GET", _LIST, headers={"x-functions-key": self.stack.function_key})]
        if operation == "patch":
            return Counting([_counting_patch(customer_id) for customer_id in self.create(connections)])
        headers = {"if-none-match": '"1-public"'} if operation == "read, 304" else {}
        return [http_request("GET", f"{_CUSTOMERS}/{customer_id}", headers=headers) for customer_id in customer_ids]

    def ask(self, method: str, path: str, *, body: str | None = None, headers: Mapping[str, str] | None = None) -> Any:
        """Return the JSON of an answer, None when it has no body. Raises BenchError for a refusal."""
        sent = {"x-functions-key": self.stack.function_key, **(_JSON if body else {}), **(headers or {})}
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.running_ports.app, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            content = answer.read()
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise BenchError(f"{method} {path} was answered {answer.status}: {content.decode(errors='replace')[:300]}")
        return json.loads(content) if content else None


def _counting_patch(customer_id: str) -> bytes:
    # The title changes with every request, so that each makes a version; its length does not.
    request = http_request(
        "PATCH",
        f"{_CUSTOMERS}/{customer_id}",
        headers={"content-type": "application/merge-patch+json", "if-match": '"%(n)d-public"'},
        body=b'{"title":"T%b"}' % _COUNTED,
    )
    return request.replace(_COUNTED, b"%(n)08d")

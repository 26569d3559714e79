"""What chance would not find: requests go to customers, orders and cases that exist, with the version they change.

Loaded by Schemathesis, which calls `before_call` with each request that it made.
"""

import re
from collections import Counter
from typing import Any

import httpx2
import schemathesis
from schemathesis import Case, GenerationMode, HookContext
from schemathesis.core.parameters import ParameterLocation
from schemathesis.transport.serialization import Binary

_SECONDS = 30.0
_SOME_TAG = '"1-public"'
_CUSTOMERS = "/api/v1/customers"
_PROFILE = {
    "lastName": "Lovelace",
    "email": "ada@example.com",
    "passport": {"number": "533380006", "issuingCountry": "GB"},
    "addresses": [{"kind": "home", "lines": ["1"], "city": "London", "country": "GB"}],
}
_ORDER: dict[str, Any] = {
    "currency": "EUR",
    "passengers": [{"id": "P1", "lastName": "Lovelace", "isCustomer": True}],
    "items": [
        {
            "kind": "flightSegment",
            "id": "out",
            "flight": "IM204",
            "flightDate": "2030-12-20",
            "departureAirport": "LHR",
            "arrivalAirport": "JFK",
            "scheduledDeparture": "2030-12-20T09:30:00Z",
            "scheduledArrival": "2030-12-20T17:45:00Z",
            "travellers": [{"passengerId": "P1"}],
        }
    ],
}
_USES = 20
_CASE: dict[str, Any] = {"type": "question", "subject": "May I bring a cello?"}
_CHANGED = re.compile(".*/(orders|cases)/[^/]+")
_orders: dict[str, str] = {}
_cases: dict[str, str] = {}
_asked: Counter[str] = Counter()
_known: dict[str, str] = {}


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Lead a request to what exists, unless its path or its headers are meant to be wrong."""
    del context
    base_url = str(case.operation.base_url).rstrip("/")
    if "customerId" in case.path_parameters and not _is_wrong(case, ParameterLocation.PATH):
        case.path_parameters["customerId"] = _customer(base_url)
        if "orderId" in case.path_parameters:
            case.path_parameters["orderId"] = _order(f"{base_url}{_CUSTOMERS}/{_customer(base_url)}")
        if "itemId" in case.path_parameters:
            case.path_parameters["itemId"] = _ORDER["items"][0]["id"]
        if "caseId" in case.path_parameters:
            case.path_parameters["caseId"] = _case(f"{base_url}{_CUSTOMERS}/{_customer(base_url)}")
        if "number" in case.path_parameters:
            case.path_parameters["number"] = 1
    if "If-Match" in case.headers and not _is_wrong(case, ParameterLocation.HEADER):
        # An action changes the order or the case that its path begins with.
        address = f"{base_url}{case.formatted_path}"
        changed = _CHANGED.match(address)
        case.headers["If-Match"] = _tag(changed[0] if changed else address, kwargs)
        case.headers.pop("If-None-Match", None)


def _tag(address: str, kwargs: dict[str, Any]) -> str:
    """Return the entity tag of what a request would change, or some tag where there is nothing yet."""
    answer = httpx2.get(address, headers=kwargs.get("headers"), timeout=_SECONDS)
    return answer.headers.get("ETag", _SOME_TAG)


def _order(customer: str) -> str:
    """Return the id of an order, now and then of a new one: there is little to be done with one that was cancelled."""
    _asked[customer] += 1
    if customer not in _orders or _asked[customer] % _USES == 0:
        made = httpx2.post(f"{customer}/orders", json=_ORDER, timeout=_SECONDS).raise_for_status()
        _orders[customer] = made.json()["id"]
    return _orders[customer]


def _case(customer: str) -> str:
    """Return the id of a case with a comment, now and then of a new one: a closed one takes nothing any more."""
    _asked[f"{customer}/cases"] += 1
    if customer not in _cases or _asked[f"{customer}/cases"] % _USES == 0:
        made = httpx2.post(f"{customer}/cases", json=_CASE, timeout=_SECONDS).raise_for_status()
        _cases[customer] = made.json()["id"]
        comments = f"{customer}/cases/{_cases[customer]}/comments"
        httpx2.post(comments, json={"text": "Hello?"}, timeout=_SECONDS).raise_for_status()
    return _cases[customer]


def _is_wrong(case: Case[Any], location: ParameterLocation) -> bool:
    # A request that is meant to be right counts as right, also where a part of it was made at random.
    if case.meta is None or case.meta.generation.mode is not GenerationMode.NEGATIVE:
        return False
    component = case.meta.components.get(location)
    return component is not None and component.mode is GenerationMode.NEGATIVE


def _customer(base_url: str) -> str:
    """Return a customer of our own, as those that the run makes may be in any state."""
    if base_url not in _known:
        made = httpx2.post(f"{base_url}{_CUSTOMERS}", json=_PROFILE, timeout=_SECONDS).raise_for_status()
        _known[base_url] = made.json()["id"]
    return _known[base_url]


@schemathesis.serializer("application/x-ndjson")
def lines(_context: Any, value: Any) -> Any:
    """Send a body of JSON lines as it was made. Files are made without regard to the least length that is declared."""
    if isinstance(value, Binary):
        return value.data or b"\n"
    return value.encode() if isinstance(value, str) else value

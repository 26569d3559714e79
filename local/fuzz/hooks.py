"""What chance would not find: requests about customers go to one that exists, with the version of what they change.

Loaded by Schemathesis, which calls `before_call` with each request that it made.
"""

from typing import Any

import httpx2
import schemathesis
from schemathesis import Case, GenerationMode, HookContext
from schemathesis.core.parameters import ParameterLocation

_SECONDS = 30.0
_SOME_TAG = '"1-public"'
_CUSTOMERS = "/api/v1/customers"
_PROFILE = {
    "lastName": "Lovelace",
    "email": "ada@example.com",
    "passport": {"number": "533380006", "issuingCountry": "GB"},
    "addresses": [{"kind": "home", "lines": ["1"], "city": "London", "country": "GB"}],
}
_known: dict[str, str] = {}


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Lead a request to a customer that exists, unless its path or its headers are meant to be wrong."""
    del context
    base_url = str(case.operation.base_url).rstrip("/")
    if "customerId" in case.path_parameters and not _is_wrong(case, ParameterLocation.PATH):
        case.path_parameters["customerId"] = _customer(base_url)
    if "If-Match" in case.headers and not _is_wrong(case, ParameterLocation.HEADER):
        case.headers["If-Match"] = _tag(f"{base_url}{case.formatted_path}", kwargs)
        case.headers.pop("If-None-Match", None)


def _tag(address: str, kwargs: dict[str, Any]) -> str:
    """Return the entity tag of what a request would change, or some tag where there is nothing yet."""
    answer = httpx2.get(address, headers=kwargs.get("headers"), timeout=_SECONDS)
    return answer.headers.get("ETag", _SOME_TAG)


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

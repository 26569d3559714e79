"""The copy under test: the one at SMOKE_URL, or one started for it on free ports.

SMOKE_URL is where the public API is: a gateway, or the copy itself. SMOKE_APP_URL is where the private API is, if that
is elsewhere. SMOKE_SUBSCRIPTION_KEY is the gateway's, SMOKE_FUNCTION_KEY the app's.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest

from local.stack import LocalStack

_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Target:
    """Clients of one running copy."""

    public: httpx2.Client
    private: httpx2.Client
    """With the function key."""
    stranger: httpx2.Client
    """Without any key, to the app itself."""
    behind_gateway: bool


@pytest.fixture(scope="session")
def target() -> Iterator[Target]:
    """The copy under test."""
    url = os.environ.get("SMOKE_URL")  # noqa: TID251 - a test of something that runs elsewhere
    if url:
        yield from _clients(url, dict(os.environ))  # noqa: TID251 - as above
        return
    with LocalStack(storage_in_memory=True) as stack:
        yield from _clients(stack.base_url, {"SMOKE_FUNCTION_KEY": stack.function_key})


def _clients(url: str, environment: dict[str, str]) -> Iterator[Target]:
    app_url = environment.get("SMOKE_APP_URL") or url
    subscription = {"Ocp-Apim-Subscription-Key": environment.get("SMOKE_SUBSCRIPTION_KEY", "")}
    function_key = {"x-functions-key": environment.get("SMOKE_FUNCTION_KEY", "")}
    with (
        httpx2.Client(base_url=url, headers=subscription, timeout=_TIMEOUT_SECONDS) as public,
        httpx2.Client(base_url=app_url, headers=function_key, timeout=_TIMEOUT_SECONDS) as private,
        httpx2.Client(base_url=app_url, timeout=_TIMEOUT_SECONDS) as stranger,
    ):
        yield Target(public, private, stranger, behind_gateway=app_url != url)

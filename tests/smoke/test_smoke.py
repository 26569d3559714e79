"""Does a running copy do its main job? Seen from outside only, so it is asked of every environment alike."""

import time
from http import HTTPStatus
from uuid import NAMESPACE_URL, uuid5

import httpx2
import pytest

from tests.smoke.conftest import Target

_DELIVERED_WITHIN_SECONDS = 60.0
_POLL_SECONDS = 0.5


@pytest.fixture(scope="module")
def key() -> str:
    """An idempotency key of this run."""
    return f"smoke-{uuid5(NAMESPACE_URL, str(time.time_ns()))}"


@pytest.fixture(scope="module")
def created(target: Target, key: str) -> httpx2.Response:
    """A customer that this run created. It stays: there is no deleting, and its name says what it is."""
    return _create(target, key)


def _create(target: Target, key: str) -> httpx2.Response:
    person = {"firstName": "Smoke", "lastName": "Test", "email": f"{key}@example.com"}
    return target.public.post("/api/v1/customers", json=person, headers={"Idempotency-Key": key})


class TestApp:
    def test_is_up(self, target: Target) -> None:
        answer = target.stranger.get("/api/health")

        assert (answer.status_code, answer.json()) == (HTTPStatus.OK, {"status": "ok"})

    def test_does_well(self, target: Target) -> None:
        report = target.private.get("/api/private/v1/health").json()

        assert report["storage"]["condition"] == "ok"
        assert report["mainframe"]["condition"] == "ok"

    def test_keeps_strangers_from_the_private_api(self, target: Target) -> None:
        answer = target.stranger.get("/api/private/v1/health")

        assert (answer.status_code, answer.content) == (HTTPStatus.UNAUTHORIZED, b"")

    def test_keeps_those_out_who_go_round_the_gateway(self, target: Target) -> None:
        if not target.behind_gateway:
            pytest.skip("there is no gateway here")

        answer = target.stranger.get("/api/v1/customers/cus_00000000000000000000000000")

        assert answer.status_code == HTTPStatus.UNAUTHORIZED


class TestCustomer:
    def test_is_created(self, created: httpx2.Response) -> None:
        assert created.status_code == HTTPStatus.CREATED
        assert created.headers["Location"] == f"/api/v1/customers/{created.json()['id']}"

    def test_is_created_once(self, target: Target, created: httpx2.Response, key: str) -> None:
        again = _create(target, key)

        assert again.json()["id"] == created.json()["id"]
        assert again.headers["Idempotency-Replayed"] == "true"

    def test_is_read(self, target: Target, created: httpx2.Response) -> None:
        answer = target.public.get(created.headers["Location"])

        assert answer.json()["lastName"] == "Test"

    def test_is_not_sent_twice_to_who_has_it(self, target: Target, created: httpx2.Response) -> None:
        etag = target.public.get(created.headers["Location"]).headers["ETag"]

        answer = target.public.get(created.headers["Location"], headers={"If-None-Match": etag})

        assert answer.status_code == HTTPStatus.NOT_MODIFIED

    def test_is_changed_only_by_who_read_it(self, target: Target, created: httpx2.Response) -> None:
        blind = target.public.patch(created.headers["Location"], json={"title": "Dr"})
        stale = target.public.patch(created.headers["Location"], json={"title": "Dr"}, headers={"If-Match": '"0.x"'})

        assert blind.status_code == HTTPStatus.PRECONDITION_REQUIRED
        assert stale.status_code == HTTPStatus.PRECONDITION_FAILED

    def test_is_refused_when_it_is_wrong(self, target: Target) -> None:
        answer = target.public.post("/api/v1/customers", json={"lastName": "Nobody", "email": "no address"})

        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert answer.headers["Content-Type"].startswith("application/problem+json")

    def test_reaches_the_mainframe_in_its_newest_version(self, target: Target, created: httpx2.Response) -> None:
        location = created.headers["Location"]
        etag = target.public.get(location).headers["ETag"]
        changed = target.public.patch(location, json={"title": "Prof"}, headers={"If-Match": etag})
        address = f"/api/private/v1/customers/{created.json()['id']}/deliveries/mainframe"

        last = time.monotonic() + _DELIVERED_WITHIN_SECONDS
        while (status := target.private.get(address).json())["state"] != "inSync" and time.monotonic() < last:
            time.sleep(_POLL_SECONDS)

        assert changed.status_code == HTTPStatus.OK
        assert status["acknowledgedVersion"] == changed.json()["version"]

"""The digest by which a repeated body is known gives nothing of the body away, and knows those of before."""

import hashlib
import json

import pytest

from lib.storage.ports import Replace
from tests.http.conftest import Client

BODY = {"lastName": "Lovelace", "email": "ada@example.com"}
_PLAIN = hashlib.sha256(json.dumps(BODY, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class TestFingerprint:
    async def test_is_kept_under_a_key(self, client: Client) -> None:
        await client.http.post("/api/v1/customers", json=BODY, headers={"Idempotency-Key": "k"})

        [kept] = [row for row in client.world.storage.table("customers").rows() if row.key.startswith("op~")]

        assert str(kept.values["fingerprint"]).startswith("hmac-sha256:")
        assert _PLAIN not in str(kept.values)

    @pytest.mark.parametrize(("name", "status"), [("Lovelace", 201), ("Byron", 422)])
    async def test_of_before_it_was_keyed_is_still_known(self, client: Client, name: str, status: int) -> None:
        first = await client.http.post("/api/v1/customers", json=BODY, headers={"Idempotency-Key": "k"})
        table = client.world.storage.table("customers")
        [kept] = [row for row in table.rows() if row.key.startswith("op~")]
        await table.write(kept.partition, Replace(kept.key, {**kept.values, "fingerprint": _PLAIN}, kept.etag))

        again = await client.http.post(
            "/api/v1/customers", json={**BODY, "lastName": name}, headers={"Idempotency-Key": "k"}
        )

        assert again.status_code == status
        assert (again.text == first.text) == (status == 201)

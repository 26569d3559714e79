from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from lib.mainframe.client import MainframeClient
from lib.mainframe.layouts import CUSTOMER_LAYOUT, ORDER_LAYOUT
from local.mainframe.server import MockMainframe

BODY = CUSTOMER_LAYOUT.encode({"LAST-NAME": "Núñez"})


@pytest.fixture
async def mainframe(tmp_path: Path) -> AsyncIterator[MockMainframe]:
    async with MockMainframe(tmp_path) as mainframe:
        yield mainframe


@pytest.fixture
async def http(mainframe: MockMainframe) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=mainframe.control_url) as http:
        yield http


async def update(client: MainframeClient, version: int = 1, key: str = "cus_1") -> None:
    await client.update(subject="CUSTOMER", key=key, version=version, trace="t", body=BODY)


class TestMaster:
    async def test_shows_the_decoded_record(self, client: MainframeClient, http: httpx2.AsyncClient) -> None:
        await update(client, 7)

        shown = (await http.get("/master/cus_1")).json()

        assert (shown["subject"], shown["key"], shown["version"], shown["trace"]) == ("CUSTOMER", "cus_1", 7, "t")
        assert shown["record"]["LAST-NAME"] == "Núñez"
        assert shown["appliedAt"].endswith("Z")

    @pytest.mark.parametrize("path", ["/master/cus_2", "/master/cus_1?subject=ORDER", "/master/%D0%96"])
    async def test_is_a_problem_when_nothing_is_held(
        self, client: MainframeClient, http: httpx2.AsyncClient, path: str
    ) -> None:
        await update(client)

        answer = await http.get(path)

        assert answer.status_code == answer.json()["status"] == 404
        assert answer.headers["content-type"] == "application/problem+json"

    async def test_finds_a_key_of_any_subject_and_says_which(
        self, client: MainframeClient, http: httpx2.AsyncClient
    ) -> None:
        body = ORDER_LAYOUT.encode({"STATE": "placed"})
        await client.update(subject="ORDER", key="ord_1", version=3, trace="", body=body)

        shown = (await http.get("/master/ord_1")).json()
        elsewhere = await http.get("/master/ord_1", params={"subject": "CUSTOMER"})
        journal = (await http.get("/journal", params={"key": "ord_1"})).json()["items"]

        assert (shown["subject"], shown["version"], shown["record"]["STATE"]) == ("ORDER", 3, "placed")
        assert elsewhere.status_code == 404
        assert [(row["subject"], row["outcome"]) for row in journal] == [("ORDER", "applied")]


class TestJournal:
    async def test_is_read_in_pages(self, client: MainframeClient, http: httpx2.AsyncClient) -> None:
        for version in (1, 2, 3):
            await update(client, version)

        first = (await http.get("/journal?limit=2")).json()
        second = (await http.get(f"/journal?limit=2&after={first['next']}")).json()

        assert [row["version"] for row in first["items"] + second["items"]] == [1, 2, 3]
        assert second["next"] is None
        assert first["items"][1] | {"at": ""} == {
            "sequence": 2,
            "at": "",
            "subject": "CUSTOMER",
            "key": "cus_1",
            "version": 2,
            "trace": "t",
            "outcome": "applied",
            "reasonCode": "",
            "previousVersion": 1,
            "overlapping": 0,
        }

    async def test_is_read_by_key(self, client: MainframeClient, http: httpx2.AsyncClient) -> None:
        await update(client, 1)
        await update(client, 1, key="cus_2")

        assert [row["sequence"] for row in (await http.get("/journal?key=cus_2")).json()["items"]] == [2]

    @pytest.mark.parametrize("query", ["after=x", "limit=0", "limit=1001", "after=-1", "limit=1.5"])
    async def test_refuses_nonsense(self, http: httpx2.AsyncClient, query: str) -> None:
        answer = await http.get(f"/journal?{query}")

        assert answer.status_code == 422
        assert "whole number" in answer.json()["detail"]


class TestStats:
    async def test_count_calls_by_transaction_and_code(self, client: MainframeClient, http: httpx2.AsyncClient) -> None:
        await update(client, 1)
        await update(client, 1)
        await client.inquire(subject="CUSTOMER", key="cus_1")

        stats = (await http.get("/stats")).json()

        assert stats["calls"] == {"INQ": {"00": 1}, "UPD": {"00": 1, "04": 1}}
        assert stats["connections"] == {"open": 1, "opened": 1}
        assert stats["lastAppliedAt"].endswith("Z")


class TestFaults:
    async def test_are_set_shown_and_cleared(self, client: MainframeClient, http: httpx2.AsyncClient) -> None:
        put = await http.put("/faults", json={"kind": "busy", "times": 1})
        await update(client)

        shown = (await http.get("/faults")).json()
        cleared = (await http.delete("/faults")).json()

        assert put.json() == [{"kind": "busy", "probability": 1.0, "times": 1, "fired": 0, "active": True}]
        assert shown == [{"kind": "busy", "probability": 1.0, "times": 1, "fired": 1, "active": False}]
        assert cleared == (await http.get("/faults")).json() == []
        assert (await http.get("/stats")).json()["faultsFired"] == {"busy": 1}

    @pytest.mark.parametrize(
        ("wanted", "says"),
        [
            ([{"kind": "explode"}], "kind"),
            ([{"kind": "busy", "probability": 0}], "probability"),
            ([{"kind": "busy", "probability": 1.5}], "probability"),
            ([{"kind": "busy", "times": 0}], "times"),
            ([{"kind": "busy", "often": 3}], "often"),
            ([{"kind": "refuse", "times": 3}], "times"),
            ([{"kind": "refuse", "seconds": -1}], "seconds"),
            ([{"kind": "late"}], "milliseconds"),
            ([{"kind": "reject", "field": "EMAIL"}], "either equals or prefix"),
            ([{"kind": "reject", "field": "EMAIL", "equals": "a", "prefix": "b"}], "either equals or prefix"),
            ([{"kind": "reject", "field": "EMAIL", "equals": "a", "reasonCode": "TOOLONGCODE"}], "reasonCode"),
            ("busy", "0"),
        ],
    )
    async def test_refuse_nonsense_in_clear_text(self, http: httpx2.AsyncClient, wanted: Any, says: str) -> None:
        answer = await http.put("/faults", json=wanted)

        assert answer.status_code == 422
        assert says in answer.json()["detail"]

    async def test_refuse_what_is_not_json(self, http: httpx2.AsyncClient) -> None:
        answer = await http.put("/faults", content=b"busy")

        assert (answer.status_code, answer.json()["detail"]) == (422, "The body is not JSON.")


class TestSettings:
    @pytest.mark.parametrize(
        "latency",
        [
            {"distribution": "fixed", "milliseconds": 5.0},
            {"distribution": "uniform", "fromMilliseconds": 1.0, "toMilliseconds": 2.0},
            {"distribution": "lognormal", "medianMilliseconds": 50.0, "sigma": 0.4},
        ],
    )
    async def test_are_changed_one_by_one(self, http: httpx2.AsyncClient, latency: dict[str, Any]) -> None:
        await http.put("/settings", json={"regions": 3})
        await http.put("/settings", json={"latency": latency})

        assert (await http.get("/settings")).json() == {"latency": latency, "regions": 3}

    @pytest.mark.parametrize(
        "wanted",
        [{"regions": 0}, {"latency": 50}, {"latency": {"distribution": "fixed", "milliseconds": -1}}, {"speed": 1}, []],
    )
    async def test_refuse_nonsense(self, http: httpx2.AsyncClient, wanted: Any) -> None:
        answer = await http.put("/settings", json=wanted)

        assert answer.status_code == 422
        assert answer.json()["detail"]

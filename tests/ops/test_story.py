"""Operations' day, on real parts: something is rejected, looked at, mended, replayed; a maintenance window passes."""

import json
import secrets
import time
from datetime import datetime

from lib.mainframe.client import MainframeClient
from lib.mainframe.layouts import CUSTOMER_SUBJECT
from lib.mainframe.records import write_customer
from local.stack import LocalStack
from tests.ops.conftest import Ops, Rejected, Surroundings

_CAREFUL = ("--reason", "country table corrected", "--ticket", "OPS-1742", "--rate", "50")


class TestReplay:
    def test_brings_rejected_customers_to_the_mainframe_behind_a_canary(
        self, ops: Ops, surroundings: Surroundings
    ) -> None:
        surroundings.reject()
        customers = surroundings.create(5)
        mine = ("--code", surroundings.code)

        failures = ops.listed(5, *mine)
        [group] = ops("failures", "groups", "--json", *mine).document["groups"]
        assert {failure["entityId"] for failure in failures} == set(customers)
        assert {failure["attempts"] for failure in failures} == {1}
        assert (group["count"], group["kind"], group["code"]) == (5, "rejected", surroundings.code)
        assert ops("status").code == 1
        assert ops("customer", "delivery", customers[0]).code == 1

        stopped = ops("replay", "start", *mine, *_CAREFUL, "--yes", "--watch", "--json")
        assert (stopped.code, stopped.document["state"]) == (1, "stopped")
        assert (stopped.document["counts"]["rejectedAgain"], stopped.document["counts"]["waiting"]) == (1, 4)
        assert len(ops.listed(5, *mine)) == 5

        surroundings.mend()
        surroundings.amend(customers[0], title="Dr")
        ops.wait_for("inSync", customers[0])
        ops.listed(1, *mine, "--state", "superseded")
        dry = ops("replay", "start", *mine, "--dry-run", "--json").document
        assert (dry["selected"], dry["wouldSend"]) == (4, 4)

        again = ("--request-id", "after the correction", "--yes", "--watch", "--json")
        done = ops("replay", "start", *mine, *_CAREFUL, *again)
        assert (done.code, done.document["state"]) == (0, "completed")
        assert done.document["counts"] == {
            "selected": 4,
            "replayed": 4,
            "superseded": 0,
            "rejectedAgain": 0,
            "waiting": 0,
        }
        assert ops.listed(0, *mine) == []
        assert len(ops.listed(4, *mine, "--state", "resolved")) == 4
        assert [surroundings.held_versions(one) for one in customers] == [[2], [1], [1], [1], [1]]

        repeated = ops("replay", "start", *mine, *_CAREFUL, *again)
        assert "nothing was sent now" in repeated.err
        assert repeated.document["id"] == done.document["id"]
        assert [surroundings.held_versions(one) for one in customers] == [[2], [1], [1], [1], [1]]
        steps = ops("replay", "audit", done.document["id"], "--json").document["items"]
        assert [step["action"] for step in steps] == ["requested", "selected", "canaryPassed", "completed"]
        assert steps[0]["actor"] == "m.okafor"
        assert {step["ticket"] for step in steps} == {"OPS-1742"}


class TestList:
    def test_has_a_rejection_within_five_seconds_of_it(self, rejected: Rejected) -> None:
        last = max(datetime.fromisoformat(failure["lastFailedAt"]).timestamp() for failure in rejected.failures)

        assert rejected.listed_at - last < 5


class TestPause:
    def test_holds_everything_back_through_a_maintenance_window(self, ops: Ops, surroundings: Surroundings) -> None:
        window = ("--reason", "quarterly upgrade", "--ticket", "CHG-2210")
        paused = ops("mainframe", "pause", *window, "--minutes", "30", "--json")
        try:
            assert (paused.code, paused.document["state"]) == (0, "paused")
            assert paused.document["pause"]["by"] == "m.okafor"
            time.sleep(1.1)  # an instance remembers for a second that the road was open
            customers = surroundings.create(3)
            ops.wait_for("parked", *customers)
            assert ops("mainframe", "status").code == 1
            assert ops("status").code == 1
            assert [surroundings.held_versions(one) for one in customers] == [[], [], []]
        finally:
            resumed = ops("mainframe", "resume", "--json")

        assert resumed.document["state"] == "closed"
        ops.wait_for("inSync", *customers)
        assert [surroundings.held_versions(one) for one in customers] == [[1], [1], [1]]
        steps = ops("mainframe", "audit", "--json", "--limit", "2").document["items"]
        assert [(step["action"], step["ticket"]) for step in steps] == [("resumed", "CHG-2210"), ("paused", "CHG-2210")]
        assert ops("failures", "list", "--customer", customers[0], "--json").document["items"] == []


class TestDismiss:
    def test_takes_off_the_list_and_restore_puts_back(self, ops: Ops, rejected: Rejected) -> None:
        failure_id = rejected.take()

        dismissed = ops("failures", "dismiss", failure_id, "--reason", "a test customer", "--json")
        left = ops("failures", "list", "--json").document["items"]
        restored = ops("failures", "restore", failure_id, "--reason", "by mistake", "--json")
        shown = ops("failures", "show", failure_id)

        assert dismissed.document["items"][0]["state"] == "dismissed"
        assert failure_id not in {failure["id"] for failure in left}
        assert restored.document["items"][0]["state"] == "open"
        assert "dismissed by m.okafor: a test customer" in shown.out
        assert "restored by m.okafor: by mistake" in shown.out


class TestReconcile:
    async def test_names_what_only_the_mainframe_holds(self, ops: Ops, stack: LocalStack) -> None:
        stranger = f"cus_{secrets.token_hex(13).upper()}"
        body = write_customer({"lastName": "Nobody"}).body
        async with MainframeClient(host="127.0.0.1", port=stack.mainframe_port) as client:
            await client.update(subject=CUSTOMER_SUBJECT, key=stranger, version=3, trace="", body=body)

        done = ops("reconcile", "start", "--rate", "200", "--watch", "--json")
        drifted = ops("reconcile", "result", done.document["id"], "--json")

        assert (done.code, done.document["state"]) == (1, "completed")
        lines = [json.loads(line) for line in drifted.out.splitlines()]
        assert (stranger, "unknownToUs", 3) in {(one["id"], one["drift"], one["mainframeVersion"]) for one in lines}
        assert stranger in ops("reconcile", "result", done.document["id"], "--limit", "1000").out
        assert ops("reconcile", "cancel", done.document["id"]).code == 4

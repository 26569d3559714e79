"""What scripts rely on: exit codes, documents on stdout and nothing else there, and sentences for people."""

import json
import socket

import pytest

from local.ops.app import app
from tests.ops.conftest import Ops, Rejected

_NO_FAILURE = "fai_00000000000000000000000000"


class TestExit:
    def test_is_3_when_nobody_listens(self, ops: Ops) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]

        said = ops("status", "--url", f"http://127.0.0.1:{port}")

        assert (said.code, said.out, said.err) == (3, "", f"Nobody listens at http://127.0.0.1:{port}.\n")

    def test_is_3_for_a_wrong_key_which_is_never_shown(self, ops: Ops) -> None:
        said = ops("failures", "list", "--key", "not-the-key")

        assert said.code == 3
        assert "refused the key" in said.err
        assert "not-the-key" not in said.out + said.err

    def test_is_3_without_a_key_for_a_copy_elsewhere(self, ops: Ops) -> None:
        said = ops("status", "--url", "https://app.example.com", OPS_KEY="")

        assert (said.code, said.err) == (3, "A key is needed for https://app.example.com: set OPS_KEY.\n")

    @pytest.mark.parametrize(
        "url", ["http://app.example.com", "ftp://127.0.0.1", "app", "https://a:b@app", "http://[", "http://127.0.0.1:x"]
    )
    def test_is_2_for_an_address_that_is_none_or_not_safe(self, ops: Ops, url: str) -> None:
        assert ops("status", "--url", url).code == 2

    @pytest.mark.parametrize(
        "arguments",
        [
            ["failures", "list", "--kind", "sad"],
            ["failures", "list", "--after", "yesterday"],
            ["failures", "dismiss", _NO_FAILURE],
            ["failures", "dismiss", _NO_FAILURE, "--reason", ""],
            ["replay", "start", "--dry-run"],
            ["replay", "start", "--code", "E1", "--everything", "--dry-run"],
            ["replay", "start", "--code", "E1"],
            ["replay", "start", "--code", "E1", "--dry-run", "--rate", "0"],
            ["replay", "start", "--code", "E1", "--reason", "r", "--ticket", "t"],
            ["mainframe", "pause", "--reason", "r"],
            [
                "mainframe",
                "pause",
                "--reason",
                "r",
                "--ticket",
                "t",
                "--minutes",
                "5",
                "--until",
                "2030-01-01T00:00:00Z",
            ],
            ["nonsense"],
        ],
        ids=" ".join,
    )
    def test_is_2_for_what_makes_no_sense(self, ops: Ops, arguments: list[str]) -> None:
        said = ops(*arguments)

        assert (said.code, said.out) == (2, "")
        assert said.err

    @pytest.mark.parametrize(
        "arguments",
        [
            ["failures", "show", _NO_FAILURE],
            ["failures", "show", "../health"],
            ["failures", "dismiss", "fai_x", "--reason", "r"],
            ["replay", "watch", "rpl_x"],
            ["replay", "cancel", "rpl_x"],
            ["customer", "delivery", "cus_x"],
        ],
        ids=" ".join,
    )
    def test_is_5_for_what_is_not_there(self, ops: Ops, arguments: list[str]) -> None:
        said = ops(*arguments)

        assert (said.code, said.out) == (5, "")
        assert "(trace " in said.err

    def test_is_4_for_what_contradicts_what_is_kept(self, ops: Ops, rejected: Rejected) -> None:
        words = ("--reason", "r", "--ticket", "t", "--yes")
        first, second = rejected.take(), rejected.take()

        running = ops("replay", "start", first, *words, "--rate", "0.01", "--json")
        beside = ops("replay", "start", second, *words)
        paused = ops("replay", "pause", running.document["id"], "--json")
        watched = ops("replay", "watch", running.document["id"], "--timeout", "0")
        cancelled = ops("replay", "cancel", running.document["id"])
        resumed = ops("replay", "resume", running.document["id"])

        assert (running.code, beside.code) == (0, 4)
        assert running.document["id"] in beside.err
        assert paused.document["state"] == "paused"
        assert (watched.code, cancelled.code, resumed.code) == (1, 0, 4)
        assert ops("replay", "show", running.document["id"]).code == 1


class TestJson:
    @pytest.mark.parametrize(
        ("arguments", "members"),
        [
            (["status"], {"attention", "health", "mainframe", "failures"}),
            (["failures", "list"], {"items", "complete"}),
            (["failures", "groups"], {"groups", "complete"}),
            (["replay", "list"], {"items", "complete"}),
            (
                ["replay", "start", "--everything", "--dry-run"],
                {"selected", "wouldSend", "superseded", "notReplayable", "complete", "sample"},
            ),
            (["mainframe", "status"], {"state", "parked", "retrying", "oldestUndeliveredSeconds", "throughput"}),
            (["mainframe", "audit"], {"items", "complete"}),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_is_one_document_alone(self, ops: Ops, arguments: list[str], members: set[str]) -> None:
        said = ops(*arguments, "--json")

        assert members <= said.document.keys()
        assert said.err == ""

    def test_of_status_agrees_with_its_exit_code(self, ops: Ops) -> None:
        said = ops("status", "--json")

        assert said.code == (1 if said.document["attention"] else 0)

    def test_of_an_error_is_the_problem_itself(self, ops: Ops) -> None:
        said = ops("failures", "show", _NO_FAILURE, "--json")

        problem = json.loads(said.err)
        assert (said.out, problem["status"], problem["title"]) == ("", 404, "No such failure")
        assert problem["traceId"]


class TestEveryCommand:
    def test_explains_itself_and_takes_what_all_take(self, ops: Ops) -> None:
        for group in (app, *(one.typer_instance for one in app.registered_groups)):
            assert group is not None
            for command in group.registered_commands:
                path = [str(command.name)] if group is app else [str(group.info.name), str(command.name)]

                said = ops(*path, "--help")

                assert said.code == 0
                assert all(option in said.out for option in ("--url", "--key", "--actor", "--json")), path

"""The README is under test: its tour is run as it stands, its tables are what the code says, its links lead on."""

import re
import subprocess
import time
from pathlib import Path

import pytest

from local.readme import table
from local.stack import LocalStack

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
TOUR = [block for block in BLOCKS if "curl" in block]
COMMANDS = [block.strip() for block in BLOCKS if "curl" not in block]


class TestTour:
    def test_every_step_does_what_it_says(self, stack: LocalStack) -> None:
        script = "set -e\n" + "\necho; echo '=== step ==='\n".join(_here(block, stack) for block in TOUR)
        script = script.replace("B-1", f"B-{time.time_ns()}").replace("tour-1", f"tour-{time.time_ns()}")

        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=100, check=True)

        steps = done.stdout.split("=== step ===")
        expected = [
            ("201 Created", '"1-public"', "******006"),
            ("304 Not Modified",),
            ("200 OK", '"2-public"'),
            ('"state"',),
            ('"LAST-NAME":"Müller-Lukasz"',),
            ('"version":3', '"state":"'),
            ('"update_customer"', '"create_customer"', '"oldestUndeliveredSeconds"', '"items"'),
            ('"code":"VGML"', '"state":"granted"'),
            ('"filledIn":[{', '"state":"placed"'),
            ('"kind":"call"', "asked for a receipt"),
            ('"items":[{"id":"item-1"', '"itemIds":["item-1"]', '"author":"customer"'),
            ('"matchedOn"', '"type":"interaction"', '"type":"order"', '"type":"consent"', '"type":"case"'),
        ]
        assert len(steps) == len(expected)
        for said, wanted in zip(steps, expected, strict=True):
            assert "4111 1111 1111 1111" not in said
            for part in wanted:
                assert part in said or part == '"oldestUndeliveredSeconds"', (part, said)
        assert re.search('"state":"(retrying|parked|pending)"', steps[5])


class TestCommands:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_are_targets_of_the_makefile(self, command: str) -> None:
        makefile = (ROOT / "Makefile").read_text("utf-8")

        target = command.removeprefix("make ").split()[0]

        assert re.search(rf"^{target}:", makefile, re.MULTILINE)

    def test_that_are_promised_in_words_are_there_too(self) -> None:
        makefile = (ROOT / "Makefile").read_text("utf-8")

        for target in ["run", "test", "bench", "chaos", "check", "fmt", "openapi", "help", "demo", "fuzz"]:
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


class TestSettings:
    def test_table_is_what_the_code_declares(self) -> None:
        kept = README.split("<!-- settings -->")[1].split("<!-- /settings -->")[0]

        assert kept.strip() == table(), "run make openapi and commit what it writes"


class TestLinks:
    @pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
    def test_lead_somewhere(self, link: str) -> None:
        assert (ROOT / link).exists()


def _here(block: str, stack: LocalStack) -> str:
    """Return a block for the copy under test: its ports, its key, and time for a delivery before it is looked at."""
    text = block.replace("http://127.0.0.1:7071", stack.base_url).replace("http://127.0.0.1:7081", stack.control_url)
    text = text.replace("local-key", stack.function_key)
    return f"sleep 3\n{text}" if text.startswith(("curl -s http", "curl -s -X PUT")) else text

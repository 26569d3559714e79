import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.fuzz.runs import RUNS, SHORT, Effort, Run, command, perform
from local.run.environment import ROOT
from local.stack import LocalStack


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """A copy of its own: nobody knows what fuzzing leaves behind, a paused replay or a paused mainframe perhaps."""
    with LocalStack(storage_in_memory=True) as running:
        yield running


class TestPerform:
    @pytest.mark.timeout(400)  # it grows with the operations
    @pytest.mark.parametrize("run", RUNS[:2], ids=lambda run: run.name.replace(" ", "-"))
    def test_finds_every_answer_declared(self, stack: LocalStack, run: Run) -> None:
        status, said = perform(run, SHORT, stack, quiet=True)

        assert status == 0, said[-6000:]

    def test_tells_of_an_answer_that_is_not_declared(self, stack: LocalStack, tmp_path: Path) -> None:
        document = json.loads((ROOT / RUNS[0].document).read_text("utf-8"))
        health = document["paths"]["/api/health"]
        document["paths"] = {"/api/health": health}
        health["get"]["responses"]["204"] = health["get"]["responses"].pop("200")
        (tmp_path / "document.json").write_text(json.dumps(document))

        status, said = perform(
            Run("changed", str(tmp_path / "document.json"), with_key=False), SHORT, stack, quiet=True
        )

        assert status == 1
        assert "Undocumented" in said


class TestCommand:
    def test_gives_a_timed_effort_its_part_of_the_time(self, stack: LocalStack) -> None:
        whole, part = (command(run, Effort("fuzzing", 5, 100), stack) for run in RUNS[1:])

        assert whole[whole.index("--max-time") + 1] == "100"
        assert part[part.index("--max-time") + 1] == "25"

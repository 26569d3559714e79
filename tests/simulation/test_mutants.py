"""Every mutant still fits the source; that each is caught is what `python -m local.simulation.mutations` shows."""

import shutil
from pathlib import Path

import pytest

from local.simulation.mutants import MUTANTS, Edit, Mutant, StaleMutantError

_ROOT = Path(__file__).resolve().parents[2]


def copied(files: set[str], tree: Path) -> Path:
    for file in files:
        (tree / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_ROOT / file, tree / file)
    return tree


class TestMutant:
    @pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
    def test_applies_to_the_source_and_leaves_python(self, mutant: Mutant, tmp_path: Path) -> None:
        files = {edit.file for edit in mutant.edits}
        tree = copied(files, tmp_path)

        mutant.apply(tree)

        for file in files:
            changed = (tree / file).read_text()
            assert changed != (_ROOT / file).read_text()
            compile(changed, file, "exec")

    def test_that_fits_no_more_is_told(self, tmp_path: Path) -> None:
        tree = copied({"lib/clock.py"}, tmp_path)
        stale = Mutant("stale", (Edit("lib/clock.py", "what is not there", ""),))

        with pytest.raises(StaleMutantError):
            stale.apply(tree)

    def test_has_a_name_of_its_own(self) -> None:
        names = [mutant.name for mutant in MUTANTS]

        assert len(names) == len(set(names))

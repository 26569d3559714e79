import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.run.datafolder import DataFolder
from local.run.errors import DataInUseError, NoSpaceError, StackError

MB = 1_000_000


@pytest.fixture
def claimed(tmp_path: Path) -> Iterator[DataFolder]:
    folder = DataFolder(tmp_path / "data")
    folder.claim()
    yield folder
    folder.release()


class TestClaim:
    def test_makes_the_folders(self, claimed: DataFolder) -> None:
        assert claimed.storage.is_dir()
        assert claimed.mainframe.is_dir()
        assert claimed.host.is_dir()

    def test_keeps_a_second_copy_out_and_names_the_first(self, claimed: DataFolder) -> None:
        with pytest.raises(DataInUseError) as refused:
            DataFolder(claimed.path).claim()

        assert str(refused.value) == (
            f"Another copy already runs on {claimed.path} (process {os.getpid()}): "
            "stop it, or give this one its own LOCAL_DATA and ports."
        )

    def test_is_free_again_after_the_release(self, claimed: DataFolder) -> None:
        claimed.release()
        again = DataFolder(claimed.path)

        again.claim()

        again.release()

    def test_ends_with_a_process_that_was_killed(self, tmp_path: Path) -> None:
        code = "import os; from pathlib import Path; from local.run.datafolder import DataFolder\n"
        code += f"DataFolder(Path({str(tmp_path)!r})).claim(); os.kill(os.getpid(), 9)"
        subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2])
        folder = DataFolder(tmp_path)

        folder.claim()

        assert (tmp_path / "run.lock").read_text() == str(os.getpid())
        folder.release()

    def test_refuses_a_full_disk(self, tmp_path: Path) -> None:
        with pytest.raises(NoSpaceError) as refused:
            DataFolder(tmp_path, free_bytes=lambda _: 3 * MB).claim()

        assert str(refused.value) == (
            f"The disk holding {tmp_path} is full (3 MB free, 50 MB are needed): make room, or set LOCAL_DATA."
        )

    def test_says_that_it_cannot_be_used(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()

        with pytest.raises(StackError, match=r"cannot be used: Not a directory\. LOCAL_DATA moves it"):
            DataFolder(tmp_path / "file" / "data").claim()


class TestWarning:
    def test_says_what_is_lost_when_nobody_makes_room(self, tmp_path: Path) -> None:
        warning = DataFolder(tmp_path, free_bytes=lambda _: 3 * MB).warning()

        assert warning is not None
        assert warning.startswith(f"The disk holding {tmp_path} is nearly full (3 MB free): make room before you stop")

    def test_is_silent_with_room(self, tmp_path: Path) -> None:
        assert DataFolder(tmp_path, free_bytes=lambda _: 300 * MB).warning() is None

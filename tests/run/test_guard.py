import signal
import subprocess
import sys
import time
from pathlib import Path

from local.run.guard import end, is_alive

ROOT = Path(__file__).parents[2]
# Starts a guard and two children that write when they are told to end, and says their process ids.
PARENT = """
import subprocess, sys, tempfile, time
from pathlib import Path
from local.run.guard import Guard
lock, said = open(sys.argv[1], "a"), sys.argv[2]
child = '''
import signal, sys, time
def bye(*_):
    with open(sys.argv[1], "a") as said:
        said.write(sys.argv[2] + chr(10))
    sys.exit(0)
signal.signal(signal.SIGTERM, bye)
print("up", flush=True)
time.sleep(60)
'''
guard = Guard.start(holding=lock.fileno())
pids = []
for name, rank in (("second", 2), ("first", 1), ("forgotten", 0)):
    process = subprocess.Popen(
        [sys.executable, "-c", child, said, name], stdout=subprocess.PIPE, start_new_session=True
    )
    process.stdout.readline()
    guard.watch(process.pid, rank=rank, grace_seconds=10)
    pids.append(process.pid)
guard.forget(pids[-1])
print(guard.process.pid, *pids, flush=True)
time.sleep(60)
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


class TestKeep:
    def test_ends_the_children_in_order_when_the_parent_was_killed(self, tmp_path: Path) -> None:
        said = tmp_path / "said"
        command = [sys.executable, "-c", PARENT, str(tmp_path / "lock"), str(said)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
            assert parent.stdout is not None
            guard, second, first, forgotten = map(int, parent.stdout.readline().split())
            for pid in (guard, second, first, forgotten):
                assert is_alive(pid)

            parent.kill()

        until_gone(guard, second, first)
        assert said.read_text().splitlines() == ["first", "second"]
        assert is_alive(forgotten)
        end(forgotten, 10)


class TestEnd:
    def test_kills_what_does_not_listen(self) -> None:
        with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE) as stubborn:
            assert stubborn.stdout is not None
            stubborn.stdout.readline()

            end(stubborn.pid, 0.1)

        assert stubborn.returncode == -signal.SIGKILL

    def test_of_one_that_is_gone_changes_nothing(self) -> None:
        with subprocess.Popen([sys.executable, "-c", ""]) as gone:
            pass

        end(gone.pid, 10)

        assert not is_alive(gone.pid)


def until_gone(*pids: int) -> None:
    deadline = time.monotonic() + 30
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < deadline, f"still alive: {[pid for pid in pids if is_alive(pid)]}"
        time.sleep(0.02)

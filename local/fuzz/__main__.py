"""`make fuzz`: send what the OpenAPI documents allow, and what they do not, to a running copy of the whole platform.

About three minutes; FUZZ=short takes half a minute and sends the same requests every time, FUZZ=nightly half an hour.
"""

import argparse
import os
import sys

from local.fuzz.runs import NIGHTLY, NORMAL, RUNS, SHORT, Run, perform
from local.run.errors import StackError
from local.stack import LocalStack

_EFFORTS = {"": NORMAL, "short": SHORT, "nightly": NIGHTLY}


def main() -> int:
    """Start a copy, do every run, and say which found something."""
    argparse.ArgumentParser(prog="python -m local.fuzz", description=__doc__).parse_args()
    wanted = os.environ.get("FUZZ", "")
    if wanted not in _EFFORTS:
        print(f"FUZZ is {wanted}; it can be short or nightly.", file=sys.stderr)
        return 2
    try:
        with LocalStack(storage_in_memory=True) as stack:
            failed = [run.name for run in RUNS if _failed(run, stack, wanted)]
    except StackError as error:
        print(f"The fuzzing stopped. {error}", file=sys.stderr)
        return 1
    print(
        f"\nFound something: {'; '.join(failed)}." if failed else "\nEvery answer was one that the documents declare."
    )
    return 1 if failed else 0


def _failed(run: Run, stack: LocalStack, wanted: str) -> bool:
    print(f"\n{run.name}", flush=True)
    status, _ = perform(run, _EFFORTS[wanted], stack)
    return status != 0


if __name__ == "__main__":
    sys.exit(main())

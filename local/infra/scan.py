"""Runs checkov's Bicep checks on a folder and prints what failed as JSON. Runs in the tools' own environment.

In the process and with the two runners that know Bicep, it takes a third of the time of the `checkov` command, which
loads every framework that it has.
"""
# checkov is in the tools' environment only:
# pyright: reportMissingImports=false, reportUnusedImport=false

import json
import logging
import sys

# The rules for ARM hold for Bicep as well, and register themselves when their runner is imported.
from checkov.arm.runner import Runner as _ArmRunner  # noqa: F401 - see above
from checkov.bicep.runner import Runner
from checkov.runner_filter import RunnerFilter


def main() -> int:
    """Print failed checks and files that could not be read."""
    # A rule that stumbles over an expression logs a stack; it has no opinion then.
    logging.disable(logging.CRITICAL)
    report = Runner().run(root_folder=sys.argv[1], runner_filter=RunnerFilter(framework=["bicep"]))
    failed = [
        {"check": found.check_id, "says": found.check_name, "file": found.file_path.lstrip("/"),
         "resource": found.resource.split(".")[-1], "line": found.file_line_range[0]}
        for found in report.failed_checks
    ]  # fmt: skip
    unread = [str(path) for path in report.parsing_errors]
    print(json.dumps({"failed": failed, "unread": unread, "passed": len(report.passed_checks)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`make infra`: all that can be said about the deployment without Azure; `--without-tools` leaves out the slow half."""

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from local.infra.delivery import check_azd, check_workflows
from local.infra.findings import Finding, Findings, InfraError
from local.infra.parameters import check_environments, check_parameters
from local.infra.policies import check_policies
from local.infra.schemas import read_schemas
from local.infra.security import check_security
from local.infra.templates import check_templates
from local.infra.tools import ROOT, install

INFRA = ROOT / "infra"
MAIN = INFRA / "main.bicep"
Check: TypeAlias = tuple[str, Callable[[], Findings]]


def main(arguments: list[str]) -> int:
    """Run every check. Returns 1 when there is a finding, 2 when a check could not be done."""
    checks: list[Check] = [
        ("templates", lambda: check_templates(MAIN, read_schemas(INFRA / "schemas"))),
        ("parameters", lambda: check_parameters(MAIN, INFRA / "main.parameters.json")),
        ("environments", lambda: check_environments(MAIN, INFRA / "environments")),
        ("policies", lambda: check_policies(INFRA / "policies")),
    ]
    if "--without-tools" not in arguments:
        azd = INFRA / "schemas" / "azd" / "azure.yaml.json"
        checks[:0] = [
            ("security", lambda: check_security(INFRA)),
            ("azure.yaml", lambda: check_azd(ROOT / "azure.yaml", azd, INFRA)),
            ("workflows", lambda: check_workflows(ROOT / ".github" / "workflows")),
        ]
    total = 0
    try:
        if "--without-tools" not in arguments:
            install()
        # The tools are processes of their own, so two cores are worth two at a time.
        with ThreadPoolExecutor(max_workers=2) as pool:
            results = pool.map(_timed, checks)
            for name, found, seconds in results:
                for finding in found:
                    print(str(finding).replace(f"{ROOT}/", ""))
                total += len(found)
                print(f"{name}: {len(found)} findings, {seconds:.1f} s", flush=True)
    except InfraError as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if total else 0


def _timed(check: Check) -> tuple[str, list[Finding], float]:
    started = time.monotonic()
    return check[0], check[1]().all(), time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

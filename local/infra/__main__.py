"""`make infra`: all that can be said about the deployment without Azure; `--without-tools` leaves out the slow half."""

import sys
import time
from collections.abc import Callable

from local.infra.delivery import check_azd, check_workflows
from local.infra.findings import Findings, InfraError
from local.infra.parameters import check_environments, check_parameters
from local.infra.policies import check_policies
from local.infra.schemas import read_schemas
from local.infra.security import check_security
from local.infra.templates import check_templates
from local.infra.tools import ROOT

INFRA = ROOT / "infra"
MAIN = INFRA / "main.bicep"


def main(arguments: list[str]) -> int:
    """Run every check. Returns 1 when there is a finding, 2 when a check could not be done."""
    checks: list[tuple[str, Callable[[], Findings]]] = [
        ("templates", lambda: check_templates(MAIN, read_schemas(INFRA / "schemas"))),
        ("parameters", lambda: check_parameters(MAIN, INFRA / "main.parameters.json")),
        ("environments", lambda: check_environments(MAIN, INFRA / "environments")),
        ("policies", lambda: check_policies(INFRA / "policies")),
    ]
    if "--without-tools" not in arguments:
        azd = INFRA / "schemas" / "azd" / "azure.yaml.json"
        checks += [
            ("azure.yaml", lambda: check_azd(ROOT / "azure.yaml", azd, INFRA)),
            ("workflows", lambda: check_workflows(ROOT / ".github" / "workflows")),
            ("security", lambda: check_security(INFRA)),
        ]
    total = 0
    for name, check in checks:
        started = time.monotonic()
        try:
            found = check().all()
        except InfraError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 2
        for finding in found:
            print(str(finding).replace(f"{ROOT}/", ""))
        total += len(found)
        print(
            f"{name}: {len(found) or 'no'} finding{'' if len(found) == 1 else 's'}, {time.monotonic() - started:.1f} s"
        )
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

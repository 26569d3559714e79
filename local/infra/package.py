"""`make package`: the zip that is deployed, the same for every environment. Azure installs requirements.txt itself.

What travels is what git knows or would know, without what `.funcignore` names; azd chooses alike.
"""

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from local.infra.tools import ROOT

PACKAGE: Final = ROOT / ".local" / "package" / "customer-platform.zip"
_IGNORE: Final = ".funcignore"
# The same content makes the same zip, whenever and wherever it is built.
_TIME: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o644 << 16


def contents(root: Path = ROOT) -> list[str]:
    """Return the paths that travel, sorted."""
    known = _git(root, "--cached", "--others", "--exclude-standard")
    left_out = _git(root, "--cached", "--ignored", f"--exclude-from={_IGNORE}")
    left_out |= _git(root, "--others", "--ignored", f"--exclude-from={_IGNORE}")
    return sorted(path for path in known - left_out if (root / path).is_file())


def build(target: Path = PACKAGE, root: Path = ROOT) -> list[str]:
    """Write the package and return what it holds."""
    paths = contents(root)
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for path in paths:
            entry = zipfile.ZipInfo(path, _TIME)
            entry.external_attr = _MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(entry, (root / path).read_bytes())
    return paths


def main() -> int:
    """Build the package and list it."""
    paths = build()
    for path in paths:
        print(f"{(ROOT / path).stat().st_size:>9,}  {path}")
    print(f"{len(paths)} files, {PACKAGE.stat().st_size / 1024:,.0f} KiB: {PACKAGE.relative_to(ROOT)}")
    return 0


def _git(root: Path, *options: str) -> set[str]:
    done = subprocess.run(["git", "ls-files", "-z", *options], cwd=root, capture_output=True, check=True)
    return {path.decode() for path in done.stdout.split(b"\0") if path}


if __name__ == "__main__":
    sys.exit(main())

"""Prints the newest section of a changelog that says something.

`python -m local.infra.release_notes CHANGELOG.md`.

Runs with a bare Python.
"""

import re
import sys
from pathlib import Path


def newest_section(changelog: str) -> str:
    """Return what stands under the first heading of the second level that has text."""
    for section in re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        if text.strip():
            return f"## {heading.strip()}\n\n{text.strip()}\n"
    raise SystemExit("The changelog says nothing about this release.")


if __name__ == "__main__":
    print(newest_section(Path(sys.argv[1]).read_text(encoding="utf-8")))

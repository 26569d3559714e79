"""A copy of what is checked, to plant mistakes in."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def copied(target: Path) -> Path:
    """Return a copy of `infra` beside a copy of the documents that it loads."""
    shutil.copytree(ROOT / "infra", target / "infra")
    shutil.copytree(ROOT / "docs" / "openapi", target / "docs" / "openapi")
    return target / "infra"


def plant(file: Path, right: str, wrong: str) -> None:
    """Put a mistake in the place of what is right, which must be there once or more."""
    source = file.read_text()
    assert right in source, f"{file.name} has no {right!r} any more: plant the mistake elsewhere"
    file.write_text(source.replace(right, wrong, 1))

"""Writes the README's table of settings from where they are declared; the tests say when it is not current."""

import sys
from dataclasses import MISSING, fields
from pathlib import Path

from lib.settings import Settings

README = Path(__file__).resolve().parents[1] / "README.md"
_BEGIN, _END = "<!-- settings -->", "<!-- /settings -->"


def table() -> str:
    """Return the table of settings in Markdown."""
    rows = ["| setting | default | what it decides |", "|---|---|---|"]
    for setting in fields(Settings):
        shown = _shown(setting.default)
        rows.append(f"| `{setting.metadata['name']}` | {shown} | {setting.metadata['meaning']} |")
    return "\n".join(rows)


def _shown(default: object) -> str:
    if default is MISSING:
        return "required"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default}`" if default != "" else ""


def main() -> int:
    """Write the table into the README."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    README.write_text(f"{before}{_BEGIN}\n\n{table()}\n\n{_END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

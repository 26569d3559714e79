"""`make openapi`: write the two OpenAPI documents from the operations, or with --check say whether they are current."""

import json
import sys
from pathlib import Path
from typing import Any

from functions.assembly import PRIVATE_ROUTERS, PUBLIC_ROUTERS
from functions.documentation.documents import private_document, public_document

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "openapi"


def documents() -> dict[Path, str]:
    """Return what each file should hold."""
    return {
        FOLDER / "public.json": _text(public_document(PUBLIC_ROUTERS)),
        FOLDER / "private.json": _text(private_document(PRIVATE_ROUTERS)),
    }


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write or check the documents."""
    wanted = documents()
    if "--check" in sys.argv[1:]:
        stale = [path.name for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
        for name in stale:
            print(f"docs/openapi/{name} is not what the operations say; run make openapi and commit it.")
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(FOLDER.parents[1])}: {text.count('operationId')} operations")
    return 0


if __name__ == "__main__":
    sys.exit(main())

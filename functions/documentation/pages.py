"""What the documentation operations send: the committed documents, and Swagger UI from the package that carries it."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from lib.errors import NotFoundError

_DOCUMENTS: Final = Path(__file__).resolve().parents[2] / "docs" / "openapi"
_ASSET_PACKAGE: Final = "fastapi_offline"
ASSETS: Final = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/api/docs/assets/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="/api/docs/assets/swagger-ui-bundle.js"></script>
<script>
SwaggerUIBundle({{url: "{document}" + location.search, dom_id: "#page", deepLinking: true, validatorUrl: null}});
</script>
</body>
</html>
"""


class AssetNotFoundError(NotFoundError):
    """There is no such part of a documentation page."""

    kind = "asset-not-found"


@cache
def document(name: str) -> bytes:
    """Return a committed OpenAPI document: `public` or `private`."""
    return (_DOCUMENTS / f"{name}.json").read_bytes()


def page(*, title: str, document_path: str) -> str:
    """Return a page that shows a document; a function key in its address is handed on to the document's."""
    return _PAGE.format(title=title, document=document_path)


@cache
def asset(name: str) -> bytes:
    """Return a part of the documentation pages.

    Raises:
        AssetNotFoundError: there is no such part.
    """
    if name not in ASSETS:
        raise AssetNotFoundError("There is no such part of the documentation pages.")
    return files(_ASSET_PACKAGE).joinpath("static", name).read_bytes()

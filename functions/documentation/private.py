"""The private API's document and page."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from functions.documentation.pages import document, page
from functions.host.answers import JSON

router = APIRouter(prefix="/api/private", include_in_schema=False)


@router.get("/openapi.json", operation_id="get_openapi_private")
async def get_openapi_private() -> Response:
    """Return the OpenAPI 3.1 document of the private API."""
    return Response(document("private"), media_type=JSON)


@router.get("/docs", operation_id="get_docs_private")
async def get_docs_private() -> Response:
    """Return the page that shows the private API; open it with `?code=` and a function key."""
    return HTMLResponse(page(title="Customer platform: private API", document_path="/api/private/openapi.json"))

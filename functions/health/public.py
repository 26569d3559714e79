"""The public health check."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from functions.host.answers import answers, shown

router = APIRouter(prefix="/api/health", tags=["health"])


class Alive(BaseModel):
    """The app runs."""

    status: Annotated[Literal["ok"], Field(description="Always ok: whoever reads it was answered")] = "ok"


@router.get("", operation_id="get_health", summary="Is the app running?", responses=answers(HTTPStatus.OK, Alive))
async def get_health() -> Response:
    """Answer without asking anything else, so that a gateway or probe learns of this app alone."""
    return shown(Alive())

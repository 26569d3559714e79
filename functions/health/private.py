"""The private health report: storage, queues, mainframe, and the age of the oldest undelivered change."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from functions.host.answers import answers, shown
from functions.host.caller import CurrentPlatform
from lib.health import Condition, Report

router = APIRouter(prefix="/api/private/v1/health", tags=["health"])


class PartView(BaseModel):
    """How one part does."""

    condition: Condition
    detail: Annotated[str | None, Field(max_length=200)] = None


class QueueView(PartView):
    """How a queue does. The number is storage's own approximation."""

    messages: Annotated[int | None, Field(ge=0, json_schema_extra={"format": "int64"})] = None


class ReportView(BaseModel):
    """How the platform does. It is degraded while any part is not ok; requests are still served."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    status: Condition
    storage: PartView
    queues: Annotated[dict[str, QueueView], Field(max_length=50)]
    mainframe: PartView
    undelivered: Annotated[int | None, Field(ge=0, json_schema_extra={"format": "int64"})] = None
    oldest_undelivered_seconds: Annotated[
        float | None, Field(ge=0, description="Age of the oldest change that was not acknowledged at its first attempt")
    ] = None

    @classmethod
    def of(cls, report: Report) -> "ReportView":
        """Return how a report is shown."""
        return cls(
            status=report.status,
            storage=PartView(condition=report.storage.condition, detail=report.storage.detail),
            queues={
                name: QueueView(condition=queue.condition, detail=queue.detail, messages=queue.messages)
                for name, queue in report.queues.items()
            },
            mainframe=PartView(condition=report.mainframe.condition, detail=report.mainframe.detail),
            undelivered=report.undelivered,
            oldest_undelivered_seconds=report.oldest_undelivered_seconds,
        )


@router.get(
    "",
    operation_id="get_health_private",
    summary="Tell how the platform and its surroundings do",
    responses=answers(HTTPStatus.OK, ReportView),
)
async def get_health_private(platform: CurrentPlatform) -> Response:
    """Tell how storage, queues and mainframe do, and how old the oldest undelivered change is."""
    return shown(ReportView.of(await platform.health.report()))

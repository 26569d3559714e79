"""Public operations on feedback: customers say what they think."""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Body
from starlette.responses import Response

from functions.customers.public import CustomerId
from functions.feedback.views import EXAMPLES, FeedbackId, own
from functions.host.answers import BODY_REFUSALS, answers, entity, recorded, recorded_answers
from functions.host.caller import CurrentPlatform, IfNoneMatch, PublicCaller
from lib.feedback.models import FeedbackDraft, OwnFeedback

router = APIRouter(prefix="/api/v1/customers/{customerId}/feedback", tags=["feedback"])

VIEW: Final = "public"


@router.post(
    "",
    operation_id="give_feedback",
    summary="Give feedback",
    status_code=HTTPStatus.CREATED,
    responses=recorded_answers(
        OwnFeedback,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        *BODY_REFUSALS,
    ),
)
async def give_feedback(
    caller: PublicCaller, customerId: CustomerId, draft: Annotated[FeedbackDraft, Body(openapi_examples=EXAMPLES)]
) -> Response:
    """Complain, compliment, suggest, or rate on a scale: of the airline, an interaction, an order or a case.

    Card numbers in the text are masked before it is kept.
    """
    kept = await caller.platform.feedback.give(
        customer_id=customerId, draft=draft, operation=caller.operation("give_feedback", customerId)
    )
    folder = f"/api/v1/customers/{customerId}/feedback"
    return recorded(replace(kept, answer=own(kept.answer)), view=VIEW, folder=folder)


@router.get(
    "/{feedbackId}",
    operation_id="get_feedback",
    summary="Read feedback",
    responses=answers(HTTPStatus.OK, OwnFeedback, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, tagged=True),
)
async def get_feedback(
    platform: CurrentPlatform, customerId: CustomerId, feedbackId: FeedbackId, if_none_match: IfNoneMatch = None
) -> Response:
    """Read what was said; card numbers are masked."""
    answer = await platform.feedback.read(customer_id=customerId, feedback_id=feedbackId)
    return entity(own(answer), view=VIEW, if_none_match=if_none_match)

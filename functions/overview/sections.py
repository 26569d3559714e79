"""The sections an overview may have: one line each says its name, what it holds and how it is read."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from pydantic import BaseModel

from functions.cases.views import CaseList
from functions.consents.subscription_views import SubscriptionList, public_of
from functions.consents.views import ConsentList
from functions.deliveries.private import DeliveryStatusView
from functions.feedback.views import FeedbackList
from functions.host.answers import list_text, next_address
from functions.interactions.views import InteractionList
from functions.orders.views import OrderList
from functions.timeline.views import StaffEntryView, StaffTimeline
from lib.customers.models import Customer
from lib.customers.service import CustomerNotFoundError
from lib.overview.service import PROFILE
from lib.paging import Page
from lib.preferences.models import Preferences
from lib.timeline.filters import TimelineFilter
from lib.wiring import Platform

FIRST: Final = 10
_Read: TypeAlias = Callable[[Platform, str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class SectionKind:
    """A section: its name on the wire, the model of its data, and how it is read as JSON text."""

    name: str
    model: type[BaseModel]
    read: _Read


async def _profile(platform: Platform, customer_id: str) -> str:
    return (await platform.customers.read(customer_id=customer_id)).document


async def _preferences(platform: Platform, customer_id: str) -> str:
    return (await platform.preferences.read(customer_id=customer_id)).document


async def _consents(platform: Platform, customer_id: str) -> str:
    page = await platform.consents.list_page(customer_id=customer_id, at=None, limit=FIRST, cursor=None)
    return _models("consents", customer_id, page.items, page.cursor)


async def _subscriptions(platform: Platform, customer_id: str) -> str:
    page = await platform.subscriptions.list_page(customer_id=customer_id, limit=FIRST, cursor=None)
    return _models("subscriptions", customer_id, [public_of(found) for found in page.items], page.cursor)


async def _orders(platform: Platform, customer_id: str) -> str:
    page = await platform.orders.list_page(customer_id=customer_id, when=None, state=None, limit=FIRST, cursor=None)
    return _texts("orders", customer_id, page)


async def _cases(platform: Platform, customer_id: str) -> str:
    page = await platform.cases.list_page(customer_id=customer_id, state=None, settled=None, limit=FIRST, cursor=None)
    return _texts("cases", customer_id, page)


async def _interactions(platform: Platform, customer_id: str) -> str:
    page = await platform.interactions.list_page(customer_id=customer_id, limit=FIRST, cursor=None)
    return _texts("interactions", customer_id, page)


async def _feedback(platform: Platform, customer_id: str) -> str:
    page = await platform.feedback.list_page(customer_id=customer_id, limit=FIRST, cursor=None)
    return _texts("feedback", customer_id, page)


async def _timeline(platform: Platform, customer_id: str) -> str:
    page = await platform.timeline.page(customer_id=customer_id, asked=TimelineFilter(), limit=FIRST, cursor=None)
    return _models("timeline", customer_id, [StaffEntryView.of(entry) for entry in page.items], page.cursor)


async def _delivery(platform: Platform, customer_id: str) -> str:
    status = await platform.customer_deliveries.of(customer_id, partition=customer_id)
    if status is None:
        raise CustomerNotFoundError
    return DeliveryStatusView.of(status).model_dump_json(by_alias=True)


def _models(name: str, customer_id: str, items: Sequence[BaseModel], cursor: str | None) -> str:
    return _texts(
        name, customer_id, Page([item.model_dump_json(by_alias=True, exclude_none=True) for item in items], cursor)
    )


def _texts(name: str, customer_id: str, page: Page[str]) -> str:
    """Return the first page of a list as its own operation answers it, and where that goes on."""
    path = f"/api/private/v1/customers/{customer_id}/{name}"
    return list_text(page.items, next_address(path, [("limit", str(FIRST))], page.cursor))


SECTIONS: Final = (
    SectionKind(PROFILE, Customer, _profile),
    SectionKind("preferences", Preferences, _preferences),
    SectionKind("consents", ConsentList, _consents),
    SectionKind("subscriptions", SubscriptionList, _subscriptions),
    SectionKind("orders", OrderList, _orders),
    SectionKind("cases", CaseList, _cases),
    SectionKind("interactions", InteractionList, _interactions),
    SectionKind("feedback", FeedbackList, _feedback),
    SectionKind("timeline", StaffTimeline, _timeline),
    SectionKind("delivery", DeliveryStatusView, _delivery),
)
BY_NAME: Final = {section.name: section for section in SECTIONS}

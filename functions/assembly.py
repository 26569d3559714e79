"""Puts the app together: which rooms are reached over HTTP, by queue message and by timer."""

from typing import Final

import azure.functions as func
from fastapi import APIRouter

from functions.cases import private as cases_private
from functions.cases import private_comments as cases_private_comments
from functions.cases import public as cases_public
from functions.consents import private as consents_private
from functions.consents import public as consents_public
from functions.consents import subscriptions_private, subscriptions_public
from functions.customers import private as customers_private
from functions.customers import public as customers_public
from functions.deliveries import private as deliveries_private
from functions.deliveries import queues as deliveries_queues
from functions.deliveries import timers as deliveries_timers
from functions.documentation import private as documentation_private
from functions.documentation import public as documentation_public
from functions.failures import private as failures_private
from functions.failures import queues as failures_queues
from functions.feedback import private as feedback_private
from functions.feedback import public as feedback_public
from functions.health import private as health_private
from functions.health import public as health_public
from functions.health import timers as health_timers
from functions.host.api import create_api
from functions.host.http import register
from functions.host.serving import platform
from functions.identifiers import private as identifiers_private
from functions.identifiers import queues as identifiers_queues
from functions.identifiers import rebuilds as identifiers_rebuilds
from functions.identifiers import timers as identifiers_timers
from functions.imports import private as imports_private
from functions.imports import queues as imports_queues
from functions.imports import timers as imports_timers
from functions.interactions import private as interactions_private
from functions.mainframe import private as mainframe_private
from functions.orders import actions as orders_actions
from functions.orders import flights as orders_flights
from functions.orders import private as orders_private
from functions.orders import public as orders_public
from functions.orders import queues as orders_queues
from functions.overview import private as overview_private
from functions.preferences import private as preferences_private
from functions.preferences import public as preferences_public
from functions.reconciliation import private as reconciliation_private
from functions.reconciliation import queues as reconciliation_queues
from functions.reconciliation import timers as reconciliation_timers
from functions.replays import private as replays_private
from functions.replays import queues as replays_queues
from functions.replays import timers as replays_timers
from functions.timeline import private as timeline_private
from functions.timeline import public as timeline_public

PUBLIC_ROUTERS: Final[tuple[APIRouter, ...]] = (
    health_public.router,
    documentation_public.router,
    customers_public.router,
    feedback_public.router,
    timeline_public.router,
    preferences_public.router,
    orders_public.router,
    cases_public.router,
    consents_public.router,
    subscriptions_public.router,
)
PRIVATE_ROUTERS: Final[tuple[APIRouter, ...]] = (
    health_private.router,
    documentation_private.router,
    identifiers_private.router,  # before what would take `lookup` for a customer's id
    customers_private.router,
    preferences_private.router,
    orders_private.router,
    orders_actions.router,
    orders_flights.router,
    cases_private.router,
    cases_private_comments.router,
    consents_private.router,
    subscriptions_private.router,
    deliveries_private.router,
    mainframe_private.router,
    failures_private.router,
    replays_private.router,
    reconciliation_private.router,
    identifiers_rebuilds.router,
    interactions_private.router,
    feedback_private.router,
    timeline_private.router,
    overview_private.router,
    imports_private.router,
)


def assemble() -> func.FunctionApp:
    """Return the app with every function registered."""
    app = func.FunctionApp()
    routers = (*PUBLIC_ROUTERS, *PRIVATE_ROUTERS)
    register(app, create_api(platform, routers), routers)
    app.register_functions(deliveries_queues.blueprint)
    app.register_functions(deliveries_timers.blueprint)
    app.register_functions(failures_queues.blueprint)
    app.register_functions(health_timers.blueprint)
    app.register_functions(orders_queues.blueprint)
    app.register_functions(replays_queues.blueprint)
    app.register_functions(replays_timers.blueprint)
    app.register_functions(reconciliation_queues.blueprint)
    app.register_functions(reconciliation_timers.blueprint)
    app.register_functions(imports_queues.blueprint)
    app.register_functions(imports_timers.blueprint)
    app.register_functions(identifiers_queues.blueprint)
    app.register_functions(identifiers_timers.blueprint)
    return app

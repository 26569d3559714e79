"""Makes the two OpenAPI 3.1 documents from the operations: when they are committed, never when serving."""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi

from functions.host.answers import problem_schema

VERSION: Final = "1.0.0"
_KEY_SCHEME: Final = {
    "functionKey": {
        "type": "apiKey",
        "in": "header",
        "name": "x-functions-key",
        "description": "A function key; `?code=` in the address works too",
    }
}
_GATEWAY_SCHEME: Final = {
    "gatewayKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Gateway-Key",
        "description": "Added by the gateway where there is one; clients do not send it",
    }
}
_HOST_REFUSAL: Final = {"description": "The function key is missing or wrong; the host answers without a body"}
_HOST_NOT_FOUND: Final = {"description": "No operation has this path and method; the host answers without a body"}


def public_document(routers: Sequence[APIRouter]) -> dict[str, Any]:
    """Return the document of the public API."""
    made = _document(
        routers,
        title="Iommi customer platform: public API",
        description="Customers, as channels and partners see them. Writes take an `Idempotency-Key`; changes need "
        "`If-Match`. Errors are problem details (RFC 9457).",
        private=False,
    )
    made["components"]["securitySchemes"] = _GATEWAY_SCHEME
    made["security"] = [{}, {"gatewayKey": []}]
    return made


def private_document(routers: Sequence[APIRouter]) -> dict[str, Any]:
    """Return the document of the private API."""
    made = _document(
        routers,
        title="Iommi customer platform: private API",
        description="For systems and staff inside the company. Operations need a function key. Errors are problem "
        "details (RFC 9457).",
        private=True,
    )
    made["components"]["securitySchemes"] = _KEY_SCHEME
    made["security"] = [{"functionKey": []}]
    for operation in _operations(made):
        operation["responses"].setdefault("401", _HOST_REFUSAL)
    return made


def _document(routers: Sequence[APIRouter], *, title: str, description: str, private: bool) -> dict[str, Any]:
    routes = [route for router in routers if router.include_in_schema for route in router.routes]
    made = get_openapi(
        title=title, version=VERSION, openapi_version="3.1.0", description=description, routes=routes, servers=_SERVERS
    )
    schemas = made["components"]["schemas"]
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    problem = problem_schema(private=private)
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    for operation in _operations(made):
        responses = operation["responses"]
        if "HTTPValidationError" in str(responses.get("422")):
            del responses["422"]
        responses.setdefault("404", _HOST_NOT_FOUND)
        parameters = operation.get("parameters", ())
        # The code takes a missing If-Match, as it has an answer of its own where one is required (428).
        required = "428" in responses and all(parameter["name"] != "If-None-Match" for parameter in parameters)
        for parameter in parameters:
            _settle(parameter)
            if parameter["name"] == "If-Match":
                parameter["required"] = required
    return made


def _settle(parameter: dict[str, Any]) -> None:
    """Say what is true of a parameter: it can be left out but not be null."""
    schema = parameter["schema"]
    schema["anyOf"] = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(schema["anyOf"]) <= 1:
        for only in schema.pop("anyOf"):
            parameter["schema"] = only | schema


_SERVERS: Final = [{"url": "/", "description": "Where this document is served"}]


def _operations(made: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in made["paths"].values() for operation in path.values() if isinstance(operation, dict)]

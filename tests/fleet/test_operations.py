"""Promises about every operation at once: reachable, protected, documented, refused in one shape."""

import asyncio
import json
from typing import Any

import azure.functions as func
import pytest
from fastapi.routing import APIRoute

from functions.assembly import PRIVATE_ROUTERS, PUBLIC_ROUTERS, assemble
from functions.host.http import auth_level_of, operations_of
from lib.messaging.catalogue import ALL_QUEUES, CONSUMERS, QueueName, Subject
from local.openapi import FOLDER, documents

OPERATIONS = operations_of((*PUBLIC_ROUTERS, *PRIVATE_ROUTERS))
BY_NAME = {operation.operation_id: operation for operation in OPERATIONS}


@pytest.fixture(scope="module")
def functions() -> dict[str, Any]:
    return {function.get_function_name(): function for function in assemble().get_functions()}


def template(operation: APIRoute) -> list[str]:
    return operation.path.strip("/").split("/")


def matches(pattern: list[str], path: list[str]) -> bool:
    return len(pattern) == len(path) and all(
        part.startswith("{") or part.lower() == given.lower() for part, given in zip(pattern, path, strict=True)
    )


class TestOperations:
    def test_each_is_a_function_of_its_own_name_route_and_methods(self, functions: dict[str, Any]) -> None:
        for name, operation in BY_NAME.items():
            trigger = functions[str(name)].get_trigger().get_dict_repr()
            assert f"/api/{trigger['route']}" == operation.path_format
            assert {method.value for method in trigger["methods"]} == set(operation.methods or ())

    def test_every_http_function_is_an_operation(self, functions: dict[str, Any]) -> None:
        http = {name for name, function in functions.items() if "route" in function.get_trigger().get_dict_repr()}

        assert http == set(BY_NAME)

    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.operation_id)
    def test_is_not_shadowed_under_the_hosts_name_ordering(self, operation: APIRoute) -> None:
        path = [part if not part.startswith("{") else "cus_1" for part in template(operation)]

        first = next(
            other
            for other in sorted(OPERATIONS, key=lambda other: str(other.operation_id).upper())
            if matches(template(other), path) and set(other.methods or ()) & set(operation.methods or ())
        )

        assert first.operation_id == operation.operation_id

    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.operation_id)
    def test_private_ones_need_a_key_and_say_so_in_their_names(self, operation: APIRoute) -> None:
        private = operation.path.startswith("/api/private/")

        assert str(operation.operation_id).endswith("_private") == private
        assert auth_level_of(operation) is (func.AuthLevel.FUNCTION if private else func.AuthLevel.ANONYMOUS)

    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.operation_id)
    def test_runs_on_the_loop_and_has_words_for_its_reader(self, operation: APIRoute) -> None:
        assert asyncio.iscoroutinefunction(operation.endpoint)
        assert operation.endpoint.__doc__

    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.operation_id)
    def test_every_write_takes_an_idempotency_key(self, operation: APIRoute) -> None:
        if not set(operation.methods or ()) & {"POST", "PUT", "PATCH", "DELETE"}:
            return
        names = {
            parameter.alias for dependency in operation.dependant.dependencies for parameter in dependency.header_params
        }

        assert "Idempotency-Key" in names


class TestDocuments:
    @pytest.mark.parametrize("path", list(documents()), ids=lambda path: path.name)
    def test_are_what_the_operations_say(self, path: Any) -> None:
        assert path.read_text("utf-8") == documents()[path], "run make openapi and commit what it writes"

    @pytest.mark.parametrize("name", ["public.json", "private.json"])
    def test_schemas_have_names_of_their_own_and_none_of_ours_inside(self, name: str) -> None:
        schemas = json.loads((FOLDER / name).read_text("utf-8"))["components"]["schemas"]

        assert [schema for schema in schemas if "__" in schema] == []

    @pytest.mark.parametrize("name", ["public.json", "private.json"])
    def test_every_text_and_list_has_a_limit(self, name: str) -> None:
        unbounded = list(_unbounded(json.loads((FOLDER / name).read_text("utf-8"))["components"]["schemas"], ""))

        assert unbounded == []

    @pytest.mark.parametrize("name", ["public.json", "private.json"])
    def test_every_operation_declares_its_refusals(self, name: str) -> None:
        document = json.loads((FOLDER / name).read_text("utf-8"))

        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                expected = {"400", "404", "500", "503"}
                if method in {"post", "put", "patch"}:
                    expected |= {"413", "415", "422"}
                if method in {"put", "patch"}:
                    expected.add("412")
                # Stating the whole under another system's id needs no version: that system knows no other.
                if method in {"put", "patch"} and operation["operationId"] != "create_or_replace_customer_private":
                    expected.add("428")
                assert expected <= set(operation["responses"]), (method, path)


class TestQueues:
    def test_every_queue_has_exactly_one_function(self, functions: dict[str, Any]) -> None:
        triggers = [function.get_trigger().get_dict_repr() for function in functions.values()]

        listened = sorted(trigger["queueName"] for trigger in triggers if trigger["type"] == "queueTrigger")

        assert listened == sorted(ALL_QUEUES)

    def test_every_consumer_of_every_subject_is_a_queue_that_is_listened_to(self) -> None:
        assert set(CONSUMERS) == set(Subject)
        assert all(set(consumers) <= set(QueueName) for consumers in CONSUMERS.values())


def _unbounded(schema: Any, place: str) -> Any:
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from _unbounded(item, f"{place}/{index}")
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "string" and not {"maxLength", "enum", "const"} & schema.keys():
        yield place
    if schema.get("type") == "array" and "maxItems" not in schema:
        yield place
    for key, value in schema.items():
        if key not in {"examples", "example", "default"}:
            yield from _unbounded(value, f"{place}/{key}")

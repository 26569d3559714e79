"""Clients generated from our documents are whole, and drive the demo from its first step to its last."""

import sys
from collections.abc import Iterator

import pytest

from local.demo.story import Story
from local.stack import LocalStack
from tests.clients.generated import DOCUMENTS, GeneratedClient, generate, operations_of


@pytest.fixture(scope="module")
def warnings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("clients")
    said = {name: generate(name, folder) for name in DOCUMENTS}
    sys.path.insert(0, str(folder))
    try:
        yield said
    finally:
        sys.path.remove(str(folder))


@pytest.mark.parametrize("name", list(DOCUMENTS))
class TestGenerate:
    def test_leaves_nothing_out_but_downloads_of_lines(self, warnings: dict[str, str], name: str) -> None:
        left_out = [part for part in warnings[name].split("WARNING ")[1:] if "application/x-ndjson" not in part]

        assert left_out == []
        assert "Failure" not in warnings[name]

    @pytest.mark.usefixtures("warnings")
    def test_makes_a_function_of_every_operation(self, name: str) -> None:
        assert all(hasattr(operation.module, "asyncio_detailed") for operation in operations_of(name))


class TestDemo:
    @pytest.mark.usefixtures("warnings")
    def test_is_driven_through_generated_clients(self, stack: LocalStack) -> None:
        client = GeneratedClient(show=lambda _text: None)
        for name in DOCUMENTS:
            client.learn(name)
        story = Story(client=client, api=stack.base_url, control=stack.control_url, function_key=stack.function_key)

        try:
            for _title, step in story.steps():
                step()
        finally:
            story.tidy()

        assert client.unparsed == []
        assert {"create_customer", "get_customer", "update_customer"} <= client.used
        assert {"list_customer_changes_private", "get_customer_mainframe_delivery_private"} <= client.used
        assert {"update_preferences", "put_consent", "place_order", "get_consent_decision_private"} <= client.used
        assert {"open_case", "list_order_cases", "move_case_private", "add_case_comment"} <= client.used
        assert {"record_interaction_private", "find_customers_private", "get_timeline_private"} <= client.used

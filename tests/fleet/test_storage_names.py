"""Every table, queue and container the code names is created by Bicep, and nothing else is."""

import json
import re
from pathlib import Path

import pytest

import lib.wiring
from lib.messaging.catalogue import ALL_QUEUES, QueueName
from lib.wiring import ALL_TABLES
from local.infra.syntax import DeclarationKind
from local.infra.templates import evaluator_of
from local.infra.values import elements_of

_ROOT = Path(__file__).resolve().parents[2]
_TEMPLATE = _ROOT / "infra" / "modules" / "data-storage.bicep"
_TABLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{2,62}")
_QUEUE_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
# Code that works with blobs lists its containers beside its tables.
_ALL_CONTAINERS: tuple[str, ...] = getattr(lib.wiring, "ALL_CONTAINERS", ())
_CODE = {"tables": ALL_TABLES, "queues": ALL_QUEUES, "containers": _ALL_CONTAINERS}


def _created(resource: str, kind: str, template: Path = _TEMPLATE) -> set[str]:
    """Return the names that a resource of the template gives out, whose list is `names.<kind>`."""
    evaluator = evaluator_of(template)
    declaration = evaluator.template.of(DeclarationKind.RESOURCE)[resource]
    assert declaration.type.split("@")[0].endswith(f"/{kind}")
    bodies = evaluator.body(declaration)
    return {str(name.literal) for body in bodies for name in (body.members or {})["name"]}


@pytest.mark.parametrize("kind", sorted(_CODE))
class TestBicep:
    def test_creates_what_the_code_names(self, kind: str) -> None:
        assert _created(kind, kind) == set(_CODE[kind])

    def test_misses_what_is_removed_from_its_list(self, kind: str, tmp_path: Path) -> None:
        names = json.loads((_ROOT / "infra" / "storage-names.json").read_text())
        names[kind] = [*_CODE[kind][1:], "forgotten"]
        (tmp_path / "modules").mkdir()
        (tmp_path / "storage-names.json").write_text(json.dumps(names))
        (tmp_path / "modules" / _TEMPLATE.name).write_text(_TEMPLATE.read_text())

        created = _created(kind, kind, tmp_path / "modules" / _TEMPLATE.name)

        assert created != set(_CODE[kind])


class TestNames:
    def test_are_taken_by_azure(self) -> None:
        assert all(_TABLE_NAME.fullmatch(name) for name in ALL_TABLES)
        assert all(_QUEUE_NAME.fullmatch(name) for name in (*ALL_QUEUES, *_ALL_CONTAINERS))

    def test_of_queues_come_with_their_poison_queue(self) -> None:
        created = _created("queues", "queues")

        assert {queue.poison for queue in QueueName} <= created

    def test_are_read_from_one_file(self) -> None:
        evaluator = evaluator_of(_TEMPLATE)

        lists = evaluator.of("names")[0].members or {}

        assert {name: [item.literal for item in elements_of(found)] for name, found in lists.items()} == json.loads(
            (_ROOT / "infra" / "storage-names.json").read_text()
        )

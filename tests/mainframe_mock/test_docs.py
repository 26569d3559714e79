import json
import re
from pathlib import Path
from typing import get_args

import pytest

from lib.mainframe.layouts import load_layout
from lib.mainframe.text import write_text
from local.mainframe.faults import Fault, parse_faults
from local.mainframe.server import Settings

DOCS = (Path(__file__).parents[2] / "docs" / "mainframe.md").read_text("utf-8")
COPYBOOKS = Path(__file__).parents[2] / "lib" / "mainframe" / "copybooks"
FAULT_TYPES = get_args(get_args(Fault)[0])


class TestRecords:
    def test_stand_with_their_lengths(self) -> None:
        shown = dict(re.findall(r"\| `(IOM\w+)` \| [^|]+ \| (\d+) \|", DOCS))

        assert shown == {path.stem: str(load_layout(path.stem).length) for path in COPYBOOKS.glob("*.cpy")}


class TestText:
    def test_examples_are_true(self) -> None:
        examples = re.findall(r"`(\S+)` is `(\S+)`", DOCS)

        assert len(examples) == 4
        assert all(write_text(name, width=40, field="/x").text == expected for name, expected in examples)


class TestFaults:
    @pytest.mark.parametrize("fault", FAULT_TYPES)
    def test_are_all_described(self, fault: type) -> None:
        kind = get_args(fault.__annotations__["kind"])[0]

        assert re.search(rf"^\|.*`{kind}`", DOCS, re.MULTILINE)

    def test_examples_are_understood(self) -> None:
        faults = re.findall(r"/faults -d '(.+)'", DOCS)
        settings = re.findall(r"/settings -d '(.+)'", DOCS)

        assert (len(faults), len(settings)) == (4, 1)
        assert all(parse_faults(json.loads(example)) for example in faults)
        assert Settings.model_validate(json.loads(settings[0])).regions == 4

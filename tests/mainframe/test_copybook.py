from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lib.mainframe.copybook import parse_copybook
from lib.mainframe.errors import CopybookError
from lib.mainframe.items import Group
from lib.mainframe.layout import Layout

CARDDEMO = Path(__file__).parent.parent / "data" / "mainframe" / "carddemo"
PLUS, MINUS = "{ABCDEFGHI", "}JKLMNOPQR"
# Copybook, records, their expected text, bytes per record, records.
KNOWN_FILES = [
    ("CVCUS01Y.cpy", "CUSTDATA.ebcdic.bin", "custdata.expected.txt", 500, 50),
    ("CVACT01Y.cpy", "ACCTDATA.ebcdic.bin", "acctdata.expected.txt", 300, 50),
    ("CVTRA06Y.cpy", "DALYTRAN.first20.ebcdic.bin", "dailytran.first20.expected.txt", 350, 20),
]


def load(name: str, **options: Any) -> Layout:
    return parse_copybook((CARDDEMO / name).read_text("ascii"), **options)


def published(name: str) -> list[str]:
    """Return the published text, with the one field corrected in which CardDemo's text and EBCDIC files disagree."""
    text = (CARDDEMO / name).read_text("ascii")
    if name == "acctdata.expected.txt":
        account_49 = text.splitlines()[48]
        text = text.replace(account_49, account_49.replace("A000000000", "ZEROAPR   "))
    return text.splitlines()


def record(*lines: str) -> str:
    return "\n".join(f"       {line}" for line in ("01  REC.", *lines))


def rendered(group: Group, values: dict[str, Any]) -> str:
    """Write the decoded fields again as a display of the record shows them, in a way of our own."""
    parts: list[str] = []
    for member in group.members:
        assert not isinstance(member, Group)
        if not member.name:
            parts.append(" " * member.size)
        elif isinstance(values[member.name], str):
            parts.append(values[member.name].ljust(member.size))
        else:
            digits = f"{abs(values[member.name] * 10**member.scale):.0f}".rjust(member.digits, "0")  # type: ignore[union-attr]
            if member.signed:  # type: ignore[union-attr]
                digits = digits[:-1] + (MINUS if values[member.name] < 0 else PLUS)[int(digits[-1])]
            parts.append(digits)
    return "".join(parts)


class TestKnownFiles:
    @pytest.mark.parametrize(("copybook", "records", "expected", "length", "count"), KNOWN_FILES)
    def test_decode_to_their_published_text(
        self, copybook: str, records: str, expected: str, length: int, count: int
    ) -> None:
        layout = load(copybook)
        data = (CARDDEMO / records).read_bytes()

        lines = [
            rendered(layout.root, layout.decode(data[start : start + length])) for start in range(0, len(data), length)
        ]

        assert layout.length == length
        assert len(lines) == count
        assert lines == published(expected)

    @pytest.mark.parametrize(("copybook", "records", "length"), [(row[0], row[1], row[3]) for row in KNOWN_FILES])
    def test_come_back_byte_for_byte(self, copybook: str, records: str, length: int) -> None:
        layout = load(copybook)
        data = (CARDDEMO / records).read_bytes()

        again = b"".join(
            layout.encode(layout.decode(data[start : start + length])) for start in range(0, len(data), length)
        )

        assert again == data

    def test_hold_signed_amounts(self) -> None:
        layout = load("CVTRA06Y.cpy")
        data = (CARDDEMO / "DALYTRAN.first20.ebcdic.bin").read_bytes()

        amounts = [layout.decode(data[start : start + 350])["DALYTRAN-AMT"] for start in (0, 350, 700)]

        assert amounts == [Decimal("504.77"), Decimal("-919.00"), Decimal("67.88")]


class TestUnsupportedCopybooks:
    @pytest.mark.parametrize(
        ("copybook", "line", "clause"),
        [
            ("CVEXPORT.cpy", 12, "REDEFINES"),
            ("CCPAUERY.cpy", 26, "level 88"),
            ("CCPAURLY.cpy", 24, "PICTURE +9(10).99"),
            ("CCPAURQY.cpy", 27, "PICTURE +9(10).99"),
        ],
    )
    def test_name_the_line_and_the_clause(self, copybook: str, line: int, clause: str) -> None:
        with pytest.raises(CopybookError, match="not supported") as caught:
            load(copybook)

        assert caught.value.line == line
        assert clause in str(caught.value)
        assert (CARDDEMO / copybook).read_text("ascii").splitlines()[line - 1].find(clause.rsplit(maxsplit=1)[-1]) > 0

    @pytest.mark.parametrize(
        ("lines", "line", "clause"),
        [
            (["05 A PIC X(2).", "05 B REDEFINES A PIC 99."], 3, "REDEFINES"),
            (["05 A PIC S9(4) COMP."], 2, "COMP"),
            (["05 A PIC S9(4) USAGE IS BINARY."], 2, "BINARY"),
            (["05 A USAGE COMP-1."], 2, "COMP-1"),
            (["05 A PIC 9(4) COMP-5."], 2, "COMP-5"),
            (["05 A OCCURS 1 TO 5 TIMES DEPENDING ON B PIC X."], 2, "TO"),
            (["05 A OCCURS 3 TIMES DEPENDING ON B PIC X."], 2, "DEPENDING"),
            (["05 A OCCURS 3 INDEXED BY I PIC X."], 2, "INDEXED"),
            (["05 A OCCURS N TIMES PIC X."], 2, "OCCURS N"),
            (["05 A OCCURS 0 TIMES PIC X."], 2, "OCCURS 0"),
            (["05 A PIC ZZ9."], 2, "PICTURE ZZ9"),
            (["05 A PIC 9(3).99."], 2, "PICTURE 9(3).99"),
            (["05 A PIC 9(3)PP."], 2, "PICTURE 9(3)PP"),
            (["05 A PIC A(3)."], 2, "PICTURE A(3)"),
            (["05 A PIC N(3)."], 2, "PICTURE N(3)"),
            (["05 A PIC X(0)."], 2, "PICTURE X(0)"),
            (["05 A PIC S."], 2, "PICTURE S"),
            (["05 A PIC X9."], 2, "PICTURE X9"),
            (["05 A PIC 9(32)."], 2, "more than 31"),
            (["05 A PIC S9(3) SIGN IS LEADING SEPARATE."], 2, "SIGN"),
            (["05 A PIC X(3) JUSTIFIED RIGHT."], 2, "JUSTIFIED"),
            (["05 A PIC X(3) VALUE SPACES."], 2, "VALUE"),
            (["05 A PIC 9(3) BLANK WHEN ZERO."], 2, "BLANK"),
            (["05 A PIC X(3) SYNC."], 2, "SYNC"),
            (["05 A PIC X(3).", "88 A-YES VALUE 'Y'."], 3, "level 88"),
            (["05 A PIC X(3).", "66 B RENAMES A."], 3, "level 66"),
            (["77 A PIC X(3)."], 2, "level 77"),
            (["COPY OTHER."], 2, "COPY"),
            (["05 A", "   PIC X(3)", "   JUST."], 4, "JUST"),
            (["05 A."], 2, "neither a PICTURE"),
            (["05 A PIC X.", "07 B PIC X."], 3, "has a PICTURE"),
            (["05 A.", "10 B PIC X.", "07 C PIC X."], 4, "level 07 stands beside level 10"),
            (["05 A PIC X.", "05 A PIC X."], 1, "declared twice"),
            (["05 A PIC X PIC X."], 2, "said twice"),
            (["05 A PIC X COMP-3."], 2, "numeric PICTURE"),
            (["05 FILLER OCCURS 2 TIMES.", "10 B PIC X."], 2, "unnamed group"),
            (["05 A PIC X(3)"], 2, "period"),
            (["05 A PIC."], 2, "expected a picture"),
            (["05 PIC X."], 2, "expected a name"),
            (["05 A_B PIC X."], 2, "not a data name"),
            (["01 SECOND.", "05 A PIC X."], 2, "one record"),
        ],
    )
    def test_are_refused(self, lines: list[str], line: int, clause: str) -> None:
        with pytest.raises(CopybookError) as caught:
            parse_copybook(record(*lines))

        assert caught.value.line == line
        assert clause in str(caught.value)

    @pytest.mark.parametrize(("indicator", "problem"), [("-", "continuation"), ("D", "debugging")])
    def test_are_refused_for_their_indicator(self, indicator: str, problem: str) -> None:
        with pytest.raises(CopybookError, match=problem) as caught:
            parse_copybook(f"       01 REC.\n      {indicator}    05 A PIC X.")

        assert caught.value.line == 2

    def test_with_nothing_in_them_are_refused(self) -> None:
        with pytest.raises(CopybookError, match="declares nothing"):
            parse_copybook("      * only a comment\n")


class TestParse:
    def test_reads_columns_8_to_72_only(self) -> None:
        numbered = "000100 01  REC.".ljust(72) + "IGNORED1\n" + "000200     05  A  PIC X(3).".ljust(72) + "IGNORED2\n"

        layout = parse_copybook(numbered)

        assert layout.name == "REC"
        assert layout.length == 3

    def test_reads_free_format(self) -> None:
        layout = parse_copybook("* a comment\n01 REC.\n  05 A PIC X(3). *> the first\n  05 B PIC 9(2).\n")

        assert layout.decode("abc12".encode("cp037")) == {"A": "abc", "B": 12}

    def test_reads_a_short_free_line_before_indented_ones(self) -> None:
        layout = parse_copybook("01 R.\n       05 A PIC X(3).\n")

        assert layout.name == "R"

    def test_skips_comments(self) -> None:
        layout = parse_copybook("      * 05 A PIC X.\n      / 05 B PIC X.\n       01 REC.\n           05 C PIC XXX.\n")

        assert layout.decode("abc".encode("cp037")) == {"C": "abc"}

    def test_takes_fields_without_a_record_level(self) -> None:
        layout = parse_copybook("           05 A PIC X.\n           05 B PIC 9.\n")

        assert layout.decode("a1".encode("cp037")) == {"A": "a", "B": 1}

    def test_gives_the_fields_of_an_unnamed_group_to_the_one_around_it(self) -> None:
        layout = parse_copybook(record("05 FILLER.", "10 A PIC X.", "05 B PIC X."))

        assert layout.decode("ab".encode("cp037")) == {"A": "a", "B": "b"}

    def test_nests_occurs(self) -> None:
        layout = parse_copybook(
            record("05 ROW OCCURS 2 TIMES.", "10 CELL OCCURS 2 PIC 9.", "10 FILLER PIC X.", "05 N PIC S9(3) COMP-3.")
        )

        values = layout.decode("12 34 ".encode("cp037") + bytes.fromhex("456d"))

        assert values == {"ROW": [{"CELL": [1, 2]}, {"CELL": [3, 4]}], "N": -456}

    @pytest.mark.parametrize(
        "usage", ["COMP-3", "COMPUTATIONAL-3", "PACKED-DECIMAL", "USAGE IS COMP-3", "USAGE COMP-3"]
    )
    def test_knows_the_words_for_packed(self, usage: str) -> None:
        layout = parse_copybook(record(f"05 A PIC S9(5) {usage}."))

        assert layout.length == 3

    def test_takes_clauses_in_any_order_and_case(self) -> None:
        layout = parse_copybook(record("05 a occurs 2 times comp-3 picture is s9(3)v99."))

        assert layout.encode({"A": [Decimal("1.5"), Decimal("-1.5")]}).hex() == "00150c00150d"

    def test_refuses_an_unknown_code_page(self) -> None:
        with pytest.raises(ValueError, match="cp1047"):
            parse_copybook(record("05 A PIC X."), code_page="cp1047")

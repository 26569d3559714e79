"""Feature 74: no card number is kept in free text."""

import csv
import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.pan import LONGEST, without_card_numbers

_VECTORS = Path(__file__).parents[1] / "data" / "reference" / "pan_detection_vectors.csv"
VECTORS = list(csv.DictReader(_VECTORS.read_text("utf-8").splitlines()))
CARDS = [(row["digits"], row["masked_first6_last4"]) for row in VECTORS if row["label"] == "PAN"]
OTHERS = [row["digits"] for row in VECTORS if row["label"] == "NOT_PAN"]
VISA, SHOWN = "4111111111111111", "411111******1111"

# Numbers that schemes and processors publish for tests, with lengths that the vectors lack.
MORE_CARDS = [
    "4000000000000000006",  # Visa, 19 digits
    "6304000000000000",  # Maestro
    "6759649826438453",  # Maestro
    "36227206271667",  # Diners Club, 14 digits
    "6011000990139424",  # Discover
    "6212345678901232",  # UnionPay
    "6212345678900000003",  # UnionPay, 19 digits
    "3566002020360505",  # JCB
    "2200000000000053",  # Mir
    "9792000000000003",  # Troy
    "135412345678911",  # UATP
]


def luhn(digits: str) -> bool:
    """The check by its definition, digit by digit."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def completed(prefix: str, length: int, filling: str) -> str:
    """Return a number of this length that begins so and passes the check."""
    body = (prefix + filling)[: length - 1]
    return next(body + digit for digit in string.digits if luhn(body + digit))


PREFIXES = {"4": [13, 16, 19], "51": [16], "2221": [16], "34": [15], "3528": [16], "300": [14], "62": [16, 19]}
card_numbers = st.sampled_from(sorted(PREFIXES)).flatmap(
    lambda prefix: st.builds(
        completed,
        st.just(prefix),
        st.sampled_from(PREFIXES[prefix]),
        st.text(string.digits, min_size=LONGEST, max_size=LONGEST),
    )
)
separators = st.sampled_from(["", "", " ", "-", ".", " - ", "\u00a0", "\u2011", "\u200b", "\n"])


class TestWithoutCardNumbers:
    @pytest.mark.parametrize(("digits", "masked"), CARDS)
    def test_shows_the_first_six_and_the_last_four(self, digits: str, masked: str) -> None:
        assert without_card_numbers(digits) == masked

    @pytest.mark.parametrize("digits", OTHERS)
    def test_leaves_other_numbers_alone(self, digits: str) -> None:
        assert without_card_numbers(digits) == digits

    @pytest.mark.parametrize("digits", MORE_CARDS)
    def test_knows_the_issuers_and_their_lengths(self, digits: str) -> None:
        assert luhn(digits)
        assert without_card_numbers(digits) == f"{digits[:6]}{'*' * (len(digits) - 10)}{digits[-4:]}"

    @pytest.mark.parametrize(
        "other",
        [
            "0" * 16,
            "411111111111116",  # Visa's leading digit, but no length of Visa's
            "7992739871300003",  # no issuer begins so
            "490154203237518",  # an IMEI, which passes the Luhn check
            "356938035643809",  # another
            "1252345678901",  # an e-ticket
            "125-2345678901",
            "10133334178901 3",  # a ticket with its check digit
            "0125728359",  # a bag tag
            "8901410321111851072",  # the number of a SIM card
            "GB33BUKB20201555555555",
            "+44 20 7183 8750, +44 20 7183 8751",
            "+4915112345603",  # would be a card number but for the plus sign
            "+49 151 12345603",
            "004915112345603",
            "00 49 151-12345603",
            "2026-11-22 10:30, 2026-11-23 18:45",
            "IM204 LHR-JFK 22NOV 4A 12C",
            "IO-204488 and K7QX2M",
        ],
    )
    def test_leaves_what_airlines_write_alone(self, other: str) -> None:
        assert without_card_numbers(other) == other

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            (f"My card {VISA}, please.", f"My card {SHOWN}, please."),
            (f"no:{VISA}exp0327", f"no:{SHOWN}exp0327"),
            ("4111 1111 1111 1111", "4111 11** **** 1111"),
            ("4111-1111-1111-1111", "4111-11**-****-1111"),
            ("4111.1111.1111.1111", "4111.11**.****.1111"),
            ("4111 - 1111 - 1111 - 1111", "4111 - 11** - **** - 1111"),
            ("3782 822463 10005", "3782 82**** *0005"),
            ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "4 1 1 1 1 1 * * * * * * 1 1 1 1"),
            ("4111\u00a01111\u20111111\u200b1111", "4111\u00a011**\u2011****\u200b1111"),
            ("4111 1111\n1111 1111", "4111 11**\n**** 1111"),
            (f"000{VISA}", f"000{SHOWN}"),
            ("4915112345603", "491511***5603"),
            (f"+{VISA}", f"+{SHOWN}"),
            (f"00{VISA}", f"00{SHOWN}"),
            (f"{VISA} 123 0327", f"{SHOWN} 123 0327"),
            (f";{VISA}=25121010000012345678?", f";{SHOWN}=25121010000012345678?"),
            ("⁴¹¹¹¹¹¹¹¹¹¹¹¹¹¹¹", "⁴¹¹¹¹¹******¹¹¹¹"),
        ],
    )
    def test_finds_them_however_they_are_written(self, text: str, shown: str) -> None:
        assert without_card_numbers(text) == shown

    @pytest.mark.parametrize(
        "zero", ["\uff10", "\u0660", "\u0966", "\U0001d7ce"], ids=["wide", "arabic", "hindi", "bold"]
    )
    def test_finds_them_in_other_scripts(self, zero: str) -> None:
        number, shown = (text.translate({48 + n: ord(zero) + n for n in range(10)}) for text in (VISA, SHOWN))

        assert without_card_numbers(number) == shown
        assert without_card_numbers(VISA[:8] + number[8:]) == SHOWN[:12] + shown[12:]

    def test_finds_two_in_a_row(self) -> None:
        assert without_card_numbers(f"{VISA} 5555555555554444") == f"{SHOWN} 555555******4444"
        assert without_card_numbers(f"{VISA}-378282246310005") == f"{SHOWN}-378282*****0005"

    def test_finds_two_that_are_written_together(self) -> None:
        found = without_card_numbers(f"{VISA}5555555555554444")

        assert found.startswith(SHOWN)
        assert found.endswith("4444")
        assert "5555555555" not in found

    @given(before=st.text(), number=card_numbers, after=st.text(), data=st.data())
    def test_never_lets_one_through(self, before: str, number: str, after: str, data: st.DataObject) -> None:
        before, after = before.rstrip(string.digits) + "x", "x" + after
        written = number[0] + "".join(data.draw(separators) + digit for digit in number[1:])

        found = without_card_numbers(before + written + after)

        kept = found[len(before) : len(found) - len(after)]
        assert [character for character in kept if character.isdigit()] == list(number[:6] + number[-4:])
        assert kept.count("*") == len(number) - 10

    @given(st.text(alphabet=string.digits + " -x", max_size=120))
    def test_leaves_none_among_many_digits(self, text: str) -> None:
        found = without_card_numbers(text)

        for group in re.findall("[0-9]+", found):
            assert not (group[0] == "4" and len(group) in {16, 19} and luhn(group))

    @given(st.text(alphabet=string.digits + " \uff141", max_size=200))
    def test_twice_changes_nothing_more(self, text: str) -> None:
        once = without_card_numbers(text)

        assert without_card_numbers(once) == once
        assert len(once) == len(text)

    @pytest.mark.parametrize("hostile", ["4" * 10_000, "42" * 5_000, "4242 " * 2_000, "4 2 " * 2_500, "4111 " * 2_000])
    def test_hides_what_masking_lays_bare(self, hostile: str) -> None:
        found = without_card_numbers(hostile)

        assert without_card_numbers(found) == found

"""The words of air travel, held to published vectors. Feature 26."""

import csv
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from lib.orders.travel import (
    BagTagNumber,
    Designator,
    TicketNumber,
    read_bag_tag,
    read_designator,
    read_ticket,
)

REFERENCE = Path(__file__).parent.parent / "data" / "reference"


def vectors(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


class TestReadDesignator:
    @pytest.mark.parametrize("vector", vectors("flight_designator_vectors.csv"), ids=lambda vector: vector["input"])
    def test_reads_what_the_vectors_say(self, vector: dict[str, str]) -> None:
        if vector["valid"] == "N":
            with pytest.raises(ValueError, match="flight designator"):
                read_designator(vector["input"])
            return

        found = read_designator(vector["input"])

        assert (found.airline, str(found.number), found.suffix) == (
            vector["airline"],
            vector["number"],
            vector["suffix"],
        )

    @pytest.mark.parametrize("text", ["", "12345", "IM", "IM-204", "IM 20 4", "ÏM204", "IM204AB", "IM٣"])
    def test_refuses_what_names_no_flight(self, text: str) -> None:
        with pytest.raises(ValueError, match="flight designator"):
            read_designator(text)

    def test_field_is_kept_in_one_form(self) -> None:
        assert TypeAdapter(Designator).validate_python("u2 0350a") == "U2350A"


class TestReadTicket:
    @pytest.mark.parametrize("vector", vectors("ticket_checkdigit_vectors.csv"), ids=lambda vector: vector["digits_14"])
    def test_checks_what_the_vectors_say(self, vector: dict[str, str]) -> None:
        digits = vector["digits_14"]

        assert read_ticket(digits + vector["mod7_of_first_14"]) == digits[1:]
        if vector["valid"] == "Y":
            assert read_ticket(digits + vector["check"]) == digits[1:]
        else:
            with pytest.raises(ValueError, match="check digit"):
                read_ticket(digits + vector["check"])

    def test_takes_thirteen_digits_as_they_are_and_fourteen_with_their_check_digit(self) -> None:
        number = "1252345678901"
        check = str(int(number) % 7)

        assert [read_ticket(number), read_ticket(number + check)] == [number, number]

    @pytest.mark.parametrize("place", range(14))
    def test_one_wrong_digit_is_noticed(self, place: int) -> None:
        number = "1252345678901"
        whole = number + str(int(number) % 7)
        wrong = whole[:place] + str((int(whole[place]) + 1) % 10) + whole[place + 1 :]

        if place < 13 and (int(wrong[:13]) - int(number)) % 7 == 0:
            return
        with pytest.raises(ValueError, match="check digit"):
            read_ticket(wrong)

    @pytest.mark.parametrize("text", ["", "123456789012", "1234567890123456", "12523456789o1", "٣" * 13])
    def test_refuses_other_texts(self, text: str) -> None:
        with pytest.raises(ValidationError):
            TypeAdapter(TicketNumber).validate_python(text)


class TestReadBagTag:
    @pytest.mark.parametrize("vector", vectors("bag_tag_vectors.csv"), ids=lambda vector: vector["tag"])
    def test_reads_what_the_vectors_say(self, vector: dict[str, str]) -> None:
        if not vector["leading_digit"] or vector["meaning"].startswith("no plate"):
            with pytest.raises(ValidationError):
                TypeAdapter(BagTagNumber).validate_python(vector["tag"])
            return

        tag = read_bag_tag(vector["tag"])

        assert (str(tag.leading_digit), tag.issuer, tag.serial) == (
            vector["leading_digit"],
            vector["issuer_code"],
            vector["serial"],
        )

"""What makes two identifiers the same, what is blocked, and how many are indexed. Feature 4."""

import csv
from pathlib import Path

import pytest

from lib.errors import InvalidError
from lib.identifiers.blocked import BLOCKED, is_blocked
from lib.identifiers.keys import index_key, key_of
from lib.identifiers.models import KINDS, MOST_OF_A_SOURCE, Identifier, IdentifierType
from lib.identifiers.rules import (
    IdentifierBlockedError,
    IdentifierInvalidError,
    chosen,
    external,
    normalised,
    parse,
    ticket_number,
)
from lib.ids import Seal
from lib.storage.limits import is_legal_key

_VECTORS = Path(__file__).parents[1] / "data" / "reference" / "ticket_checkdigit_vectors.csv"
SEAL = Seal.for_purpose("secret", "identifiers")


class TestParse:
    @pytest.mark.parametrize(
        ("text", "same"),
        [
            ("email:Ada.Lovelace@Example.COM", "email:ada.lovelace@example.com"),
            ("email: ada@example.com ", "email:ada@example.com"),
            ("email:STRASSE@example.com", "email:straße@example.com"),
            ("email:jose\u0301@example.com", "email:JOSÉ@example.com"),
            ("email:ada@xn--bcher-kva.example.com", "email:ada@BÜCHER.example.com"),
            ("phone:+44 (0)20 7183-8750", "phone:+442071838750"),
            ("phone:00442071838750", "phone:+442071838750"),
            ("phone: 442071838750", "phone:+442071838750"),
            ("phone:+4402071838750", "phone:+442071838750"),
            ("loyalty:io-204 488", "loyalty:IO-204488"),
            ("passport:ab 123 456", "passport:AB123456"),
            ("pnr:x7k 2qp", "pnr:X7K2QP"),
            ("ticket:220-2345678901", "ticket:2202345678901"),
            ("ticket:220 2345678901 4", "ticket:2202345678901"),
            ("booking:B-1", "external:booking:B-1"),
            ("crm:e\u0301:1", "external:crm:é:1"),
        ],
    )
    def test_brings_both_to_one_form(self, text: str, same: str) -> None:
        """Feature 4: e-mail addresses, phone numbers and the others are compared in a normal form."""
        assert parse(text) == parse(same)

    @pytest.mark.parametrize(
        ("text", "other"),
        [
            ("email:a.da@example.com", "email:ada@example.com"),
            ("email:ada+news@example.com", "email:ada@example.com"),
            ("crm:b-1", "crm:B-1"),
            ("crm: B-1", "crm:B-1"),
            ("email:ada@example.com", "external:email:ada@example.com"),
            ("crm:1", "booking:1"),
        ],
    )
    def test_keeps_apart_what_only_its_owner_could_call_the_same(self, text: str, other: str) -> None:
        assert parse(text) != parse(other)

    @pytest.mark.parametrize(
        "text",
        [
            "ada@example.com",
            "email:",
            ":x",
            "email:ada",
            "email:ada@example.com\u0000",
            "phone:02071838750",
            "phone:+999",
            "phone:call me",
            "pnr:ABCD",
            "pnr:ABC-12",
            "ticket:123456789012",
            "ticket:22023456789013",
            "loyalty:!!",
            "passport:1234",
            "Booking:1",
            "external:booking",
            "external:booking:",
            f"crm:{'x' * 101}",
            "crm:a\u202eb",
        ],
    )
    def test_refuses_what_is_none_without_repeating_it(self, text: str) -> None:
        with pytest.raises(IdentifierInvalidError) as caught:
            parse(text)

        assert text.partition(":")[2] not in str(caught.value) or not text.partition(":")[2]

    def test_of_a_system_called_like_a_type_is_written_in_full(self) -> None:
        assert parse("external:email:42") == Identifier(IdentifierType.EXTERNAL, "email:42")

    def test_shows_no_value_in_a_stack(self) -> None:
        assert "ada" not in repr(parse("email:ada@example.com"))


class TestTicketNumber:
    def test_of_the_reference_vectors_is_checked_over_all_14_digits(self) -> None:
        with _VECTORS.open(encoding="utf-8") as lines:
            vectors = list(csv.DictReader(lines))

        for vector in vectors:
            number = f"{vector['digits_14']}{vector['check']}"
            if vector["valid"] == "Y":
                assert ticket_number(number) == vector["digits_14"][1:]
            else:
                with pytest.raises(IdentifierInvalidError):
                    ticket_number(number)

        assert {vector["valid"] for vector in vectors} == {"Y", "N"}


class TestIsBlocked:
    @pytest.mark.parametrize(
        "text",
        [
            "email:test@example.com",
            "email:Test1@example.org",
            "email:noreply@carrier.example.com",
            "email:no-reply+9@example.com",
            "email:do_not_reply@example.com",
            "email:no.email@example.com",
            "email:unknown@example.com",
            "email:ada@noemail.com",
            "email:aaaa@example.com",
            "phone:+10000000000",
            "phone:+447777777777",
            "phone:+441234567890",
            "passport:000000000",
            "passport:UNKNOWN",
            "ticket:0000000000000",
            "ticket:2201111111111",
            "pnr:AAAAAA",
            "pnr:TEST12",
            "loyalty:000000",
            "crm:null",
            "crm:UNDEFINED",
            "crm:0",
            "crm:[object Object]",
            "external:email:n/a",
        ],
    )
    def test_refuses_placeholders_that_many_share(self, text: str) -> None:
        """Feature 4: blocked values identify nobody."""
        with pytest.raises(IdentifierBlockedError):
            parse(text)

    @pytest.mark.parametrize(
        "text",
        [
            "email:testa@example.com",
            "email:nora.reply@example.com",
            "email:a@example.com",
            "email:info@example.com",
            "phone:+442077777777",
            "phone:+12025550123",
            "passport:533380006",
            "ticket:2202345678901",
            "pnr:TESLA1",
            "loyalty:IO-100000",
            "crm:10",
            "crm:nullable",
        ],
    )
    def test_lets_real_values_be(self, text: str) -> None:
        parse(text)

    def test_says_why_for_every_rule(self) -> None:
        assert set(BLOCKED) == set(IdentifierType)
        assert all(block.why for blocks in BLOCKED.values() for block in blocks)


class TestChosen:
    def test_leaves_out_what_is_blocked_or_belongs_to_one(self) -> None:
        given = [parse("email:ada@example.com"), normalised(IdentifierType.EMAIL, "noreply@x.com"), parse("crm:1")]

        assert chosen(given) == (parse("email:ada@example.com"),)

    def test_keeps_the_first_of_a_type_up_to_its_limit(self) -> None:
        """Feature 4: at most so many identifiers of a type are indexed for one source."""
        tickets = [normalised(IdentifierType.TICKET, f"220{number:010d}") for number in range(1_000_000, 1_000_040)]

        assert chosen(tickets) == tuple(tickets[: KINDS[IdentifierType.TICKET].most])

    def test_drops_the_weakest_types_when_there_are_too_many_altogether(self) -> None:
        """Feature 4: types have a priority."""
        pnrs = [normalised(IdentifierType.PNR, f"PNR{number:03d}") for number in range(20)]
        mails = [normalised(IdentifierType.EMAIL, f"m{number}@example.com") for number in range(20)]
        tickets = [normalised(IdentifierType.TICKET, f"220{number:010d}") for number in range(1_000_000, 1_000_040)]

        kept = chosen([*mails, *pnrs, *tickets])

        assert len(kept) == MOST_OF_A_SOURCE
        assert kept == (*tickets[:20], *pnrs[:10])

    def test_counts_the_same_value_once(self) -> None:
        same = [parse("email:ada@example.com"), parse("email:ADA@example.com")]

        assert len(chosen(same)) == 1


class TestKeys:
    def test_of_a_passport_show_nothing_of_its_number(self) -> None:
        key = index_key(parse("passport:533380006"), SEAL)

        assert "533380006" not in key
        assert key == index_key(parse("passport:533 380 006"), SEAL)
        assert key != index_key(parse("passport:533380006"), Seal.for_purpose("other", "identifiers"))

    @pytest.mark.parametrize(
        "text",
        [
            "external:crm:a/b\\c#d?e%f",
            f"external:{'s' * 40}:{chr(0x1F600) * 100}",
            str(external("s" * 40, "\U0001d160" * 100)),
        ],
    )
    def test_are_taken_by_storage_whatever_the_value(self, text: str) -> None:
        assert is_legal_key(key_of(text))

    def test_of_two_values_are_two(self) -> None:
        long = str(external("crm", "\U0001d160" * 100))
        texts = ["external:crm:a/b", "external:crm:a%2Fb", "external:crm:%~", long, f"{long}x"]

        assert len({key_of(text) for text in texts}) == len(texts)


def test_every_error_is_of_a_kind_that_callers_know() -> None:
    assert issubclass(IdentifierBlockedError, InvalidError)
    assert not is_blocked(parse("email:ada@example.com"))

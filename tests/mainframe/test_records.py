from typing import Any

import pytest

from lib.mainframe.errors import UnfitError
from lib.mainframe.layouts import CUSTOMER_LAYOUT
from lib.mainframe.records import write_customer

ADDRESS = {
    "kind": "home",
    "lines": ["Calle Mayor 1", "2º izq."],
    "city": "Alcalá",
    "region": "Madrid",
    "postalCode": "28801",
    "country": "ES",
}
PROFILE: dict[str, Any] = {
    "title": "Dra.",
    "firstName": "Ana",
    "middleName": "María",
    "lastName": "Núñez",
    "email": "ana@example.org",
    "phone": "+34600000000",
    "dateOfBirth": "1990-02-28",
    "gender": "female",
    "nationality": "ES",
    "language": "es-ES",
    "passport": {"number": "AAA123456", "issuingCountry": "ES", "expiresOn": "2031-01-01"},
    "loyalty": {"number": "IC0000001", "tier": "gold"},
    "addresses": [ADDRESS],
    "updatedAt": "2026-01-01T00:00:00.000Z",
}


def written(**changes: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    record = write_customer(PROFILE | changes)
    return CUSTOMER_LAYOUT.decode(record.body), record.altered_fields


class TestWriteCustomer:
    def test_writes_every_field(self) -> None:
        values, altered = written()

        assert altered == ()
        assert values | {"ADDRESSES": values["ADDRESSES"][:1]} == {
            "TITLE": "Dra.",
            "FIRST-NAME": "Ana",
            "MIDDLE-NAME": "María",
            "LAST-NAME": "Núñez",
            "EMAIL": "ana@example.org",
            "PHONE": "+34600000000",
            "DATE-OF-BIRTH": "1990-02-28",
            "GENDER": "F",
            "NATIONALITY": "ES",
            "LANGUAGE": "es-ES",
            "PASSPORT-NUMBER": "AAA123456",
            "PASSPORT-COUNTRY": "ES",
            "PASSPORT-EXPIRES": "2031-01-01",
            "LOYALTY-NUMBER": "IC0000001",
            "LOYALTY-TIER": "gold",
            "ADDRESSES": [
                {
                    "KIND": "home",
                    "LINE": ["Calle Mayor 1", "2º izq.", "", ""],
                    "CITY": "Alcalá",
                    "REGION": "Madrid",
                    "POSTAL-CODE": "28801",
                    "COUNTRY": "ES",
                }
            ],
            "ALTERED": "",
            "UPDATED-AT": "2026-01-01T00:00:00.000Z",
        }

    def test_leaves_blank_what_is_missing_or_null(self) -> None:
        nothing = write_customer({})
        nulls = write_customer(dict.fromkeys(PROFILE))

        assert nothing == nulls
        assert nothing.body == CUSTOMER_LAYOUT.encode({})
        assert nothing.body == b"\x40" * 1200

    def test_flags_what_was_spelled_or_cut(self) -> None:
        long_line = "x" * 36

        values, altered = written(lastName="Łuk", addresses=[ADDRESS, ADDRESS | {"lines": ["a", long_line]}])

        assert altered == ("/lastName", "/addresses/1/lines/1")
        assert values["ALTERED"] == "Y"
        assert values["LAST-NAME"] == "Luk"
        assert values["ADDRESSES"][1]["LINE"][1] == "x" * 35

    def test_keeps_the_first_three_addresses_and_four_lines(self) -> None:
        addresses = [ADDRESS | {"kind": f"k{number}", "lines": list("abcde")} for number in range(4)]

        values, altered = written(addresses=addresses)

        assert [address["KIND"] for address in values["ADDRESSES"]] == ["k0", "k1", "k2"]
        assert values["ADDRESSES"][0]["LINE"] == list("abcd")
        assert altered == ("/addresses", "/addresses/0/lines", "/addresses/1/lines", "/addresses/2/lines")

    @pytest.mark.parametrize(
        ("gender", "code"), [("female", "F"), ("male", "M"), ("unspecified", "X"), ("other", "X"), (None, ""), ("", "")]
    )
    def test_writes_gender_as_one_letter(self, gender: str | None, code: str) -> None:
        assert written(gender=gender)[0]["GENDER"] == code

    @pytest.mark.parametrize(
        ("changes", "field", "reason_code"),
        [
            ({"email": "a" * 81}, "/email", "TOOLONG"),
            ({"email": "łukasz@example.org"}, "/email", "CODEPAGE"),
            ({"phone": "+1234567890123456"}, "/phone", "TOOLONG"),
            ({"passport": {"number": "9" * 21}}, "/passport/number", "TOOLONG"),
            ({"passport": {"number": "Ж1"}}, "/passport/number", "CODEPAGE"),
            ({"loyalty": {"number": "9" * 21}}, "/loyalty/number", "TOOLONG"),
            ({"addresses": [ADDRESS | {"country": "ESP"}]}, "/addresses/0/country", "TOOLONG"),
            ({"firstName": "😀"}, "/firstName", "NOTEXT"),
        ],
    )
    def test_refuses_what_can_never_be_written(self, changes: dict[str, Any], field: str, reason_code: str) -> None:
        with pytest.raises(UnfitError) as caught:
            written(**changes)

        assert (caught.value.field, caught.value.reason_code) == (field, reason_code)

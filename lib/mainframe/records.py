"""Write a customer as the mainframe's record: our words on the left, the copybook's on the right."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from lib.mainframe.items import Group
from lib.mainframe.layouts import CUSTOMER_LAYOUT
from lib.mainframe.pen import Pen, WrittenRecord, member, widths

_GENDERS = {"female": "F", "male": "M"}
_OTHER_GENDER = "X"

# Our word, the copybook's name. Names may be spelled differently and cut; identifiers may not.
_NAMES = {
    "title": "TITLE",
    "firstName": "FIRST-NAME",
    "middleName": "MIDDLE-NAME",
    "lastName": "LAST-NAME",
    "language": "LANGUAGE",
}
_IDENTIFIERS = {
    "email": "EMAIL",
    "phone": "PHONE",
    "dateOfBirth": "DATE-OF-BIRTH",
    "nationality": "NATIONALITY",
    "updatedAt": "UPDATED-AT",
}
_PASSPORT_IDENTIFIERS = {
    "number": "PASSPORT-NUMBER",
    "issuingCountry": "PASSPORT-COUNTRY",
    "expiresOn": "PASSPORT-EXPIRES",
}
_LOYALTY_IDENTIFIERS = {"number": "LOYALTY-NUMBER"}
_LOYALTY_NAMES = {"tier": "LOYALTY-TIER"}
_ADDRESS_NAMES = {"kind": "KIND", "city": "CITY", "region": "REGION", "postalCode": "POSTAL-CODE"}
_ADDRESS_IDENTIFIERS = {"country": "COUNTRY"}


_WIDTHS = widths(CUSTOMER_LAYOUT.root)
_ADDRESSES = cast("Group", member(CUSTOMER_LAYOUT.root, "ADDRESSES"))
_ADDRESS_WIDTHS = widths(_ADDRESSES)
_LINE = member(_ADDRESSES, "LINE")


def write_customer(profile: Mapping[str, Any]) -> WrittenRecord:
    """Return the customer record that holds a profile in its public JSON shape; what is missing or null is blank.

    Raises:
        UnfitError: an identifier does not fit, or nothing of a name can be written; names the field and a reason code.
    """
    pen = Pen()
    values = pen.write(profile, "", _WIDTHS, names=_NAMES, identifiers=_IDENTIFIERS)
    values |= pen.write(_part(profile, "passport"), "/passport", _WIDTHS, names={}, identifiers=_PASSPORT_IDENTIFIERS)
    values |= pen.write(
        _part(profile, "loyalty"),
        "/loyalty",
        _WIDTHS,
        names=_LOYALTY_NAMES,
        identifiers=_LOYALTY_IDENTIFIERS,
    )
    gender = profile.get("gender")
    values["GENDER"] = _GENDERS.get(gender, _OTHER_GENDER) if gender else ""
    values["ADDRESSES"] = _addresses(pen, profile.get("addresses") or ())
    values["ALTERED"] = "Y" if pen.altered else ""
    return WrittenRecord(CUSTOMER_LAYOUT.encode(values), tuple(pen.altered))


def _part(profile: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return profile.get(name) or {}


def _addresses(pen: Pen, addresses: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    written: list[dict[str, Any]] = []
    for number, address in enumerate(pen.as_many_as_fit(addresses, _ADDRESSES, "/addresses")):
        pointer = f"/addresses/{number}"
        values = pen.write(address, pointer, _ADDRESS_WIDTHS, names=_ADDRESS_NAMES, identifiers=_ADDRESS_IDENTIFIERS)
        lines = pen.as_many_as_fit(address.get("lines") or (), _LINE, f"{pointer}/lines")
        values["LINE"] = [
            pen.name(text, _ADDRESS_WIDTHS["LINE"], f"{pointer}/lines/{place}") for place, text in enumerate(lines)
        ]
        written.append(values)
    return written

"""Write a customer as the mainframe's record: our words on the left, the copybook's on the right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from lib.mainframe.items import Group, Item, Text
from lib.mainframe.layouts import CUSTOMER_LAYOUT
from lib.mainframe.text import write_identifier, write_text

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


def _widths(group: Group) -> dict[str, int]:
    return {member.name: member.width for member in group.members if isinstance(member, Text)}


def _member(group: Group, name: str) -> Item:
    return next(member for member in group.members if member.name == name)


_WIDTHS = _widths(CUSTOMER_LAYOUT.root)
_ADDRESSES = cast("Group", _member(CUSTOMER_LAYOUT.root, "ADDRESSES"))
_ADDRESS_WIDTHS = _widths(_ADDRESSES)
_LINE = _member(_ADDRESSES, "LINE")


@dataclass(frozen=True, slots=True)
class WrittenRecord:
    """A record ready to be sent, and the JSON Pointers of what it holds otherwise than the customer wrote it."""

    body: bytes
    altered_fields: tuple[str, ...]


def write_customer(profile: Mapping[str, Any]) -> WrittenRecord:
    """Return the customer record that holds a profile in its public JSON shape; what is missing or null is blank.

    Raises:
        UnfitError: an identifier does not fit, or nothing of a name can be written; names the field and a reason code.
    """
    pen = _Pen()
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


def _addresses(pen: "_Pen", addresses: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    written: list[dict[str, Any]] = []
    for number, address in enumerate(_as_many_as_fit(pen, addresses, _ADDRESSES, "/addresses")):
        pointer = f"/addresses/{number}"
        values = pen.write(address, pointer, _ADDRESS_WIDTHS, names=_ADDRESS_NAMES, identifiers=_ADDRESS_IDENTIFIERS)
        lines = _as_many_as_fit(pen, address.get("lines") or (), _LINE, f"{pointer}/lines")
        values["LINE"] = [
            pen.name(text, _ADDRESS_WIDTHS["LINE"], f"{pointer}/lines/{place}") for place, text in enumerate(lines)
        ]
        written.append(values)
    return written


def _as_many_as_fit(pen: "_Pen", entries: Sequence[Any], item: Item, pointer: str) -> Sequence[Any]:
    room = item.occurs or 1
    if len(entries) > room:
        pen.altered.append(pointer)
    return entries[:room]


@dataclass(slots=True)
class _Pen:
    """Writes values to the widths of the copybook and remembers what it could not write as it was."""

    altered: list[str] = field(default_factory=list[str])

    def write(
        self,
        source: Mapping[str, Any],
        pointer: str,
        widths: Mapping[str, int],
        *,
        names: Mapping[str, str],
        identifiers: Mapping[str, str],
    ) -> dict[str, Any]:
        values = {name: self.name(source.get(word), widths[name], f"{pointer}/{word}") for word, name in names.items()}
        for word, name in identifiers.items():
            text = str(source.get(word) or "")
            values[name] = write_identifier(text, width=widths[name], field=f"{pointer}/{word}")
        return values

    def name(self, text: str | None, width: int, pointer: str) -> str:
        written = write_text(text or "", width=width, field=pointer)
        if written.altered:
            self.altered.append(pointer)
        return written.text

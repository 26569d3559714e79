"""Write a customer as the mainframe's record: our words on the left, the copybook's on the right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib.mainframe.items import Group, Text
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
    values = pen.write(profile, "", CUSTOMER_LAYOUT.root, names=_NAMES, identifiers=_IDENTIFIERS)
    values |= pen.write(
        _part(profile, "passport"), "/passport", CUSTOMER_LAYOUT.root, names={}, identifiers=_PASSPORT_IDENTIFIERS
    )
    values |= pen.write(
        _part(profile, "loyalty"),
        "/loyalty",
        CUSTOMER_LAYOUT.root,
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
    table = _group_in(CUSTOMER_LAYOUT.root, "ADDRESSES")
    kept = _as_many_as_fit(pen, addresses, table, "/addresses")
    written: list[dict[str, Any]] = []
    for number, address in enumerate(kept):
        pointer = f"/addresses/{number}"
        values = pen.write(address, pointer, table, names=_ADDRESS_NAMES, identifiers=_ADDRESS_IDENTIFIERS)
        line = _text_in(table, "LINE")
        lines = _as_many_as_fit(pen, address.get("lines") or (), line, f"{pointer}/lines")
        values["LINE"] = [pen.name(text, line, f"{pointer}/lines/{place}") for place, text in enumerate(lines)]
        written.append(values)
    return written


def _as_many_as_fit(pen: "_Pen", entries: Sequence[Any], item: Group | Text, pointer: str) -> Sequence[Any]:
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
        group: Group,
        *,
        names: Mapping[str, str],
        identifiers: Mapping[str, str],
    ) -> dict[str, Any]:
        values = {
            name: self.name(source.get(word), _text_in(group, name), f"{pointer}/{word}")
            for word, name in names.items()
        }
        for word, name in identifiers.items():
            text = str(source.get(word) or "")
            values[name] = write_identifier(text, width=_text_in(group, name).width, field=f"{pointer}/{word}")
        return values

    def name(self, text: str | None, item: Text, pointer: str) -> str:
        written = write_text(text or "", width=item.width, field=pointer)
        if written.altered:
            self.altered.append(pointer)
        return written.text


def _text_in(group: Group, name: str) -> Text:
    found = next(member for member in group.members if member.name == name)
    if not isinstance(found, Text):
        message = f"{name} is not text in the copybook"
        raise TypeError(message)
    return found


def _group_in(group: Group, name: str) -> Group:
    found = next(member for member in group.members if member.name == name)
    if not isinstance(found, Group):
        message = f"{name} is not a group in the copybook"
        raise TypeError(message)
    return found

"""How identifiers become keys of tables."""

import hashlib
from typing import Final

from lib.identifiers.models import SENSITIVE, Identifier
from lib.ids import Seal
from lib.storage.limits import KEY_UNITS, utf16_units

_ESCAPED: Final = "%/\\#?"


def key_of(text: str) -> str:
    """Return a text as a key: what storage forbids is escaped, and what is too long is a digest after its type.

    No escaped text holds `%~`, so that a digest is never mistaken for a text.
    """
    key = "".join(f"%{ord(character):02X}" if character in _ESCAPED else character for character in text)
    if utf16_units(key) <= KEY_UNITS:
        return key
    return f"{text.partition(':')[0]}:%~{hashlib.sha256(text.encode()).hexdigest()}"


def index_key(identifier: Identifier, seal: Seal) -> str:
    """Return the partition of an identifier in the index; a sensitive value is there as a keyed digest only."""
    if identifier.type in SENSITIVE:
        return f"{identifier.type}:{seal.digest(identifier.type, identifier.value).hex()}"
    return key_of(str(identifier))

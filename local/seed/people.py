"""Invented people of many languages and scripts: the same at every run, each drawn from a seed of its own."""

import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from random import Random
from typing import Any, Final

from anyascii import anyascii
from faker import Faker

SYSTEM: Final = "seed"
# Locale of Faker, country, language of the profile. Scripts: Latin, Greek, Cyrillic, Arabic, Hebrew, Devanagari, Han,
# Kana, Hangul and Thai.
_HOMES: Final = (
    ("en_GB", "GB", "en-GB"),
    ("en_US", "US", "en-US"),
    ("de_DE", "DE", "de"),
    ("fr_FR", "FR", "fr"),
    ("es_ES", "ES", "es"),
    ("pt_BR", "BR", "pt-BR"),
    ("it_IT", "IT", "it"),
    ("pl_PL", "PL", "pl"),
    ("cs_CZ", "CZ", "cs"),
    ("sv_SE", "SE", "sv"),
    ("tr_TR", "TR", "tr"),
    ("vi_VN", "VN", "vi"),
    ("el_GR", "GR", "el"),
    ("ru_RU", "KZ", "ru"),
    ("uk_UA", "UA", "uk"),
    ("ar_AA", "EG", "ar"),
    ("he_IL", "IL", "he"),
    ("hi_IN", "IN", "hi"),
    ("ja_JP", "JP", "ja"),
    ("zh_CN", "CN", "zh-Hans"),
    ("ko_KR", "KR", "ko"),
    ("th_TH", "TH", "th"),
)
_TIERS: Final = (None, None, "blue", "blue", "silver", "gold", "platinum")


@dataclass(frozen=True, slots=True)
class Person:
    """One invented customer, and the draws that decide what happens to them."""

    number: int
    row: dict[str, Any]
    random: Random

    @property
    def reference(self) -> dict[str, str]:
        """How rows of imports name the customer."""
        return {"system": SYSTEM, "id": external_id(self.number)}


def external_id(number: int) -> str:
    """Return the id of a customer in the system that the sample comes from."""
    return f"S-{number:04d}"


def person(number: int) -> Person:
    """Return an invented customer: always the same for the same number."""
    random = Random(f"sample {number}")  # noqa: S311 - to be repeated, not to be secret
    locale, country, language = _HOMES[number % len(_HOMES)]
    fake = _faker(locale)
    fake.seed_instance(number)
    female = random.random() < 0.5  # noqa: PLR2004 - a coin
    first = fake.first_name_female() if female else fake.first_name_male()
    last = fake.last_name_female() if female and hasattr(fake, "last_name_female") else fake.last_name()
    row: dict[str, Any] = {
        "firstName": _text(first),
        "lastName": _text(last),
        "gender": "female" if female else "male",
        "email": f"{_ascii(first)}.{_ascii(last)}.{number}@example.com",
        "dateOfBirth": date(
            1940 + random.randrange(66), 1 + random.randrange(12), 1 + random.randrange(28)
        ).isoformat(),
        "nationality": country,
        "language": language,
        "addresses": [
            {
                "kind": "home",
                "lines": [_text(line) for line in fake.street_address().splitlines() if line.strip()][:3],
                "city": _text(fake.city()),
                "postalCode": _text(fake.postcode())[:20],
                "country": country,
            }
        ],
        "externalIds": [{"system": SYSTEM, "id": external_id(number)}],
    }
    if random.random() < 0.6:  # noqa: PLR2004 - three of five
        # Numbers that regulators keep free for stories: Ofcom 07700 900000 to 900999, NANP 555-0100 to 0199.
        row["phone"] = f"+447700900{number:03d}" if number % 2 else f"+1202555{100 + number % 100:04d}"
    tier = _TIERS[random.randrange(len(_TIERS))]
    if tier:
        row["loyalty"] = {"number": f"SEED-{number:05d}", "tier": tier}
    if random.random() < 0.3:  # noqa: PLR2004 - some of them
        row["passport"] = {
            "number": f"{random.choice('CKLPX')}{random.randrange(10**7, 10**8)}",
            "issuingCountry": country,
            "expiresOn": f"{2027 + random.randrange(8)}-0{1 + random.randrange(9)}-15",
        }
    return Person(number, row, random)


@lru_cache
def _faker(locale: str) -> Faker:
    return Faker(locale, use_weighting=False)


def _text(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split()))[:100]


def _ascii(text: str) -> str:
    return "".join(letter for letter in anyascii(text).lower() if letter.isalnum())[:30] or "guest"

"""The meals that can be asked for: IATA's special service request codes, and whether each takes words of its own."""

from enum import StrEnum
from typing import Final

FORBIDDEN: Final = "forbidden"
OPTIONAL: Final = "optional"
MANDATORY: Final = "mandatory"


class MealCode(StrEnum):
    """Special meals by their SSR code (IATA Passenger Services Conference, resolution on reservations codes)."""

    ASIAN_VEGETARIAN = "AVML"
    BABY = "BBML"
    BLAND = "BLML"
    CHILD = "CHML"
    DIABETIC = "DBML"
    FRUIT = "FPML"
    GLUTEN_FREE = "GFML"
    HIGH_FIBRE = "HFML"
    HINDU = "HNML"
    KOSHER = "KSML"
    LOW_CALORIE = "LCML"
    LOW_FAT = "LFML"
    LOW_PROTEIN = "LPML"
    LOW_SODIUM = "LSML"
    MUSLIM = "MOML"
    NON_LACTOSE = "NLML"
    ORIENTAL = "ORML"
    RAW_VEGETARIAN = "RVML"
    SEAFOOD = "SFML"
    SPECIAL = "SPML"
    VEGAN = "VGML"
    LACTO_OVO_VEGETARIAN = "VLML"


_OTHERS: Final = {MealCode.CHILD: OPTIONAL, MealCode.SPECIAL: MANDATORY}


def free_text_of(code: MealCode) -> str:
    """Return whether a request for this meal must not, may or must carry words of its own."""
    return _OTHERS.get(code, FORBIDDEN)

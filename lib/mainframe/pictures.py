"""Read a PICTURE: X(n) and XXX, 9, S9 and V; anything else is refused."""

import re
from dataclasses import dataclass

from lib.mainframe.errors import CopybookError
from lib.mainframe.items import Number, Text

_REPEATED = re.compile(r"([X9])\((\d{1,5})\)")
_TEXT = re.compile(r"X+")
_NUMBER = re.compile(r"(S?)(9*)(V?)(9*)")
_MAX_DIGITS = 31
_MAX_WIDTH = 32_767


@dataclass(frozen=True, slots=True)
class Picture:
    """What one PICTURE says, before USAGE and OCCURS are known."""

    numeric: bool
    width: int
    scale: int = 0
    has_point: bool = False
    signed: bool = False

    def field(self, *, name: str, occurs: int | None, packed: bool) -> Text | Number:
        """Return the field that has this picture."""
        if not self.numeric:
            return Text(name=name, occurs=occurs, width=self.width)
        return Number(
            name=name,
            occurs=occurs,
            digits=self.width,
            scale=self.scale,
            has_point=self.has_point,
            signed=self.signed,
            packed=packed,
        )


def read_picture(text: str, line: int) -> Picture:
    """Return what a picture says. Raises CopybookError for edited pictures, P, A, N and the like."""
    symbols = _REPEATED.sub(lambda found: found[1] * min(int(found[2]), _MAX_WIDTH + 1), text)
    if _TEXT.fullmatch(symbols):
        if len(symbols) > _MAX_WIDTH:
            raise CopybookError(line, f"PICTURE {text} is wider than {_MAX_WIDTH}")
        return Picture(numeric=False, width=len(symbols))
    number = _NUMBER.fullmatch(symbols)
    if not number or not number[2] + number[4]:
        raise CopybookError(line, f"PICTURE {text} is not supported")
    digits = len(number[2]) + len(number[4])
    if digits > _MAX_DIGITS:
        raise CopybookError(line, f"PICTURE {text} has more than {_MAX_DIGITS} digits")
    return Picture(numeric=True, width=digits, scale=len(number[4]), has_point=bool(number[3]), signed=bool(number[1]))

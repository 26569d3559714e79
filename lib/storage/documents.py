"""Long texts in rows: a property holds at most 32,768 UTF-16 units, so a longer text goes on in the next one."""

from lib.storage.ports import Values

_UNITS = 30_000


def split(name: str, text: str) -> dict[str, str]:
    """Return the properties `name`, `name2`, `name3` … that hold a text of any length."""
    if len(text) * 2 <= _UNITS:
        return {name: text}
    raw = text.encode("utf-16-le", "surrogatepass")
    pieces: list[str] = []
    start = 0
    while start < len(raw):
        end = min(start + 2 * _UNITS, len(raw))
        if end < len(raw) and 0xD8 <= raw[end - 1] <= 0xDB:  # noqa: PLR2004 - never part a surrogate pair
            end -= 2
        pieces.append(raw[start:end].decode("utf-16-le", "surrogatepass"))
        start = end
    return {name if index == 0 else f"{name}{index + 1}": piece for index, piece in enumerate(pieces)}


def joined(name: str, values: Values) -> str:
    """Return the text that `split` spread over properties."""
    text = str(values[name])
    index = 2
    while f"{name}{index}" in values:
        text += str(values[f"{name}{index}"])
        index += 1
    return text

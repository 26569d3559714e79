"""Route templates of ASP.NET: literals in any case, `{x}`, `{x?}`, `{x=default}`, `{*rest}`, constraints."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from local.host.routes.constraints import Constraint, parse_constraint

_PARAMETER = re.compile(
    r"(?P<star>\*{0,2})(?P<name>[^/{}?*:=]+)(?P<rules>(?::[^=?]*)?)(?P<default>=.*?)?(?P<optional>\?)?"
)


@dataclass(frozen=True)
class Parameter:
    """One `{…}` of a template."""

    name: str
    constraints: tuple[Constraint, ...] = ()
    default: str | None = None
    optional: bool = False
    catch_all: bool = False

    @property
    def may_be_missing(self) -> bool:
        """Whether a path that ends before it still matches."""
        return self.optional or self.catch_all or self.default is not None


@dataclass(frozen=True)
class Template:
    """A compiled template: `match(path)` gives the route values, all of them strings, or None."""

    text: str
    parameters: tuple[Parameter, ...]
    least_segments: int
    most_segments: int | None
    _literals: tuple[str | None, ...]
    _pattern: re.Pattern[str]

    def fits_depth(self, segments: int) -> bool:
        """Whether a path of so many segments can match. A catch-all takes any number more, empty ones too."""
        return self.least_segments <= segments and (self.most_segments is None or segments <= self.most_segments)

    def literal(self, at: int) -> str | None:
        """Return the lower-cased text that a path must have as its segment there; None when it may be anything."""
        return self._literals[at] if at < len(self._literals) else None

    def match(self, path: str) -> dict[str, str] | None:
        """Return the values of the parameters when the decoded path (without its leading slash) matches."""
        found = self._pattern.fullmatch(path)
        if found is None:
            return None
        values: dict[str, str] = {}
        for at, parameter in enumerate(self.parameters, start=1):
            value = found[at] or parameter.default
            if value is None:
                continue
            for accepts in parameter.constraints:
                if not accepts(value):
                    return None
            values[parameter.name] = value
        return values


def parse_template(text: str) -> Template:
    """Compile a template. Raises ValueError with the reason when ASP.NET would refuse it."""
    bare = text.removeprefix("~").removeprefix("/") if text.startswith(("/", "~/")) else text
    segments = [_parse_segment(segment) for segment in _segments(bare)]
    parameters = [part for segment in segments for part in segment if isinstance(part, Parameter)]
    _check(segments, parameters)
    least = len(segments)
    while least and _may_end_before(segments[least - 1]):
        least -= 1
    return Template(
        text=text,
        parameters=tuple(parameters),
        least_segments=least,
        most_segments=None if parameters and parameters[-1].catch_all else len(segments),
        _literals=tuple(_only_literal(segment) for segment in segments),
        _pattern=re.compile(_pattern_of(segments, least), re.IGNORECASE),
    )


def _segments(text: str) -> list[str]:
    """Split at slashes outside of braces."""
    parts, depth, start = [""], 0, 0
    for at, char in enumerate(text):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "/" and depth <= 0:
            parts[-1] = text[start:at]
            parts.append("")
            start = at + 1
    parts[-1] = text[start:]
    if parts[-1] == "":
        parts.pop()  # a trailing slash is nothing, and so is an empty template
    if any(part == "" for part in parts):
        raise ValueError("the route template separator '/' cannot appear consecutively.")
    return parts


def _parse_segment(segment: str) -> list[str | Parameter]:
    parts: list[str | Parameter] = []
    for piece, is_parameter in _pieces(segment):
        if not is_parameter:
            parts.append(piece)
            continue
        if parts and isinstance(parts[-1], Parameter):
            raise ValueError(f"in '{segment}' two parameters need a literal between them.")
        parts.append(_parse_parameter(piece))
    return parts


def _pieces(segment: str) -> Iterator[tuple[str, bool]]:
    """Yield literals and the insides of braces; a doubled brace is a brace."""
    literal, at = "", 0
    while at < len(segment):
        char = segment[at]
        if char in "{}" and segment[at : at + 2] == char * 2:
            literal, at = literal + char, at + 2
        elif char == "{":
            if literal:
                yield literal, False
                literal = ""
            end = _closing(segment, at)
            yield segment[at + 1 : end].replace("{{", "{").replace("}}", "}"), True
            at = end + 1
        elif char in "}?":
            raise ValueError(f"'{segment}' holds a stray '{char}'.")
        else:
            literal, at = literal + char, at + 1
    if literal:
        yield literal, False


def _closing(segment: str, start: int) -> int:
    at = start + 1
    while at < len(segment):
        if segment[at] in "{}" and segment[at : at + 2] == segment[at] * 2:
            at += 2
        elif segment[at] == "}":
            return at
        elif segment[at] == "{":
            break
        else:
            at += 1
    raise ValueError(f"in '{segment}' a brace is not closed.")


def _parse_parameter(text: str) -> Parameter:
    head, rules = _split_rules(text)
    found = _PARAMETER.fullmatch(head)
    if found is None:
        raise ValueError(f"'{{{text}}}' is not a route parameter.")
    default = found["default"][1:] if found["default"] is not None else None
    optional = found["optional"] is not None
    if optional and default is not None:
        raise ValueError(f"'{{{text}}}' cannot be optional and have a default.")
    if optional and found["star"]:
        raise ValueError(f"'{{{text}}}': a catch-all cannot be optional.")
    return Parameter(
        name=found["name"],
        constraints=tuple(parse_constraint(rule) for rule in rules),
        default=default,
        optional=optional,
        catch_all=bool(found["star"]),
    )


def _split_rules(text: str) -> tuple[str, list[str]]:
    """Take the constraints out of `name:rule:rule(…)=default?`; brackets protect what they hold."""
    head, rules, at = "", [], 0
    while at < len(text) and text[at] not in ":=?":
        at += 1
    head = text[:at]
    while at < len(text) and text[at] == ":":
        end, depth = at + 1, 0
        while end < len(text) and (depth or text[end] not in ":=?"):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        rules.append(text[at + 1 : end])
        at = end
    return head + text[at:], rules


def _check(segments: list[list[str | Parameter]], parameters: list[Parameter]) -> None:
    names = [parameter.name.lower() for parameter in parameters]
    if len(names) != len(set(names)):
        raise ValueError("a route parameter appears more than once.")
    for at, segment in enumerate(segments):
        _check_segment(segment, is_last=at == len(segments) - 1)


def _check_segment(segment: list[str | Parameter], *, is_last: bool) -> None:
    for place, part in enumerate(segment):
        if not isinstance(part, Parameter):
            continue
        if part.catch_all and (len(segment) > 1 or not is_last):
            raise ValueError(f"the catch-all '{part.name}' must be the last segment, alone.")
        if (
            part.optional
            and len(segment) > 1
            and (place < len(segment) - 1 or not str(segment[place - 1]).endswith("."))
        ):
            raise ValueError(f"the optional '{part.name}' must end its segment, after a period.")


def _only_literal(segment: list[str | Parameter]) -> str | None:
    return segment[0].lower() if len(segment) == 1 and isinstance(segment[0], str) else None


def _may_end_before(segment: list[str | Parameter]) -> bool:
    return len(segment) == 1 and isinstance(segment[0], Parameter) and segment[0].may_be_missing


def _pattern_of(segments: list[list[str | Parameter]], least: int) -> str:
    """Nest what may be missing: each such segment only counts when the ones before it are there."""
    pattern = "/".join(_segment_pattern(segment) for segment in segments[:least])
    tail = ""
    for at in range(len(segments) - 1, least - 1, -1):
        slash = "/" if at else ""
        tail = f"(?:{slash}{_segment_pattern(segments[at])}{tail})?"
    ends_in_catch_all = bool(segments) and isinstance(segments[-1][0], Parameter) and segments[-1][0].catch_all
    return f"{pattern}{tail}" + ("" if ends_in_catch_all else "/?")


def _segment_pattern(segment: list[str | Parameter]) -> str:
    ends_optional = len(segment) > 1 and isinstance(segment[-1], Parameter) and segment[-1].optional
    pattern = ""
    for part in segment:
        if isinstance(part, str):
            pattern += re.escape(part)
        elif part.catch_all:
            pattern += "(.*)"
        elif not ends_optional:
            pattern += "([^/]+)"
        elif part.optional:
            # What follows the last period belongs to the optional one, so those before it take as little as they can.
            pattern = pattern.removesuffix(r"\.") + r"(?:\.([^/.]+))?"
        else:
            pattern += "([^/]+?)"
    return pattern

"""Reads a Bicep file into its declarations."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

from local.infra.findings import Findings

_PARSER = Parser(Language(tree_sitter_bicep.language()))
_COMMENTS = frozenset({"comment", "diagnostic_comment"})


class DeclarationKind(StrEnum):
    """What a file can declare."""

    PARAMETER = "parameter_declaration"
    VARIABLE = "variable_declaration"
    RESOURCE = "resource_declaration"
    MODULE = "module_declaration"
    OUTPUT = "output_declaration"


_KINDS = frozenset(kind.value for kind in DeclarationKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A parameter, variable, resource, module or output."""

    kind: DeclarationKind
    name: str
    line: int
    type: str = ""
    """The declared type; of a resource, its type and version; of a module, its path."""
    value: Node | None = None
    existing: bool = False
    decorators: dict[str, tuple[Node, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Template:
    """A file and what it declares."""

    path: Path
    declarations: tuple[Declaration, ...]

    def of(self, kind: DeclarationKind) -> dict[str, Declaration]:
        """Return the declarations of one kind by name."""
        return {found.name: found for found in self.declarations if found.kind is kind}


def read_template(path: Path, findings: Findings) -> Template:
    """Return what a file declares; what cannot be parsed is a finding."""
    root = _PARSER.parse(path.read_bytes()).root_node
    for node in _broken(root):
        what = f"{node.type} is missing" if node.is_missing else f"cannot be read: {text_of(node)[:60]!r}"
        findings.add(path, line_of(node), what)
    declarations: list[Declaration] = []
    decorators: dict[str, tuple[Node, ...]] = {}
    for node in children_of(root):
        if node.type == "decorators":
            decorators = dict(_decorator(child) for child in children_of(node))
        elif node.type in _KINDS:
            declarations.append(_declaration(node, decorators))
            decorators = {}
    _check_names(path, declarations, findings)
    return Template(path, tuple(declarations))


def children_of(node: Node) -> list[Node]:
    """Return the named children but comments."""
    return [child for child in node.named_children if child.type not in _COMMENTS]


def elements_of_array(node: Node) -> list[Node]:
    """Return the elements of an array.

    The grammar splits `[a, b[0].c]` into a, b and [0].c. What touches without a space between belongs together, and is
    read again by itself, at the same line.
    """
    groups: list[list[Node]] = []
    for child in children_of(node):
        if groups and groups[-1][-1].end_byte == child.start_byte:
            groups[-1].append(child)
        else:
            groups.append([child])
    return [group[0] if len(group) == 1 else _read_again(group) for group in groups]


def text_of(node: Node) -> str:
    """Return the source of a node."""
    return node.text.decode() if node.text else ""


def line_of(node: Node) -> int:
    """Return the line, from 1, on which a node starts."""
    return node.start_point.row + 1


def plain_text(node: Node) -> str | None:
    """Return what a string without interpolation says, or None for anything else."""
    if node.type != "string" or any(child.type == "interpolation" for child in node.named_children):
        return None
    return "".join(_unescaped(child) for child in node.named_children)


def property_of(node: Node) -> tuple[str | None, Node, Node]:
    """Return key, key node and value node of an object's property; the key is None when it is computed."""
    key, value = children_of(node)
    return (text_of(key) if key.type == "identifier" else plain_text(key)), key, value


def _declaration(node: Node, decorators: dict[str, tuple[Node, ...]]) -> Declaration:
    parts = children_of(node)
    name, rest = parts[0], parts[1:]
    type_text = ""
    if rest and rest[0].type in {"type", "primitive_type", "array_type"}:
        type_text = text_of(rest.pop(0))
    elif node.type in {DeclarationKind.RESOURCE, DeclarationKind.MODULE}:
        type_text = plain_text(rest.pop(0)) or ""
    return Declaration(
        kind=DeclarationKind(node.type),
        name=text_of(name),
        line=line_of(name),
        type=type_text,
        value=rest[0] if rest else None,
        existing=any(child.type == "existing" for child in node.children),
        decorators=decorators,
    )


def _decorator(node: Node) -> tuple[str, tuple[Node, ...]]:
    call = children_of(node)[0]
    function, arguments = children_of(call)
    return text_of(function), tuple(children_of(arguments))


def _unescaped(node: Node) -> str:
    text = text_of(node)
    return (
        text.replace("\\'", "'").replace("\\n", "\n").replace("\\\\", "\\") if node.type == "escape_sequence" else text
    )


def _read_again(group: list[Node]) -> Node:
    source = b"".join(node.text or b"" for node in group)
    root = _PARSER.parse(b"\n" * (line_of(group[0]) - 1) + b"var element = " + source).root_node
    return children_of(children_of(root)[0])[1]


def _broken(node: Node) -> Iterator[Node]:
    if node.type == "ERROR" or node.is_missing:
        yield node
        return
    if node.has_error:
        for child in node.children:
            yield from _broken(child)


def _check_names(path: Path, declarations: list[Declaration], findings: Findings) -> None:
    seen: set[str] = set()
    for found in declarations:
        if found.kind is DeclarationKind.OUTPUT:
            continue
        if found.name in seen:
            findings.add(path, found.line, f"{found.name} is declared twice")
        seen.add(found.name)

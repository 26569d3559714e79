"""Works out what the expressions of a template can be, and reports every name that leads nowhere."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from tree_sitter import Node

from local.infra.findings import Findings
from local.infra.functions import DECORATORS, KINDS, ONLY_IN_DEFAULTS, RESULTS
from local.infra.syntax import (
    Declaration,
    DeclarationKind,
    Template,
    children_of,
    elements_of_array,
    line_of,
    plain_text,
    property_of,
    text_of,
)
from local.infra.values import ANY, Alternatives, Value, elements_of, from_json, joined, merged

Scope = Mapping[str, Alternatives]
# What a template may ask of a resource beside the properties that it may write.
_OF_EVERY_RESOURCE: Final = frozenset(
    {"id", "name", "type", "apiVersion", "properties", "identity", "location", "tags"}
)
_COMPARISONS: Final = frozenset({"==", "!=", "=~", "!~", "<", "<=", ">", ">=", "&&", "||"})


class Evaluator:
    """Evaluates the expressions of one template. `modules` holds the templates that it uses, by symbol."""

    def __init__(self, template: Template, modules: Mapping[str, Template], findings: Findings) -> None:
        self.template = template
        self.used: set[str] = set()
        self._modules = modules
        self._findings = findings
        self._declared = {
            found.name: found for found in template.declarations if found.kind is not DeclarationKind.OUTPUT
        }
        self._known: dict[str, Alternatives] = {}
        self._in_default = False
        self._forms: dict[str, Callable[[Node, Scope], Alternatives]] = {
            "array": self._array,
            "binary_expression": self._binary,
            "call_expression": self._call,
            "for_statement": self._for,
            "identifier": self._identifier,
            "if_statement": self._if,
            "member_expression": self._member,
            "object": self._object,
            "parenthesized_expression": lambda node, scope: self.evaluate(children_of(node)[0], scope),
            "string": self._string,
            "subscript_expression": self._subscript,
            "ternary_expression": self._ternary,
            "unary_expression": self._unary,
        }

    def of(self, name: str) -> Alternatives:
        """Return what a declared symbol can be."""
        if name not in self._known:
            self._known[name] = (ANY,)  # a symbol that needs itself is the compiler's to report
            self._known[name] = self._symbol(self._declared[name])
        return self._known[name]

    def body(self, declaration: Declaration) -> Alternatives:
        """Return what the value of a declaration can be; of one in a loop or behind a condition, its object."""
        if declaration.value is None:
            return ()
        self._in_default = declaration.kind is DeclarationKind.PARAMETER
        found = self.evaluate(declaration.value, {})
        self._in_default = False
        return elements_of(found) if declaration.value.type == "for_statement" else found

    def check_decorators(self, declaration: Declaration) -> None:
        """Report decorators that do not exist."""
        for name, arguments in declaration.decorators.items():
            if name not in DECORATORS:
                self._report(declaration.line, f"there is no decorator @{name}")
            for argument in arguments:
                self.evaluate(argument, {})

    def evaluate(self, node: Node, scope: Scope) -> Alternatives:
        """Return everything that an expression may be."""
        form = self._forms.get(node.type)
        if form:
            return form(node, scope)
        line, text = line_of(node), text_of(node)
        if node.type == "number":
            return (Value(kind="int", line=line, literal=int(text)),)
        if node.type == "boolean":
            return (Value(kind="bool", line=line, literal=text == "true"),)
        if node.type == "null":
            return (Value(kind="null", line=line),)
        self._report(line, f"this form is not known to the checker: {node.type}")
        return (ANY,)

    def _symbol(self, declaration: Declaration) -> Alternatives:
        kind = declaration.kind
        if kind is DeclarationKind.VARIABLE and declaration.value is not None:
            return self.evaluate(declaration.value, {})
        if kind is DeclarationKind.PARAMETER:
            if "allowed" in declaration.decorators:
                return elements_of(self.evaluate(declaration.decorators["allowed"][0], {}))
            return (Value(kind=declaration.type if declaration.type != "array" else "array"),)
        symbol = "resource" if kind is DeclarationKind.RESOURCE else "module"
        single = Value(kind=symbol, declared=declaration.name)
        looped = declaration.value is not None and declaration.value.type == "for_statement"
        return (Value(kind="array", items=((single,),)),) if looped else (single,)

    def _identifier(self, node: Node, scope: Scope) -> Alternatives:
        name = text_of(node)
        if name in scope:
            return scope[name]
        if name in self._declared:
            self.used.add(name)
            return self.of(name)
        self._report(line_of(node), f"{name} is not declared")
        return (ANY,)

    def _string(self, node: Node, scope: Scope) -> Alternatives:
        for child in node.named_children:
            if child.type == "interpolation":
                self.evaluate(children_of(child)[0], scope)
        return (Value(kind="string", line=line_of(node), literal=plain_text(node)),)

    def _object(self, node: Node, scope: Scope) -> Alternatives:
        members: dict[str, Alternatives] = {}
        computed = False
        for child in children_of(node):
            name, key, value = property_of(child)
            if name is None:
                self.evaluate(key, scope)
                computed = True
            elif name in members:
                self._report(line_of(key), f"{name} is given twice")
            found = self.evaluate(value, scope)
            if name is not None:
                members[name] = found
        return (Value(kind="object", line=line_of(node), members=members, open=computed),)

    def _array(self, node: Node, scope: Scope) -> Alternatives:
        items = tuple(self.evaluate(child, scope) for child in elements_of_array(node))
        return (Value(kind="array", line=line_of(node), items=items),)

    def _for(self, node: Node, scope: Scope) -> Alternatives:
        head, iterable, body = children_of(node)
        names = (
            [text_of(child) for child in children_of(head)] if head.type == "for_loop_parameters" else [text_of(head)]
        )
        inner = {**scope, names[0]: elements_of(self.evaluate(iterable, scope))}
        if len(names) > 1:
            inner[names[1]] = (Value(kind="int", line=line_of(head)),)
        return (Value(kind="array", line=line_of(node), items=(self.evaluate(body, inner),)),)

    def _if(self, node: Node, scope: Scope) -> Alternatives:
        condition, body = children_of(node)
        self.evaluate(condition, scope)
        return self.evaluate(body, scope)

    def _ternary(self, node: Node, scope: Scope) -> Alternatives:
        condition, first, second = children_of(node)
        self.evaluate(condition, scope)
        return (*self.evaluate(first, scope), *self.evaluate(second, scope))

    def _unary(self, node: Node, scope: Scope) -> Alternatives:
        self.evaluate(children_of(node)[0], scope)
        return (Value(kind="bool" if text_of(node).startswith("!") else "int", line=line_of(node)),)

    def _binary(self, node: Node, scope: Scope) -> Alternatives:
        left, right = (self.evaluate(child, scope) for child in children_of(node))
        operator = next(child.type for child in node.children if not child.is_named)
        if operator == "??":
            return (*left, *right)
        return (Value(kind="bool" if operator in _COMPARISONS else "int", line=line_of(node)),)

    def _subscript(self, node: Node, scope: Scope) -> Alternatives:
        whole, index = children_of(node)
        found = self.evaluate(whole, scope)
        self.evaluate(index, scope)
        if all(value.members is not None and not value.open for value in found):
            # Which one is not known before deployment, so what is asked of it must hold for all.
            return tuple(item for value in found for member in (value.members or {}).values() for item in member)
        return elements_of(found)

    def _call(self, node: Node, scope: Scope) -> Alternatives:
        function, arguments = children_of(node)
        name, line = text_of(function), line_of(node)
        given = [self.evaluate(child, scope) for child in children_of(arguments)]
        if name not in KINDS:
            self._report(line, f"there is no function {name}, or the checker does not know it")
            return (ANY,)
        if name in ONLY_IN_DEFAULTS and not self._in_default:
            self._report(line, f"{name} works only in the default of a parameter")
        if name in {"loadJsonContent", "loadTextContent"}:
            return (self._load(name, given, line),)
        if name == "union":
            return (merged(given, line),)
        if name == "concat":
            return (joined(given, line),)
        if name in RESULTS:
            return (_result(RESULTS[name]),)
        return (Value(kind=KINDS[name], line=line),)

    def _load(self, name: str, given: list[Alternatives], line: int) -> Value:
        path = self.template.path.parent / str(given[0][0].literal)
        if not path.is_file():
            self._report(line, f"{given[0][0].literal} is not there")
            return ANY
        if name == "loadTextContent":
            return Value(kind="string", line=line)
        try:
            return from_json(json.loads(path.read_text()), line)
        except json.JSONDecodeError as error:
            self._report(line, f"{given[0][0].literal} is not JSON: {error}")
            return ANY

    def _member(self, node: Node, scope: Scope) -> Alternatives:
        whole, name_node = children_of(node)
        name, line = text_of(name_node), line_of(name_node)
        found: list[Value] = []
        for value in self.evaluate(whole, scope):
            found.extend(self._member_of(value, name, line))
        return tuple(found)

    def _member_of(self, value: Value, name: str, line: int) -> Alternatives:
        if value.kind == "module" and name in {"outputs", "name"}:
            return (Value(kind="outputs" if name == "outputs" else "string", declared=value.declared),)
        if value.kind == "outputs":
            outputs = (
                self._modules[value.declared].of(DeclarationKind.OUTPUT) if value.declared in self._modules else {}
            )
            if name in outputs:
                return (Value(kind=outputs[name].type, line=line),)
            self._report(line, f"the module {value.declared} has no output {name}")
        elif value.kind == "resource" and name not in _OF_EVERY_RESOURCE:
            self._report(line, f"a resource has no {name}")
        elif value.kind in {"string", "int", "bool", "array"}:
            self._report(line, f"a value of kind {value.kind} has no member {name}")
        elif value.members is not None and name in value.members:
            return value.members[name]
        elif value.members is not None and not value.open:
            self._report(line, f"there is no member {name}")
        return (Value(kind="string", line=line),) if value.kind == "resource" and name in {"id", "name"} else (ANY,)

    def _report(self, line: int, text: str) -> None:
        self._findings.add(self.template.path, line, text)


def _result(shape: Mapping[str, Any]) -> Value:
    members = {name: ((_result(inner) if inner else Value(kind="any")),) for name, inner in shape.items()}
    return Value(kind="object", members=members)


def module_path(template: Template, declaration: Declaration) -> Path:
    """Return where a module's file is."""
    return template.path.parent / declaration.type

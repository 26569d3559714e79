"""Clients as an API team would get them, generated from our documents; the demo's requests go through them."""

import importlib
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any, Final, get_args
from urllib.parse import parse_qsl, unquote, urlsplit

from local.demo.client import Answer, Client

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = {name: ROOT / "docs" / "openapi" / f"{name}.json" for name in ("public", "private")}
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def generate(name: str, folder: Path) -> str:
    """Generate the client of one document as package `<name>_client` in a folder, and return what it warned of."""
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("openapi-python-client")),
            "generate",
            *("--path", str(DOCUMENTS[name]), "--output-path", str(folder / f"{name}_client")),
            *("--meta", "none"),
        ],
        env={"PATH": str(Path(sys.executable).parent), "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout + done.stderr


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document and the generated module that performs it."""

    name: str
    method: str
    pattern: re.Pattern[str]
    module: ModuleType


def operations_of(name: str) -> list[Operation]:
    """Return every operation of a document with its generated module, fixed paths before those with parameters."""
    paths: dict[str, dict[str, Any]] = json.loads(DOCUMENTS[name].read_text("utf-8"))["paths"]
    found: list[Operation] = []
    for path in sorted(paths, key=lambda one: (one.count("{"), one)):
        pattern = re.compile(re.sub(r"\\\{(\w+)\\\}", lambda match: f"(?P<{_snake(match[1])}>[^/]+)", re.escape(path)))
        for method in _METHODS:
            operation = paths[path].get(method)
            if operation is not None and not _speaks_only_lines(operation):
                module = f"{name}_client.api.{_snake(operation['tags'][0])}.{operation['operationId']}"
                found.append(Operation(operation["operationId"], method, pattern, importlib.import_module(module)))
    return found


def _speaks_only_lines(operation: dict[str, Any]) -> bool:
    """Tell whether a body is JSON lines, which the generator does not know: it leaves such operations out."""
    return set(operation.get("requestBody", {}).get("content", ())) == {"application/x-ndjson"}


def _as_model(body: Any, annotation: Any) -> Any:
    for model in get_args(annotation) or (annotation,):
        try:
            made = model.from_dict(body)
        except (KeyError, TypeError, ValueError):
            continue  # another one of the models that may be sent here
        said = made.to_dict()  # with the defaults; times may be written otherwise
        if set(body) <= set(said) and said.get("kind") == body.get("kind"):
            return made
    raise ValueError("no generated model can say this body")


def _as_declared(value: Any, annotation: Any) -> Any:
    for kind in get_args(annotation) or (annotation,):
        if isinstance(value, str) and isinstance(kind, type) and issubclass(kind, Enum | int):
            return kind(value)
    return value


def _snake(name: str) -> str:
    return _WORD.sub("_", name).lower().replace("-", "_")


@dataclass(frozen=True)
class GeneratedClient(Client):
    """Sends requests to the API through generated clients; what they cannot say is sent as it is.

    `used` holds the operations that a generated client performed, `unparsed` those whose answer it could not read.
    """

    used: set[str] = field(default_factory=set[str])
    unparsed: list[str] = field(default_factory=list[str])
    _operations: list[Operation] = field(default_factory=list[Operation])

    def learn(self, name: str) -> None:
        """Take the operations of one document."""
        self._operations.extend(operations_of(name))

    def ask(
        self,
        method: str,
        url: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        quietly: bool = False,
    ) -> Answer:
        """Send one request."""
        address = urlsplit(url)
        for operation in self._operations:
            match = operation.pattern.fullmatch(address.path)
            if match and operation.method == method.lower():
                given = {name: unquote(value) for name, value in match.groupdict().items()}
                given |= {_snake(name): value for name, value in parse_qsl(address.query)}
                answer = self._perform(operation, f"{address.scheme}://{address.netloc}", given, body, headers or {})
                if answer is not None:
                    return answer
        return super().ask(method, url, body=body, headers=headers, quietly=quietly)

    def _perform(
        self, operation: Operation, origin: str, given: dict[str, Any], body: Any, headers: Mapping[str, str]
    ) -> Answer | None:
        perform: Any = operation.module.sync_detailed  # type: ignore[attr-defined]
        signature = inspect.signature(perform)
        client_module = importlib.import_module(f"{operation.module.__name__.split('.')[0]}.client")
        own = {name: value for name, value in headers.items() if _snake(name) == "x_functions_key"}
        given |= {_snake(name): value for name, value in headers.items() if name not in {*own, "Content-Type"}}
        if body is not None:
            given["body"] = _as_model(body, signature.parameters["body"].annotation)
        needed = {
            name
            for name, parameter in signature.parameters.items()
            if parameter.default is inspect.Parameter.empty and name != "client"
        }
        if not needed <= set(given) or not set(given) <= set(signature.parameters):
            return None  # the request breaks the document on purpose
        said = {name: _as_declared(value, signature.parameters[name].annotation) for name, value in given.items()}
        try:
            with client_module.Client(base_url=origin, headers=own, raise_on_unexpected_status=True) as client:
                response = perform(client=client, **said)
        except ValueError:
            self.unparsed.append(operation.name)
            return None
        self.used.add(operation.name)
        told = Message()
        for name, value in response.headers.items():
            told[name] = value
        return Answer(int(response.status_code), told, response.content.decode())

"""What every command has: the options that say where and as whom, `--json`, and one way to end."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import typer

from local.ops.api import Api
from local.ops.connection import Connection
from local.ops.exits import Exit, OpsError
from local.ops.screen import Screen

_PANEL = "Where, as whom, and how it is shown"
_SHARED: dict[str, Any] = {
    "url": Annotated[
        str | None,
        typer.Option(
            "--url",
            envvar="OPS_URL",
            help="Where the app is; the copy of `make run` unless given.",
            rich_help_panel=_PANEL,
            show_default=False,
        ),
    ],
    "key": Annotated[
        str | None,
        typer.Option(
            "--key",
            envvar="OPS_KEY",
            help="A function key. Others on the machine can read command lines: the environment is safer.",
            rich_help_panel=_PANEL,
            show_default=False,
        ),
    ],
    "actor": Annotated[
        str | None,
        typer.Option(
            "--actor",
            envvar="OPS_ACTOR",
            help="Who does it, for the audit; this machine's user unless given.",
            rich_help_panel=_PANEL,
            show_default=False,
        ),
    ],
    "as_json": Annotated[
        bool, typer.Option("--json", help="Write JSON, for scripts.", rich_help_panel=_PANEL, show_default=False)
    ],
}


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a command."""

    api: Api
    screen: Screen


Work: TypeAlias = Callable[..., Exit]


def command(app: typer.Typer, name: str) -> Callable[[Work], Work]:
    """Make a function a command: it gets a Session and its own options, and returns how it ended.

    Typer reads a command's options from its signature, so the shared ones are added there, once for all.
    """

    def add(work: Work) -> Work:
        def run(**options: Any) -> None:
            shared = {option: options.pop(option) for option in _SHARED}
            raise typer.Exit(_ended(work, shared, options))

        signature = inspect.signature(work)
        own = [parameter.replace(kind=_KEYWORD) for parameter in list(signature.parameters.values())[1:]]
        added = [
            inspect.Parameter(option, _KEYWORD, annotation=kind, default=False if option == "as_json" else None)
            for option, kind in _SHARED.items()
        ]
        run.__signature__ = signature.replace(parameters=[*own, *added], return_annotation=None)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *added)}
        run.__doc__, run.__name__ = work.__doc__, work.__name__
        app.command(name)(run)
        return work

    return add


_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def _ended(work: Work, shared: dict[str, Any], options: dict[str, Any]) -> Exit:
    screen = Screen(as_json=shared["as_json"])
    try:
        connection = Connection.of(url=shared["url"], key=shared["key"], actor=shared["actor"])
        return work(Session(Api(connection), screen), **options)
    except OpsError as error:
        screen.fail(str(error), error.problem)
        return error.exit_code
    except KeyboardInterrupt:
        screen.note("Interrupted; what was asked for goes on.")
        return Exit.INTERRUPTED


def app_for(name: str | None, help_text: str) -> typer.Typer:
    """Return a group of commands."""
    return typer.Typer(
        name=name,
        help=help_text,
        no_args_is_help=True,
        add_completion=name is None,
        pretty_exceptions_enable=False,  # a stack with its local values would show the key
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

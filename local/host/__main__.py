"""`python -m local.host`: serve the Functions app of a folder on this machine."""

import argparse
import asyncio
import gc
import os
import sys
import traceback
from pathlib import Path

from local.host.console import Console
from local.host.errors import AppImportError, HostError
from local.host.hostjson import read_host_json
from local.host.lifecycle import FunctionsHost, bind_port
from local.host.loading import load_app
from local.host.settings import disabled_functions, host_settings, load_app_settings


def main(arguments: list[str] | None = None) -> int:
    """Run the host until it is told to stop. Returns 0 after a drain, 2 when it could not start."""
    options = _options(arguments)
    console = Console(level=os.environ.get("LOG") or "info")
    try:
        left_running = _serve(Path(options.app_dir).resolve(), options.port, console)
    except HostError as error:
        console.flush()
        print(f"The host cannot start. {error}", file=sys.stderr)
        cause = error.__cause__
        if cause is not None and (isinstance(error, AppImportError) or console.debug_wanted):
            traceback.print_exception(cause)
        return 2
    if left_running:
        # A function that still runs in a thread after the drain must not keep the process alive.
        sys.stdout.flush()
        os._exit(0)
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.host", description=__doc__)
    parser.add_argument("--app-dir", default=".", help="folder with host.json and function_app.py (default: here)")
    parser.add_argument("--port", type=int, default=None, help="port on 127.0.0.1 (default: APP_PORT, else 7071)")
    return parser.parse_args(arguments)


def _serve(app_dir: Path, port: int | None, console: Console) -> int:
    if not app_dir.is_dir():
        raise HostError(f"There is no folder {app_dir}.")
    load_app_settings(app_dir)
    settings = host_settings(app_dir, port)
    console.set_level(settings.log)
    host_json = read_host_json(app_dir / "host.json", development=settings.development, processors=settings.processors)
    with bind_port(settings.port) as sock:
        os.chdir(app_dir)  # relative paths of the app mean what they mean when deployed
        console.capture_logging()
        app = load_app(app_dir, settings.script_file, disabled=disabled_functions())
        # What is loaded now stays; the collector need not look through it again and again.
        gc.collect()
        gc.freeze()
        left_running = asyncio.run(FunctionsHost(settings, host_json, app, console).run(sock))
    console.flush()
    return left_running


if __name__ == "__main__":
    sys.exit(main())

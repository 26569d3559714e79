"""The deployed app with taps around its storage and mainframe."""  # noqa: INP001 - a host serves folders, not packages

import os
from dataclasses import replace
from pathlib import Path

import azure.functions as func

from functions.assembly import assemble
from functions.host.serving import SERVING
from lib.wiring import Platform
from local.chaos.trap import FOLDER_VARIABLE, TrapWatch
from local.faults.taps import TappedLink, TappedStorage
from local.host.console import current_function

_plain = SERVING.builder


def _tapped() -> Platform:
    watch = TrapWatch(Path(os.environ[FOLDER_VARIABLE]), current_function.get)
    platform = _plain()
    return replace(
        platform,
        storage=TappedStorage(platform.storage, watch.tap),
        link=TappedLink(platform.link, watch.tap),
    )


SERVING.builder = _tapped
app: func.FunctionApp = assemble()

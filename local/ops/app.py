"""All commands under one roof."""

import typer

from local.ops import customers, failures, mainframe, reconciliations, replays, status
from local.ops.command import app_for

app: typer.Typer = app_for(
    None,
    "Operations: what is wrong, why, and mending it. docs/operations.md is the manual.\n\n"
    "Exit codes: 0 fine, 1 something needs attention, 2 not understood, 3 not reachable, not authorised or not able to "
    "answer, 4 contradicts what is going on, 5 not found.",
)
status.add_to(app)
for room in (failures, replays, reconciliations, mainframe, customers):
    app.add_typer(room.app)

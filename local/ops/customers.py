"""`./ops customer`: where the delivery of one customer, or of an order, stands."""

from typing import Annotated

import typer

from local.ops.api import segment
from local.ops.command import Session, app_for, command
from local.ops.exits import Exit
from local.ops.screen import moment

app = app_for("customer", "One customer.")


@command(app, "delivery")
def delivery(
    session: Session,
    customer_id: Annotated[str, typer.Argument(help="The customer's id, cus_…", show_default=False)],
    order_id: Annotated[
        str | None, typer.Option("--order", help="One of the customer's orders, ord_…", show_default=False)
    ] = None,
) -> Exit:
    """Tell whether the mainframe holds the newest version, and if not, why. Exit code 0 only when it does."""
    order = f"/orders/{segment(order_id)}" if order_id else ""
    found = session.api.read(f"/customers/{segment(customer_id)}{order}/deliveries/mainframe")
    error = found.get("lastError") or {}
    session.screen.show(
        found,
        lambda: session.screen.facts(
            [
                ("state", found.get("state")),
                ("version here", found.get("version")),
                ("version there", found.get("acknowledgedVersion")),
                ("attempts", found.get("attempts")),
                ("next attempt", moment(found.get("nextAttemptAt"))),
                ("last error", f"{error['code']}: {error['text']}" if error else None),
                ("at", moment(error.get("at"))),
                ("held otherwise", ", ".join(found.get("alteredFields") or [])),
            ]
        ),
    )
    return Exit.FINE if found.get("state") == "inSync" else Exit.ATTENTION

"""The records we exchange with the mainframe, compiled from the copybooks beside this file."""

from pathlib import Path

from lib.mainframe.copybook import parse_copybook
from lib.mainframe.layout import Layout


def load_layout(member: str) -> Layout:
    """Return the layout of one of our own copybooks."""
    return parse_copybook((Path(__file__).parent / "copybooks" / f"{member}.cpy").read_text("ascii"))


REQUEST_HEADER = load_layout("IOMREQH")
REPLY_HEADER = load_layout("IOMRPYH")
INQUIRY_REPLY = load_layout("IOMINQR")
BROWSE_REQUEST = load_layout("IOMBRWQ")
BROWSE_REPLY = load_layout("IOMBRWR")
CUSTOMER_LAYOUT = load_layout("IOMCUST")
ORDER_LAYOUT = load_layout("IOMORDR")

CUSTOMER_SUBJECT = "CUSTOMER"
ORDER_SUBJECT = "ORDER"
SUBJECT_LAYOUTS = {CUSTOMER_SUBJECT: CUSTOMER_LAYOUT, ORDER_SUBJECT: ORDER_LAYOUT}
"""The body of an update, by the subject's name on the wire."""

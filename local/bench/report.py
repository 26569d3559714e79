"""The measurements as lines to read."""

from collections.abc import Sequence
from typing import Final

from local.bench.calls import Calls
from local.bench.cold import Cold
from local.bench.deliveries import Deliveries
from local.bench.host import Comparison as HostComparison
from local.bench.requests import Comparison, Figures

_NAMES: Final = f"{'p50':>8}{'p98':>8}{'p99':>8}{'cpu':>7}"
_UNITS: Final = f"{'ms':>8}{'ms':>8}{'ms':>8}{'us':>7}"
REQUESTS_HEAD: Final = (
    f"{'':17}{'ours':>9}{_NAMES}{'bare SDK':>12}{_NAMES}{'ratio':>8}\n{'':17}{'req/s':>9}{_UNITS}{'ops/s':>12}{_UNITS}"
)


def request_line(one: Comparison) -> str:
    """Return the line of one operation at one number of connections."""
    ours, sdk = _figures(one.ours, 9), _figures(one.sdk, 12)
    return f"{one.connections:3} {one.operation:13}{ours}{sdk}{one.ratio:7.2f}x"


def call_lines(found: Sequence[Calls]) -> str:
    """Return the table of storage calls."""
    lines = [f"{'':25}{'calls':>7}{'budget':>8}"]
    for one in found:
        kinds = ", ".join(f"{number:g} {kind}" for kind, number in one.kinds.items())
        lines.append(f"{one.operation:25}{one.calls:7g}{one.budget:8}  {kinds}{'' if one.within else '  OVER BUDGET'}")
    return "\n".join(lines)


def delivery_line(one: Deliveries) -> str:
    """Return the line of one latency."""
    if one.limit_per_second is None or one.part_of_limit is None:
        return f"mainframe at once   {one.per_second:7.1f}/s of {one.count} changes: our own limit on this machine"
    return (
        f"mainframe {one.latency_ms:4} ms   {one.per_second:7.1f}/s of {one.count} changes: "
        f"{one.part_of_limit:.2f} of the {one.limit_per_second:.1f}/s that {one.regions} regions allow"
    )


def cold_lines(found: Sequence[Cold]) -> str:
    """Return the table of cold starts."""
    lines = [f"{'':45}{'wall ms':>9}{'cpu ms':>8}"]
    lines += [
        f"{one.what:45}{one.wall_ms:9.0f}{one.cpu_ms:8.0f}" + (f"  {one.functions} functions" if one.functions else "")
        for one in found
    ]
    return "\n".join(lines)


def host_line(one: HostComparison) -> str:
    """Return the line of one kind of request to an app of eighty operations."""
    return (
        f"{one.name:5}{one.host.per_second:7.0f} req/s, plain uvicorn {one.plain.per_second:5.0f}: {one.ratio:.2f}x"
        f"  (by processor time {one.cpu_ratio:.2f}x)"
    )


def _figures(one: Figures, width: int) -> str:
    return f"{one.per_second:{width}.0f}{one.p50_ms:8.2f}{one.p98_ms:8.2f}{one.p99_ms:8.2f}{one.cpu_us:7.0f}"

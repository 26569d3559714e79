"""What a run prints: sizes and settings, what fired, what was asked, and the verdict with its seed."""

from collections.abc import Mapping, Sequence

from local.chaos.evidence import Evidence
from local.chaos.fleet import Fleet
from local.chaos.invariants import Invariant, audit, holds
from local.chaos.sizes import Size

_MOST_FINDINGS = 12
_KINDS = {"cus": "customers", "ord": "orders", "con": "consents", "cas": "cases"}


def opening(fleet: Fleet, size: Size, *, seed: int) -> str:
    """Return how the run is set up."""
    settings = ", ".join(
        f"{name}={value}" for name, value in sorted(fleet.settings.items()) if name != "PLATFORM_SECRET"
    )
    return (
        f"Storm with seed {seed}: {size.operations} writes, {size.customers} customers, {size.workers} at once, "
        f"{len(fleet.hosts)} hosts.\nScaled: {settings}"
    )


def closing(evidence: Evidence, invariants: Sequence[Invariant], *, seed: int) -> tuple[str, bool]:
    """Return the whole report, and whether every invariant holds."""
    findings = audit(evidence, invariants)
    good = holds(findings)
    rows = evidence.journal
    effects = sum(row["outcome"] == "applied" for row in rows)
    states: dict[str, int] = {}
    for entity in evidence.entities.values():
        state = f"{_KINDS[entity.id[:3]]} {entity.held.delivery['state'] if entity.held else 'kept'}"
        states[state] = states.get(state, 0) + 1
    parts = [
        _counts("Fired", evidence.fired),
        _counts("Asked", {**evidence.history.summary(), **evidence.history.counts}),
        _counts(
            "Afterwards",
            {
                **dict(sorted(states.items())),
                "identifiers looked up": len(evidence.lookups),
                "deliveries": len(rows),
                "effects": effects,
                "looks at deliveries": evidence.history.samples,
                "overlaps with a stopped host's call": int(evidence.mainframe["overlaps"]),
            },
        ),
        f"Drained in {evidence.drain_seconds:.1f} s.\n",
        *(_line(invariant, findings[invariant.number]) for invariant in invariants),
        f"\nVerdict: {'all invariants hold' if good else 'NOT as promised'} (seed {seed}).",
    ]
    return "\n".join(parts), good


def _line(invariant: Invariant, against: Sequence[str]) -> str:
    head = f"{'ok  ' if not against else 'FAIL'} {invariant.number:8} {invariant.sentence}"
    shown = [f"       {one}" for one in against[:_MOST_FINDINGS]]
    if len(against) > _MOST_FINDINGS:
        shown.append(f"       ... and {len(against) - _MOST_FINDINGS} more")
    return "\n".join([head, *shown])


def _counts(title: str, counts: Mapping[str, int]) -> str:
    width = max((len(name) for name in counts), default=0)
    return "\n".join([f"{title}:", *(f"  {name:{width}}  {count}" for name, count in sorted(counts.items())), ""])

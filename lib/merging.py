"""JSON merge patch (RFC 7396)."""

from typing import Any


def merged(target: Any, patch: Any) -> Any:
    """Return the target with a merge patch applied, as RFC 7396 section 2 defines it."""
    if not isinstance(patch, dict):
        return patch
    base: dict[str, Any] = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            base.pop(name, None)
        else:
            base[name] = merged(base.get(name), value)
    return base

"""Who may call what: function keys and the master key, checked as the real host checks them."""

import hmac
from dataclasses import dataclass
from typing import Literal, TypeAlias

AuthLevel: TypeAlias = Literal["anonymous", "function", "admin"]


@dataclass(frozen=True)
class Keys:
    """The two keys of this host. Both are enforced, unlike with `func start`, so that local behaves as Azure does."""

    function_key: str
    master_key: str

    def level(self, header: str | None, code: str | None) -> AuthLevel:
        """Return what the caller proved. A header that is present is the key, even a wrong one: `code` waits unread."""
        key = header if header is not None else code
        if not key:
            return "anonymous"
        if hmac.compare_digest(key.encode(), self.master_key.encode()):
            return "admin"
        if hmac.compare_digest(key.encode(), self.function_key.encode()):
            return "function"
        return "anonymous"

    def allows(self, required: str, header: str | None, code: str | None) -> bool:
        """Whether the call may go on: the level must be the required one, or the master key's."""
        return required == "anonymous" or self.level(header, code) in (required, "admin")

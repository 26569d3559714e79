"""What the environment says about a running copy; the only file of these rooms that reads it to decide something."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.run.ports import StackPorts

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_KEY = "local-key"


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The choices of the person who runs it."""

    ports: StackPorts
    data: Path
    function_key: str

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> "RunSettings":
        """Return the choices. Raises PortError when a port makes no sense."""
        env = os.environ if environment is None else environment
        return cls(
            ports=StackPorts.read(env),
            data=Path(env.get("LOCAL_DATA") or ROOT / ".local").resolve(),
            function_key=env.get("LOCAL_FUNCTION_KEY") or DEFAULT_KEY,
        )

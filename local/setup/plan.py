"""What is installed already, and what is still to do: decided from notes left beside what was installed."""

import json
import os
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

# The larger set holds the smaller one in the same versions, so having it is having both.
SETS = {"local": ("local",), "dev": ("local", "dev")}


@dataclass
class Stamp:
    """A note beside something installed: from what it was made. A missing or different note means: make it again."""

    path: Path
    notes: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        try:
            content: Any = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            content = None
        self.notes = cast("dict[str, str]", content) if isinstance(content, dict) else {}

    def says(self, name: str, value: str) -> bool:
        """Tell whether this was noted."""
        return self.notes.get(name) == value

    def note(self, **notes: str) -> None:
        """Keep more notes; a crash leaves the old ones or the new ones."""
        self.notes |= notes
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.notes, indent=1), encoding="utf-8")
        fresh.replace(self.path)


@dataclass
class Plan:
    """The checkout at `root`, as seen by somebody who wants one set of packages."""

    root: Path
    wanted: str
    stamp: Stamp = field(init=False)
    azurite_stamp: Stamp = field(init=False)

    def __post_init__(self) -> None:
        self.stamp = Stamp(self.venv / "setup.json")
        self.azurite_stamp = Stamp(self.azurite / "setup.json")

    @property
    def venv(self) -> Path:
        """The one virtual environment, for running and for testing."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The interpreter of the virtual environment."""
        return self.venv / "bin" / "python"

    @property
    def local(self) -> Path:
        """Where this machine's own things are, never committed."""
        return self.root / ".local"

    @property
    def azurite(self) -> Path:
        """Where npm puts the emulator."""
        return self.local / "azurite"

    @property
    def azurite_script(self) -> Path:
        """What Node.js runs; AZURITE_HOME names another copy of the package, which is then used as it is."""
        home = os.environ.get("AZURITE_HOME")
        package = Path(home).resolve() if home else self.azurite / "node_modules" / "azurite"
        return package / "dist" / "src" / "azurite.js"

    def lock_file(self, name: str) -> Path:
        """The locked packages of a set."""
        return self.root / f"requirements-{name}.txt"

    def lock_digest(self, name: str) -> str:
        """What changes when the locked packages of a set do."""
        return _digest(self.lock_file(name))

    @property
    def uv_digest(self) -> str:
        """What changes when the installer does."""
        return _digest(self.setup_file("uv.txt"))

    @property
    def azurite_digest(self) -> str:
        """What changes when the locked emulator does."""
        return _digest(self.setup_file("azurite/package.json"), self.setup_file("azurite/package-lock.json"))

    def setup_file(self, name: str) -> Path:
        """A file that setting up reads."""
        return self.root / "local" / "setup" / name

    @property
    def environment_done(self) -> bool:
        """Whether the virtual environment was made here (it cannot be moved) and its Python is still there."""
        return self.stamp.says("venv", str(self.venv)) and self.python.exists()

    @property
    def packages_done(self) -> bool:
        """Whether the locked packages are installed."""
        return self.stamp.says(self.wanted, self.lock_digest(self.wanted))

    @property
    def azurite_done(self) -> bool:
        """Whether the locked emulator is installed."""
        mine = not os.environ.get("AZURITE_HOME")
        return self.azurite_script.is_file() and (not mine or self.azurite_stamp.says("lock", self.azurite_digest))

    @property
    def done(self) -> bool:
        """Whether there is nothing to do."""
        return self.environment_done and self.packages_done and self.azurite_done


def _digest(*files: Path) -> str:
    return sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()

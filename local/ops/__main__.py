"""`python -m local.ops`, or `./ops`."""

from local.ops.app import app

if __name__ == "__main__":
    app(prog_name="ops")

"""The two files of an import: the rows as they were sent, and the log of what became of each."""

from typing import Final

IMPORTS_CONTAINER: Final = "imports"


def rows_name(import_id: str) -> str:
    """Return the name of the blob that holds the rows, until the import has ended."""
    return f"{import_id}/rows.ndjson"


def results_name(import_id: str) -> str:
    """Return the name of the blob that holds the results."""
    return f"{import_id}/results.ndjson"

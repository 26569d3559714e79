"""Where imports are kept."""

from typing import Final

from lib.imports.models import Import
from lib.jobs.runs import Job

IMPORTS_TABLE: Final = "imports"
IMPORTS: Final = Job(Import, partition="imports", key="import", pointer="importId", alone=False)

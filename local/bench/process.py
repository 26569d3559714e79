"""What a process costs: its processor time, read from outside."""

import math
import os
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process so far; NaN where there is no /proc to ask."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    except OSError:
        return math.nan
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

"""What has become of a process, by its id."""

import os
from pathlib import Path


def has_ended(pid: int) -> bool:
    """Tell whether a process is gone, or dead and only not yet collected by whoever adopted it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"

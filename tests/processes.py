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


def children(pid: int) -> list[int]:
    """Return the processes that a process started and that still run."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]

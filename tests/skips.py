"""What a test needs beyond Python: without it the test says "skipped: no …", and under SKIPS_FAIL=1 it fails."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest


def missing(what: str, *, allowed: bool = False) -> NoReturn:
    """Skip with the reason, or fail where skips are failures. `allowed`: a skip also there (live Twilio, ../shared)."""
    if os.environ.get("SKIPS_FAIL") == "1" and not allowed:
        pytest.fail(f"SKIPS_FAIL=1, and there is no {what}", pytrace=False)
    pytest.skip(f"skipped: no {what}")


def program(name: str) -> str:
    """Return the path of a program, looked for on PATH and beside this project's own environments."""
    root = Path(__file__).parent.parent
    for folder in (*sorted(root.glob(".venv*/bin")),):
        if (folder / name).exists():
            return str(folder / name)
    return shutil.which(name) or missing(name)

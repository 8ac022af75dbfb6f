"""An emulator that runs alone: `python -m twilio_emulator` in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


def command(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 -- our own command
        [sys.executable, "-m", "twilio_emulator", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command on a free port until it says where it is; it is killed at the end if it still runs."""
    with command("--port", "0", *options) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            url = said.partition(" on ")[2].partition(". ")[0]
            assert url.startswith("http://127.0.0.1:"), said
            yield process, url
        finally:
            process.kill()

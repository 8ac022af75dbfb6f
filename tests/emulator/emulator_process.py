"""`python -m twilio_emulator` in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


def start_emulator(*options: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 -- our own command
        [sys.executable, "-m", "twilio_emulator", *options],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def running_emulator(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the emulator on a free port and yield it with its URL; kill it at the end if it still runs."""
    with start_emulator("--port", "0", *options) as process:
        try:
            assert process.stdout is not None
            output = process.stdout.readline()
            url = output.partition(" on ")[2].partition(". ")[0]
            assert url.startswith("http://127.0.0.1:"), output
            yield process, url
        finally:
            process.kill()

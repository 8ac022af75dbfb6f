"""Run pytest again and again without importing again what tests import of others, which takes longer than most tests.

This script imports nothing of the project. It reads a line of JSON for each run: the folder to run in, the arguments of
pytest, and the file that gets what it prints. It forks, runs pytest there, and writes the exit code on a line.
"""

import importlib
import json
import os
import sys
import traceback
from pathlib import Path

IMPORTED = (
    "boto3",
    "hypothesis",
    "moto",
    "moto.dynamodb",
    "moto.sqs",
    "pydantic_ai",
    "pytest",
    "starlette",
    "twilio.rest",
)


def main() -> None:
    """Serve runs until the input ends."""
    for name in IMPORTED:
        importlib.import_module(name)
    for line in sys.stdin:
        run = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(Path(run["folder"]), run["arguments"], Path(run["output"]))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 -- its protocol


def _run(folder: Path, arguments: list[str], output: Path) -> None:
    """Run pytest in a folder, and end this process with its exit code."""
    with output.open("wb") as printed:
        os.dup2(printed.fileno(), sys.stdout.fileno())
        os.dup2(printed.fileno(), sys.stderr.fileno())
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    os.chdir(folder)
    sys.path[:0] = [str(folder), str(folder / "layers" / "switchboard")]
    code = 1
    try:
        code = int(sys.modules["pytest"].main(arguments))
    except BaseException:  # noqa: BLE001 -- this process has no other way to tell
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()

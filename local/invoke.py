"""`make invoke`: a built function in Docker, with a payload of `events/`, against the stack that `make run` started."""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console

from local.fixtures.payloads import logical_id, read
from local.twilio_account import read_account

ENVIRONMENT_FILE = Path(__file__).parent.parent / ".local" / "env.json"  # written by the stack while it runs


class CannotInvoke(Exception):
    """Something is missing; the message says what to do."""


def invoke(event: Annotated[Path, typer.Argument(help="A payload of events/.", exists=True, dir_okay=False)]) -> None:
    """Run the function that a payload is for, once."""
    try:
        sys.exit(_invoke(event))
    except CannotInvoke as error:
        Console(stderr=True).print(f"[red]Cannot invoke:[/red] {error}", soft_wrap=True, highlight=False)
        sys.exit(1)


def _invoke(event: Path) -> int:
    _look_for_docker()
    function = logical_id(event.resolve())
    environment = _environment_of(function)
    sam = _sam()
    payload = read(
        event, now=datetime.now(UTC), account=read_account(os.environ), public_url=environment.get("PUBLIC_URL", "")
    )
    with tempfile.NamedTemporaryFile("w", suffix=".json") as freshened:
        json.dump(payload, freshened)
        freshened.flush()
        architecture = platform.machine().replace("aarch64", "arm64")
        options = ["--event", freshened.name, "--env-vars", str(ENVIRONMENT_FILE)]
        overrides = ["--parameter-overrides", f"Architecture={architecture}"]
        return subprocess.run([sam, "local", "invoke", function, *options, *overrides], check=False).returncode  # noqa: S603 -- SAM


def _environment_of(function: str) -> dict[str, str]:
    if not ENVIRONMENT_FILE.exists():
        raise CannotInvoke("no local stack is running. Start it first, in another terminal: make run HOST=172.17.0.1")
    environments: dict[str, dict[str, str]] = json.loads(ENVIRONMENT_FILE.read_text())
    if function not in environments:
        raise CannotInvoke(f"the template has no {function}, and a payload's folder names its function")
    environment = environments[function]
    if urlsplit(environment["AWS_ENDPOINT_URL"]).hostname == "127.0.0.1":
        raise CannotInvoke(
            "the local stack listens on 127.0.0.1, where a container does not find it. Start it on the address of "
            "Docker's bridge (ip address show docker0): make run HOST=172.17.0.1"
        )
    return environment


def _sam() -> str:
    if sam := shutil.which("sam"):
        return sam
    raise CannotInvoke("SAM is missing: make build gets it")


def _look_for_docker() -> None:
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "info"], capture_output=True, check=False).returncode:  # noqa: S603 -- it only asks
        raise CannotInvoke(
            "sam local invoke needs a Docker engine, and none answers. Without one, make run does as much"
        )


if __name__ == "__main__":
    typer.run(invoke)

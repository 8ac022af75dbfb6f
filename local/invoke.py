"""`make invoke`: run a built function in Docker with a payload from `events/`, against the stack of `make run`."""

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

ROOT = Path(__file__).parent.parent
ENVIRONMENT_FILE = ROOT / ".local" / "env.json"  # the stack writes it when it starts, and deletes it when it ends


class CannotInvoke(Exception):
    """Something is missing; the message says what to do."""


def invoke(
    event: Annotated[
        Path, typer.Argument(help="A payload from events/.", exists=True, dir_okay=False, resolve_path=True)
    ],
    env_vars: Annotated[
        Path, typer.Option(help="The variables of each function, as the stack writes them.", resolve_path=True)
    ] = ENVIRONMENT_FILE,
) -> None:
    """Run the function that a payload is for, once; standard output is what it returns."""
    try:
        sys.exit(_invoke(event, env_vars))
    except CannotInvoke as error:
        Console(stderr=True).print(f"[red]Cannot invoke:[/red] {error}", soft_wrap=True, highlight=False)
        sys.exit(1)


def _invoke(event: Path, env_vars: Path) -> int:
    """Check first, because a build takes much longer than a check."""
    _require_docker()
    function = logical_id(event)
    environment = _environment_of(function, env_vars)
    _build()
    public_url = environment.get("PUBLIC_URL", "")
    payload = read(event, now=datetime.now(UTC), account=read_account(os.environ), public_url=public_url)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as dated_now:
        json.dump(payload, dated_now)
        dated_now.flush()
        architecture = platform.machine().replace("aarch64", "arm64")
        sam = [str(ROOT / ".venv-sam" / "bin" / "sam"), "local", "invoke", function]
        options = ["--event", dated_now.name, "--env-vars", str(env_vars)]
        overrides = ["--parameter-overrides", f"Architecture={architecture}"]
        return subprocess.run([*sam, *options, *overrides], cwd=ROOT, check=False).returncode  # noqa: S603 -- SAM


def _require_docker() -> None:
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "info"], capture_output=True, check=False).returncode:  # noqa: S603 -- it only asks
        raise CannotInvoke(
            "sam local invoke needs a Docker engine, and none answers. Start Docker, or use make run alone: it runs "
            "the same functions without Docker"
        )


def _environment_of(function: str, env_vars: Path) -> dict[str, str]:
    if not env_vars.exists():
        raise CannotInvoke("no local stack is running. Start it first, in another terminal: make run HOST=172.17.0.1")
    environments: dict[str, dict[str, str]] = json.loads(env_vars.read_text())
    if function not in environments:
        raise CannotInvoke(f"the template has no {function}. The payload's folder names the function: events/webhook/")
    environment = environments[function]
    if urlsplit(environment["AWS_ENDPOINT_URL"]).hostname == "127.0.0.1":
        raise CannotInvoke(
            "the local stack listens on 127.0.0.1, which a container cannot reach. Start it on the address of "
            "Docker's bridge (ip address show docker0): make run HOST=172.17.0.1"
        )
    return environment


def _build() -> None:
    # Its output goes to standard error: standard output is the function's result.
    make = ["make", "--silent", "--no-print-directory", "build"]
    if subprocess.run(make, cwd=ROOT, stdout=sys.stderr, check=False).returncode:  # noqa: S603 -- ours
        raise CannotInvoke("make build failed; the lines above say why")


if __name__ == "__main__":
    typer.run(invoke)

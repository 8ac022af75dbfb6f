"""`make deploy`: run `sam deploy` with the parameters that the user gives; ask only for what a new stack needs."""

import difflib
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from local.aws.template import read_parameters

ROOT = Path(__file__).parent.parent
REQUIRED = "TwilioSecretArn"
SET_BY_MAKE = "Architecture"  # what was built is for one processor
NOTE = """\
Every other parameter keeps its deployed value, or the default in template.yaml. To set some:
  make deploy TWILIO_SECRET_ARN=arn:… PARAMETERS="AlarmTopicArn=arn:… TurnsPerDay=5000"
SAM warns that WebhookFunction has no authentication. That is right: API Gateway has none to offer for Twilio, and the
function itself verifies Twilio's signature on every request.
"""
console = Console(stderr=True)


class CannotDeploy(Exception):
    """A parameter is wrong or missing; the message says what to do."""


def deploy(
    sam_options: Annotated[list[str] | None, typer.Argument(help="More options for sam deploy.")] = None,
    *,
    template: Annotated[Path, typer.Option(help="The template that sam build wrote.")],
    architecture: Annotated[str, typer.Option(envvar="ARCHITECTURE", help="What was built: arm64, x86_64.")],
    twilio_secret_arn: Annotated[str, typer.Option(envvar="TWILIO_SECRET_ARN", help=f"The parameter {REQUIRED}.")] = "",
    parameters: Annotated[str, typer.Option(envvar="PARAMETERS", help="Others: Name=Value Name='a value'.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Only check the parameters.")] = False,
) -> None:
    """Deploy what was built; without a terminal, never ask."""
    try:
        declared = read_parameters(ROOT / "template.yaml")
        given = {REQUIRED: twilio_secret_arn} if twilio_secret_arn else {}
        chosen = {SET_BY_MAKE: architecture, **given, **_parse(parameters, declared)}
        if check:
            return
        console.print(NOTE, soft_wrap=True, highlight=False, markup=False)
        if REQUIRED not in chosen and (answer := _ask_for_secret(str(declared[REQUIRED]["Description"]))):
            chosen[REQUIRED] = answer
        sys.exit(_sam_deploy(template, chosen, sam_options or []))
    except CannotDeploy as error:
        console.print(f"[red]Cannot deploy:[/red] {escape(str(error))}", soft_wrap=True, highlight=False)
        sys.exit(1)


def _parse(parameters: str, declared: Mapping[str, Any]) -> dict[str, str]:
    try:
        words = shlex.split(parameters)
    except ValueError as error:
        raise CannotDeploy(f"PARAMETERS cannot be read: {error}") from None
    pairs = [word.partition("=") for word in words]
    for name, equals, _ in pairs:
        if not equals:
            raise CannotDeploy(f"PARAMETERS holds {name}, which is not Name=Value. Quote a value that holds spaces")
        if name == SET_BY_MAKE:
            raise CannotDeploy("the build needs the architecture too: set ARCHITECTURE= instead")
        if name not in declared:
            similar = difflib.get_close_matches(name, declared, n=1) or [", ".join(declared)]
            raise CannotDeploy(f"template.yaml has no parameter {name}. It has {similar[0]}")
    return {name: value for name, _, value in pairs}


def _ask_for_secret(description: str) -> str:
    """Return the ARN that the user types; empty to keep the deployed stack's, or without a terminal."""
    if not sys.stdin.isatty():
        console.print(f"{REQUIRED} is not set. A new stack needs it: make deploy TWILIO_SECRET_ARN=arn:…", markup=False)
        return ""
    console.print(f"{REQUIRED}: {description}", soft_wrap=True, highlight=False, markup=False)
    answer: str = typer.prompt(f"{REQUIRED} (Enter keeps the deployed stack's)", default="", show_default=False)
    return answer.strip()


def _sam_deploy(template: Path, parameters: Mapping[str, str], options: Sequence[str]) -> int:
    sam = shutil.which("sam")
    if sam is None:
        raise CannotDeploy("SAM is missing: make deploy installs it")
    overrides = [f'{name}="{value.replace('"', '\\"')}"' for name, value in parameters.items()]
    command = [
        *(sam, "deploy", "--config-file", str(ROOT / "samconfig.toml"), "--template-file", str(template)),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset"),
        *(*options, "--parameter-overrides", *overrides),
    ]
    return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode  # noqa: S603 -- SAM


if __name__ == "__main__":
    typer.run(deploy)

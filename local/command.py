"""The command behind `make run`: start the local stack, say where everything is, and run until Ctrl-C."""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from local.aws.execution_environment import CannotStart
from local.aws.template import UnsupportedTemplate
from local.console import ConsoleListener, banner
from local.invoke import ENVIRONMENT_FILE
from local.stack import LOCAL_FOLDER, LocalStack
from local.twilio_account import MissingCredentials
from twilio_emulator.server import CannotListen, run_until_interrupted
from twilio_emulator.state_file import StateFileNotSaved, StateFileUnusable

console = Console()


def main() -> None:
    """Run the command with the options of `sys.argv`."""
    typer.run(run)


def run(
    port: Annotated[int, typer.Option(envvar="PORT", help="The port of the HTTP API: /webhook.")] = 8080,
    twilio_port: Annotated[int, typer.Option(envvar="TWILIO_PORT", help="The port of the Twilio emulator.")] = 8081,
    host: Annotated[str, typer.Option(envvar="HOST", help="The address that all of it listens on.")] = "127.0.0.1",
    state: Annotated[
        Path | None, typer.Option(envvar="STATE", help="Go on from this file, and write the state to it at the end.")
    ] = None,
    *,
    script: Annotated[
        Path | None, typer.Option(envvar="SCRIPT", help="Answer by this script, instead of ASSISTANT_MODEL.")
    ] = None,
    logs: Annotated[bool, typer.Option("--logs", help="Print every line that the functions print.")] = False,
) -> None:
    """Run the Twilio emulator, the HTTP API, a local AWS and the functions, until Ctrl-C."""
    model = {"ASSISTANT_MODEL": f"script:{script}"} if script else {}
    environment = {**os.environ, **model}
    try:
        run_until_interrupted(
            partial(_run, environment, host=host, port=port, twilio_port=twilio_port, state=state, logs=logs)
        )
        console.print("ended")
    except (CannotListen, CannotStart, MissingCredentials, StateFileUnusable, UnsupportedTemplate) as error:
        _fail("Cannot start", error)
    except StateFileNotSaved as error:
        _fail("Ended, and the state was not kept", error)


def _fail(what: str, error: Exception) -> NoReturn:
    console.print(f"[red]{what}:[/red] {escape(str(error))}", soft_wrap=True, highlight=False)
    sys.exit(1)


def _run(
    environment: Mapping[str, str],
    wait: Callable[[], None],
    *,
    host: str,
    port: int,
    twilio_port: int,
    state: Path | None,
    logs: bool,
) -> None:
    began = time.monotonic()
    LOCAL_FOLDER.mkdir(exist_ok=True)
    log_path = LOCAL_FOLDER / f"functions-{port}.log"
    with log_path.open("a") as log:  # "a": another run may be writing it, until this one holds the port
        listener = ConsoleListener(console, log, logs=logs)
        stack = LocalStack(
            host=host,
            port=port,
            twilio_port=twilio_port,
            environment=environment,
            listener=listener,
            state_file=state,
        )
        with stack:
            log.truncate(0)
            environments = json.dumps(stack.environments, indent=2)
            try:
                ENVIRONMENT_FILE.write_text(environments)
                listener.start(banner(stack, log=log_path, seconds=time.monotonic() - began))
                wait()
            finally:
                if ENVIRONMENT_FILE.exists() and ENVIRONMENT_FILE.read_text() == environments:
                    ENVIRONMENT_FILE.unlink()

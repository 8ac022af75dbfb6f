"""`python -m local`: everything on one machine, until Ctrl-C."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Annotated, NoReturn, TextIO

import typer
from rich.console import Console
from rich.markup import escape

from local.console import Terminal, banner
from local.invoke import ENVIRONMENT_FILE
from local.stack import KEPT, LocalStack
from local.twilio_account import NoCredentials
from twilio_emulator.server import CannotListen
from twilio_emulator.state_file import StateFileNotSaved, StateFileUnusable

console = Console()


def run(
    port: Annotated[int, typer.Option(envvar="PORT", help="Of the front door: /webhook.")] = 8080,
    twilio_port: Annotated[int, typer.Option(envvar="TWILIO_PORT", help="Of the Twilio emulator.")] = 8081,
    host: Annotated[str, typer.Option(envvar="HOST", help="Where all of it listens.")] = "127.0.0.1",
    state: Annotated[Path | None, typer.Option(envvar="STATE", help="A file to go on from and to keep.")] = None,
    *,
    logs: Annotated[bool, typer.Option("--logs", help="Show every line the functions print.")] = False,
) -> None:
    """Run the Twilio emulator, the front door, a local AWS and the functions, until Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell started us in the background
    began = time.monotonic()
    KEPT.mkdir(exist_ok=True)
    log_path = KEPT / f"functions-{port}.log"
    try:
        with log_path.open("a") as log:  # another run's, until we know that the port is ours
            stack = LocalStack(
                host=host,
                port=port,
                twilio_port=twilio_port,
                environment=os.environ,
                watch=Terminal(console, log, logs=logs),
                state_file=state,
            )
            _run_until_interrupted(stack, log=log, log_path=log_path, began=began)
    except KeyboardInterrupt:
        console.print("ended")
    except (CannotListen, NoCredentials, StateFileUnusable) as error:
        _give_up("Cannot start", error)
    except StateFileNotSaved as error:
        _give_up("Ended, and the state was not kept", error)


def _give_up(what: str, error: Exception) -> NoReturn:
    console.print(f"[red]{what}:[/red] {escape(str(error))}", soft_wrap=True, highlight=False)
    sys.exit(1)


def _run_until_interrupted(stack: LocalStack, *, log: TextIO, log_path: Path, began: float) -> None:
    with stack:
        environments = json.dumps(stack.environments, indent=2)
        try:
            log.truncate(0)
            ENVIRONMENT_FILE.write_text(environments)
            console.print(
                banner(stack, log=log_path, seconds=time.monotonic() - began), soft_wrap=True, highlight=False
            )
            threading.Event().wait()
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave anything behind
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            if ENVIRONMENT_FILE.exists() and ENVIRONMENT_FILE.read_text() == environments:
                ENVIRONMENT_FILE.unlink()


if __name__ == "__main__":
    typer.run(run)

"""`python -m local`: everything on one machine, until Ctrl-C."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console
from rich.markup import escape

from local.identity import NoCredentials
from local.invoke import ENVIRONMENT_FILE
from local.serving import CannotListen
from local.stack import KEPT, LocalStack
from local.terminal import Terminal, banner

console = Console()


def run(
    port: Annotated[int, typer.Option(envvar="PORT", help="Of the front door: /webhook.")] = 8080,
    twilio_port: Annotated[int, typer.Option(envvar="TWILIO_PORT", help="Of the Twilio emulator.")] = 8081,
    host: Annotated[str, typer.Option(envvar="HOST", help="Where all of it listens.")] = "127.0.0.1",
    *,
    logs: Annotated[bool, typer.Option("--logs", help="Show every line the functions print.")] = False,
) -> None:
    """Run the Twilio emulator, the front door, a local AWS and the functions, until Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell started us in the background
    began = time.monotonic()
    KEPT.mkdir(exist_ok=True)
    log_path = KEPT / "functions.log"
    try:
        with log_path.open("w") as log:
            _run_until_interrupted(host, port, twilio_port, log=log, logs=logs, began=began)
    except KeyboardInterrupt:
        console.print("ended")
    except (CannotListen, NoCredentials) as error:
        console.print(f"[red]Cannot start:[/red] {escape(str(error))}", soft_wrap=True, highlight=False)
        sys.exit(1)
    finally:
        ENVIRONMENT_FILE.unlink(missing_ok=True)


def _run_until_interrupted(host: str, port: int, twilio_port: int, *, log: TextIO, logs: bool, began: float) -> None:
    terminal = Terminal(console, log, logs=logs)
    with LocalStack(host=host, port=port, twilio_port=twilio_port, environment=os.environ, watch=terminal) as stack:
        try:
            ENVIRONMENT_FILE.write_text(json.dumps(stack.environments, indent=2))
            console.print(
                banner(stack, log=Path(log.name), seconds=time.monotonic() - began), soft_wrap=True, highlight=False
            )
            threading.Event().wait()
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave anything behind
            signal.signal(signal.SIGTERM, signal.SIG_IGN)


if __name__ == "__main__":
    typer.run(run)

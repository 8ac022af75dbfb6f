"""The command behind `make run`: start the local stack, say where everything is, and run until Ctrl-C."""

import json
import os
import re
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from local.aws.execution_environment import CannotStart
from local.aws.template import UnsupportedTemplate
from local.console import ConsoleListener, banner
from local.invoke import ENVIRONMENT_FILE
from local.stack import LOCAL_FOLDER, ROOT, LocalStack
from local.twilio_account import MissingCredentials
from twilio_emulator.server import CannotListen, run_until_interrupted
from twilio_emulator.state_file import StateFileNotSaved, StateFileUnusable

QUICK_SECONDS = "25"  # of the agent function, where a model of this machine answers
OFFLINE = "offline"
AGENT = ROOT / "functions" / "agent"

console = Console()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """What the command was given; a run that is not `is_kept` leaves no log and no state."""

    environment: Mapping[str, str]
    host: str
    port: int
    twilio_port: int
    state: Path | None
    logs: bool
    browser: bool
    is_kept: bool


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
    browser: Annotated[bool, typer.Option("--open", envvar="OPEN", help="Open the page in a browser.")] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Open the page, and keep nothing: no state and no log.")] = False,
) -> None:
    """Run the page, the Twilio emulator, the HTTP API, a local AWS and the functions, until Ctrl-C."""
    model = {"ASSISTANT_MODEL": f"script:{script}"} if script else {}
    options = _Options(
        environment=with_agent_timeout({**os.environ, **model}, agent=AGENT),
        host=host,
        port=port,
        twilio_port=twilio_port,
        state=None if demo else state,
        logs=logs,
        browser=browser or demo,
        is_kept=not demo,
    )
    try:
        run_until_interrupted(partial(_run, options))
        console.print("ended")
    except (CannotListen, CannotStart, MissingCredentials, StateFileUnusable, UnsupportedTemplate) as error:
        _fail("Cannot start", error)
    except StateFileNotSaved as error:
        _fail("Ended, and the state was not kept", error)


def with_agent_timeout(environment: Mapping[str, str], *, agent: Path) -> Mapping[str, str]:
    """Return the environment with AGENT_TIMEOUT, unless it has one: a short one where no answer takes longer.

    With it, the customer of a killed worker is answered within a minute. What may take longer gets the time that it has
    in a deployment: a model of a provider; an assistant that brings its own, such as a function or an HTTP endpoint;
    and files, which the folder `agent` or another host has to send.
    """
    answers_at_once = environment.get("ASSISTANT_MODEL", OFFLINE).partition(":")[0] in {OFFLINE, "script", ""}
    has_files = any((agent / "files").glob("*")) or bool(environment.get("ALLOWED_LINK_HOSTS"))
    if environment.get("AGENT_TIMEOUT") or has_files or not answers_at_once or not _is_of_pydantic_ai(agent):
        return environment
    return {**environment, "AGENT_TIMEOUT": QUICK_SECONDS}


def _is_of_pydantic_ai(agent: Path) -> bool:
    """Tell whether assistant.py imports pydantic_ai: only such an assistant runs on the model of ASSISTANT_MODEL."""
    assistant = agent / "assistant.py"
    text = assistant.read_text() if assistant.exists() else ""
    return re.search(r"^(from|import) pydantic_ai\b", text, re.MULTILINE) is not None


def _fail(what: str, error: Exception) -> NoReturn:
    console.print(f"[red]{what}:[/red] {escape(str(error))}", soft_wrap=True, highlight=False)
    sys.exit(1)


def _run(options: _Options, wait: Callable[[], None]) -> None:
    began = time.monotonic()
    with _folder(options) as folder:
        log_path = folder / f"functions-{options.port}.log"
        with log_path.open("a") as log:  # "a": another run may be writing it, until this one holds the port
            listener = ConsoleListener(console, log, logs=options.logs)
            stack = LocalStack(
                host=options.host,
                port=options.port,
                twilio_port=options.twilio_port,
                environment=options.environment,
                listener=listener,
                state_file=options.state,
            )
            with stack:
                log.truncate(0)
                with _environment_file(stack) if options.is_kept else nullcontext():
                    listener.start(banner(stack, log=log_path, seconds=time.monotonic() - began))
                    if options.browser:
                        _open_page(stack.url)
                    wait()


@contextmanager
def _folder(options: _Options) -> Iterator[Path]:
    """Yield the folder for the log; that of a demo is gone at the end."""
    if options.is_kept:
        LOCAL_FOLDER.mkdir(exist_ok=True)
        yield LOCAL_FOLDER
        return
    with TemporaryDirectory(prefix="switchboard-") as folder:
        yield Path(folder)


@contextmanager
def _environment_file(stack: LocalStack) -> Iterator[None]:
    """Have `make invoke` find what this run runs, until its end."""
    environments = json.dumps(stack.environments, indent=2)
    try:
        ENVIRONMENT_FILE.write_text(environments)
        yield
    finally:
        if ENVIRONMENT_FILE.exists() and ENVIRONMENT_FILE.read_text() == environments:
            ENVIRONMENT_FILE.unlink()


def _open_page(url: str) -> None:
    """Open the page in the user's browser, in a thread: some browsers return only when they are closed."""

    def open_it() -> None:
        if not webbrowser.open(url):
            console.print(f"No browser was found: open {url}", soft_wrap=True, highlight=False)

    threading.Thread(target=open_it, daemon=True).start()

"""Run the Twilio emulator on its own. Any program that speaks HTTP can use it."""

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from twilio_emulator.emulator import Emulator
from twilio_emulator.server import CannotListen, Servers, listen, run_until_interrupted
from twilio_emulator.state_file import StateFileNotSaved, StateFileUnusable, locked


def main(prog: str) -> None:
    """Serve until Ctrl-C or SIGTERM; report a failure in one line. `prog` is how the command was typed."""
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--webhook", metavar="URL", help="send all post-event webhooks of the service to this URL")
    parser.add_argument(
        "--state",
        metavar="FILE",
        type=Path,
        help="load the state from this file, if it exists, and save it there on exit",
    )
    options = parser.parse_args()
    try:
        run_until_interrupted(partial(_serve, options))
        _print("Stopped")
    except (CannotListen, StateFileUnusable) as error:
        sys.exit(f"Cannot start: {error}")
    except StateFileNotSaved as error:
        sys.exit(f"Stopped, but could not save the state: {error}")


def _serve(options: argparse.Namespace, wait: Callable[[], None]) -> None:
    with ExitStack() as closing:
        listening = closing.enter_context(listen(options.host, options.port, port_option="--port"))
        if options.state:
            closing.enter_context(locked(options.state))
        emulator = Emulator(host=options.host, state_file=options.state)
        if options.webhook:
            emulator.set_webhook(options.webhook)
        closing.callback(Servers({listening: emulator.app}, at_end=emulator.aclose).close)
        port = listening.getsockname()[1]
        _print(f"The Twilio emulator listens on http://{options.host}:{port}. Press Ctrl-C to stop it.")
        wait()


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 -- the command line's output

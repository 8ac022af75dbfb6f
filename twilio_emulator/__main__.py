"""Run the Twilio emulator on its own. Any program that speaks HTTP can use it."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from twilio_emulator import Emulator
from twilio_emulator.server import CannotListen, Servers, listen
from twilio_emulator.state_file import StateFileNotSaved, StateFileUnusable


def main() -> None:
    """Serve until Ctrl-C or SIGTERM; report a failure in one line."""
    parser = argparse.ArgumentParser(prog="python -m twilio_emulator", description=__doc__)
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
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A shell ignores SIGINT in programs that it starts in the background; set the handler there, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _serve_until_interrupted(options)
    except KeyboardInterrupt:
        _print("Stopped")
    except (CannotListen, StateFileUnusable) as error:
        sys.exit(f"Cannot start: {error}")
    except StateFileNotSaved as error:
        sys.exit(f"Stopped, but could not save the state: {error}")


def _serve_until_interrupted(options: argparse.Namespace) -> None:
    with listen(options.host, options.port) as listening:
        emulator = Emulator(state_file=options.state)
        if options.webhook:
            emulator.set_webhook(options.webhook)
        servers = Servers({listening: emulator.app}, at_end=emulator.aclose)
        try:
            port = listening.getsockname()[1]
            _print(f"The Twilio emulator listens on http://{options.host}:{port}. Press Ctrl-C to stop it.")
            threading.Event().wait()
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not interrupt saving the state
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            servers.close()


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 -- the command line's output


if __name__ == "__main__":
    main()

"""`python -m twilio_emulator`: the emulator alone, for any language."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from twilio_emulator import Emulator
from twilio_emulator.server import CannotListen, Servers, listen
from twilio_emulator.state_file import NotKept, Unusable


def main() -> None:
    """Serve until Ctrl-C; what cannot be is told in one line."""
    parser = argparse.ArgumentParser(prog="python -m twilio_emulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--webhook", metavar="URL", help="where all webhooks of the service go")
    parser.add_argument("--state", metavar="FILE", type=Path, help="go on from this file, and keep the state in it")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell started us in the background
    try:
        _serve_until_interrupted(chosen)
    except KeyboardInterrupt:
        _say("ended")
    except (CannotListen, Unusable) as error:
        sys.exit(f"Cannot start: {error}")
    except NotKept as error:
        sys.exit(f"Ended, and the state was not kept: {error}")


def _serve_until_interrupted(chosen: argparse.Namespace) -> None:
    with listen(chosen.host, chosen.port) as listening:
        emulator = Emulator(state_file=chosen.state)
        if chosen.webhook:
            emulator.set_webhook(chosen.webhook)
        servers = Servers({listening: emulator.app}, at_end=emulator.aclose)
        try:
            _say(f"Twilio, emulated, on http://{chosen.host}:{listening.getsockname()[1]}. Ctrl-C ends it.")
            threading.Event().wait()
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave anything behind
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            servers.close()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 -- a command says where it is


if __name__ == "__main__":
    main()

"""`python -m twilio_emulator`: the emulator alone, for any language."""

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from twilio_emulator import Emulator
from twilio_emulator.server import CannotListen, Servers, listen, run_until_interrupted
from twilio_emulator.state_file import NotKept, Unusable, locked


def main() -> None:
    """Serve until Ctrl-C; what cannot be is told in one line."""
    parser = argparse.ArgumentParser(prog="python -m twilio_emulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--webhook", metavar="URL", help="where all webhooks of the service go")
    parser.add_argument("--state", metavar="FILE", type=Path, help="go on from this file, and keep the state in it")
    chosen = parser.parse_args()
    try:
        run_until_interrupted(partial(_serve, chosen))
        _say("ended")
    except (CannotListen, Unusable) as error:
        sys.exit(f"Cannot start: {error}")
    except NotKept as error:
        sys.exit(f"Ended, and the state was not kept: {error}")


def _serve(chosen: argparse.Namespace, wait: Callable[[], None]) -> None:
    with ExitStack() as closing:
        listening = closing.enter_context(listen(chosen.host, chosen.port, port_option="--port"))
        if chosen.state:
            closing.enter_context(locked(chosen.state))
        emulator = Emulator(state_file=chosen.state)
        if chosen.webhook:
            emulator.set_webhook(chosen.webhook)
        closing.callback(Servers({listening: emulator.app}, at_end=emulator.aclose).close)
        _say(f"Twilio, emulated, on http://{chosen.host}:{listening.getsockname()[1]}. Ctrl-C ends it.")
        wait()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 -- a command says where it is


if __name__ == "__main__":
    main()

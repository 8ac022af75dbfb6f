"""`twilio-emulator` and `python -m twilio_emulator`: run the emulator on its own, until Ctrl-C."""

import signal


def run(prog: str = "twilio-emulator") -> None:
    """Run the command. An installed package calls this as `twilio-emulator`."""
    # The imports take half a second. Ctrl-C ends the process at once meanwhile, instead of printing a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from twilio_emulator.command import main  # noqa: PLC0415 -- see above

    main(prog)


if __name__ == "__main__":
    run("python -m twilio_emulator")

"""`python -m twilio_emulator`: run the emulator on its own, until Ctrl-C."""

import signal

if __name__ == "__main__":
    # The imports take half a second. Ctrl-C ends the process at once meanwhile, instead of printing a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from twilio_emulator.command import main

    main()

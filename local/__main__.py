"""`python -m local`: run everything on one machine, until Ctrl-C."""

import signal

if __name__ == "__main__":
    # The imports take a second. Ctrl-C ends the process at once meanwhile, instead of printing a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from local.command import main

    main()

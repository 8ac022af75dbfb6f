"""The process of the local AWS: ministack on a socket that its parent opened, gone as soon as its parent is.

Started as a script with the number of the listening socket; standard input is a pipe whose other end only the parent
holds, so that its end tells of the parent's death, by whatever signal.
"""

import asyncio
import os
import sys
import threading


def _leave_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_leave_with_parent, daemon=True).start()

    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    config = Config()
    config.bind = [f"fd://{sys.argv[1]}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    asyncio.run(serve(app, config))

"""The process of the local AWS: ministack, serving a socket that its parent opened.

The argument is the file descriptor of the listening socket. Standard input is a pipe whose other end only the parent
holds: when the parent ends, by whatever signal, the pipe closes and this process ends.
"""

import asyncio
import os
import sys
import threading


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()

    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    config = Config()
    config.bind = [f"fd://{sys.argv[1]}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    asyncio.run(serve(app, config))

"""`python -m local.twilio`: the emulator alone, for any language."""

import argparse
import asyncio

import uvicorn

from local.twilio import Emulator


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m local.twilio", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--webhook", metavar="URL", help="where all webhooks of the service go")
    chosen = parser.parse_args()
    emulator = Emulator()
    if chosen.webhook:
        emulator.set_webhook(chosen.webhook)
    server = uvicorn.Server(
        uvicorn.Config(emulator.app, host=chosen.host, port=chosen.port, log_level="warning", lifespan="off")
    )
    asyncio.run(_serve(server, emulator))


async def _serve(server: uvicorn.Server, emulator: Emulator) -> None:
    try:
        await server.serve()
    finally:
        await emulator.aclose()


if __name__ == "__main__":
    main()

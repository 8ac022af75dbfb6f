"""The webhook in FastAPI: beside `make run`, `.venv/bin/python examples/fastapi_app.py`. It needs fastapi, uvicorn."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from switchboard import Provider, Question

PORT = int(os.environ.get("PORT", "8000"))
URL = os.environ.get("WEBHOOK_URL", f"http://127.0.0.1:{PORT}/webhook")

twilio = Provider.from_env() if "TWILIO_ACCOUNT_SID" in os.environ else Provider.local()


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Start the provider before the first request, and stop it after the last."""
    await run_in_threadpool(twilio.start)
    await run_in_threadpool(twilio.configure_webhook, URL)
    yield
    await run_in_threadpool(twilio.stop)


app = FastAPI(lifespan=lifespan)


def agent(question: Question) -> str:
    """Answer all messages that wait; ask your model here. It may also be `async def`."""
    return f"You wrote: {' / '.join(question.messages)}"


@app.post("/webhook")
async def webhook(request: Request) -> Response:
    """Give the assistant what Twilio tells. The call writes to the store, so it runs in a thread."""
    await request.body()
    return Response(status_code=await run_in_threadpool(twilio.handle_webhook, request, agent))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # after uvicorn's own shutdown, ends it as Ctrl-C does
    uvicorn.run(app, port=PORT)

"""The plain handler, as the usual guide writes it: a webhook comes, the assistant is asked, its answer is sent.

All of it happens in the request, in one process. The storm of the page compares Switchboard with it, so it is as good
as such code is: it checks the signature, leaves its own messages alone, works on many requests side by side, answers
200 when it is done and 500 where something raised. Twilio waits 5 s for it and does not call again: so it is for every
webhook of Conversations. Where Twilio no longer waits, the request is finished all the same.

It asks the same assistant as Switchboard does, that of functions/agent on the same model, so a thought takes as long.
What it lacks is what such code lacks: it keeps nothing of what it has seen, so a webhook that comes twice is answered
twice; it sends once, so an error of Twilio's is the end; and what no webhook told it, nobody looks for.

The listening socket belongs to whoever started it. Where its process is killed, the requests in flight end; another one
takes the socket over, and who calls meanwhile waits there, as with the workers of a web server.
"""

import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit
from uuid import uuid4

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from local.scripted_model import register
from switchboard.agent import Question
from switchboard.agents.keys import Keys
from switchboard.bootstrap.agent import declared_assistant

TIMEOUT_SECONDS = 60.0  # for one answer

type Ask = Callable[[str], str]


def plain_handler(ask: Ask, *, webhook_url: str, twilio_url: str, account: tuple[str, str, str]) -> Starlette:
    """Return the web application; `account` has the account's SID, its auth token and the SID of the service."""
    account_sid, auth_token, service_sid = account
    validator = RequestValidator(auth_token)
    twilio = Client(account_sid, auth_token, http_client=_HttpClient(twilio_url))
    conversations = twilio.conversations.v1.services(service_sid).conversations

    def answer(message: dict[str, str]) -> None:
        reply = ask(message["Body"])
        if reply:
            conversations(message["ConversationSid"]).messages.create(author="assistant", body=reply)

    async def webhook(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        if not validator.validate(webhook_url, form, request.headers.get("X-Twilio-Signature", "")):
            return Response(status_code=403)
        if form["EventType"] == "onMessageAdded" and form.get("Source") != "API":
            await run_in_threadpool(answer, form)
        return Response()

    return Starlette(routes=[Route("/webhook", webhook, methods=["POST"])])


class _HttpClient(TwilioHttpClient):  # type: ignore[misc]  # the package has no types
    """The package's own client, which finds Twilio where the emulator is."""

    def __init__(self, twilio_url: str) -> None:
        super().__init__()
        self._emulator = urlsplit(twilio_url)

    def request(self, method: str, url: str, *args: Any, **named: Any) -> Any:  # noqa: ANN401 -- passed through
        """Send a request, and return what the package returns."""
        moved = urlsplit(url)._replace(scheme=self._emulator.scheme, netloc=self._emulator.netloc)
        return super().request(method, urlunsplit(moved), *args, **named)


def assistant_of(folder: Path) -> Ask:
    """Return what asks the assistant of a folder, on the model that the environment names."""
    register()
    agent = declared_assistant(folder).agent(
        model=os.environ["ASSISTANT_MODEL"],
        fallback_model=os.environ.get("ASSISTANT_FALLBACK_MODEL", ""),
        keys=Keys(environment=os.environ),
    )

    def ask(text: str) -> str:
        question = Question(turn=uuid4().hex, history=(), messages=(text,), timeout_seconds=TIMEOUT_SECONDS)
        said = agent.answer(question)
        return "" if said.no_reply else said.text

    return ask


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main(descriptor: int, webhook_url: str, twilio_url: str, *account: str) -> None:
    """Serve a listening socket until the process ends, or the other end of its standard input closes."""
    account_sid, auth_token, service_sid = account
    handler = plain_handler(
        assistant_of(Path.cwd()),
        webhook_url=webhook_url,
        twilio_url=twilio_url,
        account=(account_sid, auth_token, service_sid),
    )
    threading.Thread(target=_end_with_parent, daemon=True).start()
    server = uvicorn.Server(uvicorn.Config(handler, lifespan="off", log_level="critical", access_log=False))
    server.run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])

"""A human's desk: who waits, and the calls of an operator's program, as the library has them (docs/handoff.md)."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.page import desk_words
from local.page.board import Board, rows
from local.page.desk_notices import DeskNotices
from local.page.live import Changes, live
from local.page.talks import Talks
from local.twilio_account import TwilioAccount
from switchboard.aws.dynamodb.client import ConversationsTable
from switchboard.aws.dynamodb.lifecycle_store import LifecycleStore
from switchboard.aws.dynamodb.owner_index import OwnerIndex
from switchboard.aws.sqs.queue import Queue
from switchboard.errors import SwitchboardError
from switchboard.operators import Operators
from switchboard.settings import LifecycleSettings, lifecycle_settings
from switchboard.twilio.rest.conversations import Conversations
from switchboard.twilio.rest.messages import Messages
from switchboard.twilio.rest.services import Service, connect
from twilio_emulator import Emulator

HUMAN = "robin"  # the name under which the desk's human writes
MAX_ROWS = 100  # besides the conversations that humans own, which are all there
MAX_BODY_BYTES = 128 * 1024

type Said = tuple[bool, str]  # whether it was done, and what to say of it


class Desk:
    """The desk's routes. Reading Twilio's side happens in the event loop, everything else in threads.

    `client` makes a client of the local AWS, `environment` is the lifecycle function's.
    """

    def __init__(
        self,
        *,
        emulator: Emulator,
        client: Callable[[str], Any],
        environment: Mapping[str, str],
        account: TwilioAccount,
        notices_url: str,
        changes: Changes,
    ) -> None:
        settings = lifecycle_settings(environment)
        self._emulator = emulator
        self._changes = changes
        self._rules = settings.author_rules
        self._began_at = emulator.clock()
        self._service = connect(
            account_sid=account.account_sid,
            service_sid=account.service_sid,
            credentials=(account.account_sid, account.auth_token),
            base_url=settings.twilio_base_url,
        )
        self._board = Board(table=ConversationsTable(client=client("dynamodb"), name=settings.conversations_table))
        self._notices = DeskNotices(sqs=client("sqs"), queue_url=notices_url)
        self._operators = _operators(settings, client, self._service, self._board.table, clock=emulator.clock)

    def routes(self) -> list[Route]:
        """Return the routes, to be mounted under /_page."""
        return [
            Route("/desk", self._now, methods=["GET"]),
            Route("/desk/events", self._events, methods=["GET"]),
            Route("/desk/hand-back-all", self._hand_back_all, methods=["POST"]),
            Route("/desk/{sid}/story", self._story, methods=["GET"]),
            Route("/desk/{sid}/say", self._say, methods=["POST"]),
            Route("/desk/{sid}/take", self._action(self._take), methods=["POST"]),
            Route("/desk/{sid}/hand-back", self._action(self._hand_back), methods=["POST"]),
            Route("/desk/{sid}/close", self._action(self._close), methods=["POST"]),
        ]

    def close(self) -> None:
        """Close the connections to Twilio."""
        self._service.stop()

    async def read(self) -> dict[str, object]:
        """Return the desk as it is now."""
        try:
            owned = await run_in_threadpool(lambda: set(self._operators.owners.owned_by_humans()))
            talks = {talk.sid: talk for talk in (*self._talks.newest(MAX_ROWS), *self._talks.of(owned))}
            conversations = await run_in_threadpool(self._board.conversations, list(talks))
            notices = await run_in_threadpool(self._notices.read)
        except (BotoCoreError, ClientError, SwitchboardError):  # a fault that somebody switched on, or the stack ends
            return {"error": "The table cannot be read at the moment."}
        # The conversations of events/webhook, which `make invoke` answers, are nobody's here until they have an item.
        shown = [talk for talk in talks.values() if talk.sid in conversations or talk.last_at >= self._began_at]
        return {
            "human": HUMAN,
            "conversations": rows(shown, conversations, now=self._emulator.clock()),
            "notices": [asdict(notice) for notice in notices],
            "ahead_seconds": self._emulator.clock.ahead.total_seconds(),
        }

    @property
    def _talks(self) -> Talks:
        return Talks(state=self._emulator.backend.state, rules=self._rules)

    async def _now(self, _request: Request) -> Response:
        return JSONResponse(await self.read())

    async def _events(self, _request: Request) -> Response:
        return live(self._changes, self.read)

    async def _story(self, request: Request) -> Response:
        try:
            story = await run_in_threadpool(self._board.story, request.path_params["sid"])
        except SwitchboardError:
            return JSONResponse([])
        return JSONResponse(story)

    def _action(self, act: Callable[[str], Said]) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            sid: str = request.path_params["sid"]
            if act != self._close and self._is_closed(sid):
                return await self._answer(lambda: (False, desk_words.CLOSED), sid)
            return await self._answer(lambda: act(sid), sid)

        return handle

    async def _say(self, request: Request) -> Response:
        sid: str = request.path_params["sid"]
        is_closed, text = self._is_closed(sid), await _text(request)
        sent: list[str] = []

        def say() -> Said:
            if is_closed or not text.strip():
                return False, desk_words.CLOSED if is_closed else "Write something first."
            sent.append(self._operators.say(sid, human=HUMAN, text=text).message_sid)
            return True, desk_words.SENT

        answer = await self._answer(say, sid)
        code = self._talks.error_code(sent[0]) if sent else None
        return answer if code is None else _said(ok=False, words=f"Not delivered. {desk_words.why_undelivered(code)}")

    async def _hand_back_all(self, _request: Request) -> Response:
        return await self._answer(lambda: desk_words.handed_back_of(self._operators.hand_back_all()), "")

    async def _answer(self, act: Callable[[], Said], sid: str) -> Response:
        """Do it in a thread, and say what became of it."""
        try:
            ok, words = await run_in_threadpool(act)
        except SwitchboardError as error:
            ok, words = False, desk_words.error_of(error, conversation_sid=sid)
        self._changes.tell()
        return _said(ok=ok, words=words)

    def _is_closed(self, sid: str) -> bool:
        return any(talk.state == "closed" for talk in self._talks.of({sid}))

    def _take(self, sid: str) -> Said:
        return desk_words.outcome_of(self._operators.take(sid, human=HUMAN), done=desk_words.TOOK)

    def _hand_back(self, sid: str) -> Said:
        return desk_words.outcome_of(self._operators.hand_back(sid), done=desk_words.GAVE_BACK)

    def _close(self, sid: str) -> Said:
        self._operators.close(sid)
        return True, "Closed."


def _operators(
    settings: LifecycleSettings,
    client: Callable[[str], Any],
    service: Service,
    table: ConversationsTable,
    *,
    clock: Callable[[], Any],
) -> Operators:
    """Return production's own calls, on Twilio's clock: the emulator's may be ahead."""
    return Operators(
        conversations=LifecycleStore(table=table),
        owners=OwnerIndex(table=table),
        messenger=Messages(service=service, author_rules=settings.author_rules),
        display=Conversations(service=service),
        requeue=Queue(client=client("sqs"), url=settings.messages_queue_url),
        author_rules=settings.author_rules,
        clock=clock,
    )


async def _text(request: Request) -> str:
    """Return the field `text` of a JSON body, empty where there is none."""
    body = await request.body()
    try:
        values = json.loads(body[:MAX_BODY_BYTES])
    except ValueError:
        return ""
    text = values.get("text") if isinstance(values, dict) else None
    return text if isinstance(text, str) else ""


def _said(*, ok: bool, words: str) -> Response:
    """Return what became of it; always 200, because a browser reports every other status as an error of the page."""
    return JSONResponse({"ok": ok, "said": words})

"""What the pane "Behind the phones" asks: a conversation as it happens, what is known of each thing, and replays."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from local.page.changes import stream
from local.page.conversation_view import ConversationView
from local.page.eval_case import eval_case
from local.page.question import PastTurn, calls_of, past_turn
from local.page.recorder import Kind
from local.page.replay import Replay

NOT_KEPT = "It is not kept any more: only the newest 500 things of a conversation are."
NO_RECORD = "This turn has no record: nothing of it was settled."


def behind_routes(view: ConversationView, replay: Replay) -> Sequence[BaseRoute]:
    """Return the routes of the pane, below /_page/behind."""
    behind = _Behind(view, replay)
    return [
        Mount(
            "/behind/{sid}",
            routes=[
                Route("/live", behind.live),
                Route("/facts/{number:int}", behind.facts),
                Route("/stored", behind.stored),
                Route("/webhooks/{number:int}/again", behind.send_again, methods=["POST"]),
                Route("/turns/{turn}/ask", behind.ask_again, methods=["POST"]),
                Route("/turns/{turn}/case", behind.case),
            ],
        )
    ]


@dataclass(frozen=True, slots=True)
class _Behind:
    view: ConversationView
    replay: Replay

    async def live(self, request: Request) -> Response:
        """Stream the conversation, at first and after each change."""
        sid, turn = request.path_params["sid"], request.query_params.get("turn", "")
        return stream(self.view.recorder.changes, sid, lambda: self.view.of(sid, turn=turn))

    async def facts(self, request: Request) -> Response:
        """Return everything that is known of one thing that happened."""
        facts = self.view.facts(request.path_params["sid"], request.path_params["number"])
        return _json(facts) if facts else _gone(NOT_KEPT)

    async def stored(self, request: Request) -> Response:
        """Return the conversation's item, and a turn's record."""
        sid, turn = request.path_params["sid"], request.query_params.get("turn", "")
        return _json(await run_in_threadpool(lambda: self.view.stored(sid, turn=turn)))

    async def send_again(self, request: Request) -> Response:
        """Send a webhook again, and return what became of it."""
        happened = self.view.recorder.find(request.path_params["sid"], request.path_params["number"])
        if happened is None or happened.kind not in {Kind.WEBHOOK, Kind.LOST}:
            return _gone(NOT_KEPT)
        return _json(await self.replay.webhook(happened))

    async def ask_again(self, request: Request) -> Response:
        """Ask the assistant a turn's question again, and return both answers."""
        turn = await self._turn(request)
        if turn is None:
            return _gone(NO_RECORD)
        now = await self.replay.ask(turn, conversation_sid=request.path_params["sid"])
        return _json({"said": turn.record.said, "then": _then(turn), "now": now})

    async def case(self, request: Request) -> Response:
        """Return a turn as the text of an eval case."""
        turn = await self._turn(request)
        if turn is None:
            return _gone(NO_RECORD)
        text = eval_case(
            history=turn.history,
            said=turn.record.said,
            kind=turn.record.kind or "",
            rule=turn.record.rule,
            answer=turn.answer,
            calls=calls_of(self.view.recorder.of(request.path_params["sid"]), turn.record.turn),
        )
        return _json({"yaml": text})

    async def _turn(self, request: Request) -> PastTurn | None:
        items = await run_in_threadpool(self.view.table.items, request.path_params["sid"])
        return past_turn(items, request.path_params["turn"])


def _then(turn: PastTurn) -> dict[str, object]:
    return {
        "text": turn.answer,
        "handoff": turn.record.kind == "handoff",
        "no_reply": turn.record.rule == "no_reply",
    }


def _json(content: object) -> Response:
    return JSONResponse(content, headers={"Cache-Control": "no-store"})


def _gone(why: str) -> Response:
    return JSONResponse({"error": why}, status_code=404)

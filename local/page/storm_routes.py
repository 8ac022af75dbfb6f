"""What the page asks about the storm: start, stop, how it stands, a conversation, and the plain handler's code."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from local.page.storm import WEATHER, CannotBegin, Course, Phase, Storm
from local.page.storm_sides import Sent, Side

NAIVE = Path(__file__).parents[1] / "naive.py"
LETTERS = {"waiting": ".", "answered": "a", "doubled": "d", "lost": "l"}


class StartStorm(BaseModel):
    """How many texts are sent; without a seed, a new one is drawn."""

    model_config = ConfigDict(extra="forbid", strict=True)

    messages: int = Field(default=80, ge=2, le=400)
    seed: int | None = Field(default=None, ge=0, lt=2**32)


def storm_routes(storm: Storm) -> list[BaseRoute]:
    """Return the routes under /storm."""
    routes = _Routes(storm)
    return [
        Mount(
            "/storm",
            routes=[
                Route("/", routes.show, methods=["GET"]),
                Route("/", routes.start, methods=["POST"]),
                Route("/", routes.stop, methods=["DELETE"]),
                Route("/{side}/conversations/{sid}", routes.conversation, methods=["GET"]),
                Route("/naive.py", routes.code, methods=["GET"]),
            ],
        )
    ]


class _Routes:
    def __init__(self, storm: Storm) -> None:
        self._storm = storm

    async def show(self, _request: Request) -> Response:
        """Return how the storm stands."""
        return self._shown()

    async def start(self, request: Request) -> Response:
        """Begin a storm: 202, or 409 with the reason."""
        try:
            wanted = StartStorm.model_validate_json(await request.body() or b"{}")
        except ValidationError:
            return JSONResponse({"message": "messages must be a number from 2 to 400"}, 422)
        try:
            await self._storm.start(messages=wanted.messages, seed=wanted.seed)
        except CannotBegin as error:
            return JSONResponse({"message": str(error)}, 409)
        return self._shown(202)

    async def stop(self, _request: Request) -> Response:
        """End the storm; the weather is good again once this has answered."""
        await self._storm.stop()
        return self._shown()

    async def conversation(self, request: Request) -> Response:
        """Return what was said in a conversation of the last storm."""
        course = self._storm.course
        side = {"plain": course.plain, "switchboard": course.switchboard}.get(request.path_params["side"])
        thread = side.thread(request.path_params["sid"]) if side else None
        if thread is None:
            return JSONResponse({"message": "The last storm has no such conversation."}, 404)
        return JSONResponse(thread)

    async def code(self, _request: Request) -> Response:
        """Return the code of the plain handler."""
        return FileResponse(NAIVE, media_type="text/plain")

    def _shown(self, status: int = 200) -> Response:
        model = self._storm.stack.environments["AgentFunction"]["ASSISTANT_MODEL"]
        return JSONResponse({**course_as_json(self._storm.course), "model": model}, status)


def course_as_json(course: Course) -> dict[str, object]:
    """Return how a storm stands: the counts of both sides, what struck them, and what is doubled or lost."""
    sides = {"plain": course.plain, "switchboard": course.switchboard}
    is_counted = course.phase is Phase.DONE
    return {
        "phase": course.phase,
        "note": course.note,
        "messages": course.messages,
        "customers": course.customers,
        "seed": course.seed,
        "seconds": course.seconds,
        "is_settled": course.is_settled,
        "counted_by": course.questions.counted_by,
        "weather": [
            {"what": what, **{name: _struck(side, number) for name, side in sides.items()}}
            for number, what in enumerate(WEATHER)
        ],
        "sides": {name: _side_as_json(side, is_counted=is_counted) for name, side in sides.items()},
    }


def _struck(side: Side | None, number: int) -> int:
    return side.faults[number].times_triggered if side and side.faults else 0


def _side_as_json(side: Side | None, *, is_counted: bool) -> dict[str, object]:
    """Return each text of a side with what became of it; before the end, what has no answer waits for one."""
    found = [(sent, side.answers(sent)) for sent in side.sent] if side else []
    states = [_state(times, is_counted=is_counted) for _, times in found]
    return {
        "messages": len(found),
        "answered": sum(times > 0 for _, times in found),
        "doubled": states.count("doubled"),
        "lost": states.count("lost"),
        "waiting": states.count("waiting"),
        "texts": "".join(LETTERS[state] for state in states),
        "findings": [
            _finding(sent, times)
            for (sent, times), state in zip(found, states, strict=True)
            if state in {"doubled", "lost"}
        ],
    }


def _state(times: int, *, is_counted: bool) -> str:
    if times > 1:
        return "doubled"
    return "answered" if times else "lost" if is_counted else "waiting"


def _finding(sent: Sent, times: int) -> dict[str, object]:
    return {
        "what": "doubled" if times else "lost",
        "times": times,
        "customer": sent.text.customer,
        "body": sent.text.body,
        "conversation": sent.conversation_sid,
        "index": sent.index,
    }

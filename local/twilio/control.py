"""/_emulator: the customers' side, for which Twilio has no API."""

import json
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.twilio.exceptions import INVALID_PARAMETER, TwilioError
from local.twilio.models import inbound
from local.twilio.models.records import Arrived
from local.twilio.models.world import World
from local.twilio.rest import body


class Inbound(BaseModel):
    """A text as a customer's phone, or with `to` = `chat` a visitor's browser, sends it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sender: str = Field(alias="from", min_length=1, max_length=256)
    to: str = Field(min_length=1, max_length=256)
    body: str = ""


class Control:
    """Answers what tests and people ask the emulator itself. No credentials: it listens on this machine."""

    def __init__(self, *, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Return the routes, to be mounted under /_emulator."""
        return [
            Route("/inbound", self.inbound, methods=["POST"]),
            Route("/inbox", self.inbox, methods=["GET"]),
        ]

    async def inbound(self, request: Request) -> Response:
        """Take a customer's text."""
        text = await read(request, Inbound)
        message = inbound.text(self._world, sender=text.sender, to=text.to, body=text.body)
        return JSONResponse(
            {"conversation_sid": message.conversation_sid, "message_sid": message.sid}, HTTPStatus.ACCEPTED
        )

    async def inbox(self, request: Request) -> Response:
        """Return what reached a phone or an identity, oldest first."""
        address = request.query_params.get("address", "")
        return JSONResponse([_arrived(each) for each in self._world.state.inboxes.get(address, {}).values()])


async def read[Model: BaseModel](request: Request, model: type[Model]) -> Model:
    """Return a JSON body as `model` describes it; 20422 where it is something else."""
    try:
        return model.model_validate(json.loads(await body(request)))
    except (ValidationError, ValueError, RecursionError) as error:
        raise TwilioError(INVALID_PARAMETER, f"Invalid body: {str(error)[:500]}") from None


def _arrived(arrived: Arrived) -> dict[str, str]:
    return {
        "conversation_sid": arrived.conversation_sid,
        "message_sid": arrived.message_sid,
        "body": arrived.body,
        "author": arrived.author,
        "status": arrived.status,
        "at": arrived.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }

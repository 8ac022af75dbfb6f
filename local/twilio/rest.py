"""The REST API as an ASGI endpoint: route, credentials, parameters, response; errors in Twilio's form."""

from datetime import timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.twilio.clock import Clock
from local.twilio.credentials import Credentials
from local.twilio.exceptions import INVALID_PARAMETER, METHOD_NOT_ALLOWED, TwilioError, not_found
from local.twilio.faults import REST_KINDS, Faults, Kind
from local.twilio.misbehaving import Misbehaving
from local.twilio.models.world import World
from local.twilio.responses import form
from local.twilio.responses.call import Answer, Call
from local.twilio.urls import match

MOST_BODY_BYTES = 1024 * 1024


class Rest:
    """Answers REST calls of one account."""

    def __init__(self, *, world: World, clock: Clock, credentials: Credentials, faults: Faults) -> None:
        self._world = world
        self._credentials = credentials
        self._faults = faults
        self._misbehaving = Misbehaving(clock=clock)

    async def __call__(self, request: Request) -> Response:
        """Answer one request; nothing a client sends makes this a 5xx, unless a fault does."""
        route = match(request.url.path)
        if route is None:
            raise not_found(request.url.path)
        self._credentials.check(request.headers.get("authorization", ""))
        respond = route.methods.get(request.method)
        if respond is None:
            raise TwilioError(METHOD_NOT_ALLOWED)
        subject = f"{request.method} {request.url.path}"
        lag = self._faults.strike({Kind.LIST_LAG}, subject)
        call = Call(
            world=self._world,
            origin_url=f"{request.url.scheme}://{request.url.netloc}",
            path=request.url.path,
            parts=route.parts,
            query=form.parse(request.url.query),
            form=form.parse(await body(request)),
            webhook_enabled=request.headers.get("x-twilio-webhook-enabled", "").lower() == "true",
            lists_lag=timedelta(seconds=lag.seconds) if lag else timedelta(),
        )
        if fault := self._faults.strike(REST_KINDS, subject):
            return await self._misbehaving.end(fault, partial(respond, call))
        return response(await respond(call))

    async def aclose(self) -> None:
        """End what runs in the background."""
        await self._misbehaving.aclose()


async def body(request: Request) -> str:
    """Return a request's body as text; 20422 where it is too large or no UTF-8."""
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > MOST_BODY_BYTES:
            raise TwilioError(INVALID_PARAMETER, f"The body has more than {MOST_BODY_BYTES} bytes")
    try:
        return read.decode()
    except UnicodeDecodeError:
        raise TwilioError(INVALID_PARAMETER, "The body is no UTF-8") from None


def response(answer: Answer) -> Response:
    """Return the HTTP response of an answer."""
    return Response(status_code=answer.status) if answer.body is None else JSONResponse(answer.body, answer.status)

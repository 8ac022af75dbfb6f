"""The REST API as an ASGI endpoint: route, credentials, parameters, response; errors in Twilio's form."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twilio_emulator.clock import Clock
from twilio_emulator.exceptions import INVALID_PARAMETER, METHOD_NOT_ALLOWED, TwilioError, not_found
from twilio_emulator.faults.armed import REST_KINDS, Faults, Kind
from twilio_emulator.faults.rest_faults import Misbehaving
from twilio_emulator.models.backend import World
from twilio_emulator.responses import parameters
from twilio_emulator.responses.parameters import Form
from twilio_emulator.responses.request import Answer, Call
from twilio_emulator.rest.credentials import Credentials
from twilio_emulator.rest.rate_limits import Rates
from twilio_emulator.rest.urls import TAKE_ANY_BODY, match
from twilio_emulator.webhooks.pre_webhooks import Asking

MOST_FORM_BYTES = 1024 * 1024
MOST_MEDIA_BYTES = 150 * 1024 * 1024  # Twilio's own limit on chat media


class Rest:
    """Answers REST calls of one account."""

    def __init__(
        self, *, world: World, clock: Clock, credentials: Credentials, faults: Faults, rates: Rates, asking: Asking
    ) -> None:
        self._world = world
        self._credentials = credentials
        self._faults = faults
        self._rates = rates
        self._asking = asking
        self._misbehaving = Misbehaving(clock=clock)

    async def __call__(self, request: Request) -> Response:
        """Answer one request; nothing a client sends makes this a 5xx, unless a fault does."""
        path, method = request.url.path, request.method
        route = match(path)
        if route is None:
            raise not_found(path)
        self._credentials.check(request.headers.get("authorization", ""))
        respond = route.methods.get(method)
        if respond is None:
            raise TwilioError(METHOD_NOT_ALLOWED)
        call = await self._call(request, route.parts, takes_form=respond not in TAKE_ANY_BODY)
        if fault := self._faults.strike(REST_KINDS, f"{method} {path}"):
            return await self._misbehaving.end(fault, partial(respond, call))
        self._rates.count(method, path, route.parts)
        return response(await respond(call))

    async def aclose(self) -> None:
        """End what runs in the background."""
        await self._misbehaving.aclose()

    async def _call(self, request: Request, parts: Mapping[str, str], *, takes_form: bool) -> Call:
        path = request.url.path
        content = await read(request, most=MOST_FORM_BYTES if takes_form else MOST_MEDIA_BYTES)
        lag = self._faults.strike({Kind.LIST_LAG}, f"{request.method} {path}")
        return Call(
            world=self._world,
            origin_url=f"{request.url.scheme}://{request.url.netloc}",
            path=path,
            parts=parts,
            query=parameters.parse(request.url.query),
            form=parameters.parse(text_of(content)) if takes_form else Form({}),
            content=content,
            content_type=request.headers.get("content-type", ""),
            webhook_enabled=request.headers.get("x-twilio-webhook-enabled", "").lower() == "true",
            lists_lag=timedelta(seconds=lag.seconds) if lag else timedelta(),
            ask=self._asking.ask,
        )


async def read(request: Request, *, most: int) -> bytes:
    """Return a request's body; 20422 where it is larger than `most` bytes."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > most:
            raise TwilioError(INVALID_PARAMETER, f"The body has more than {most} bytes")
    return bytes(content)


def text_of(content: bytes) -> str:
    """Return a body as text; 20422 where it is no UTF-8."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise TwilioError(INVALID_PARAMETER, "The body is no UTF-8") from None


def response(answer: Answer) -> Response:
    """Return the HTTP response of an answer."""
    if answer.content is not None:
        return Response(answer.content, answer.status, media_type=answer.content_type)
    return Response(status_code=answer.status) if answer.body is None else JSONResponse(answer.body, answer.status)

"""The REST API as an ASGI endpoint: finds the route, checks the credentials, parses the request, calls the handler."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse
from starlette.responses import Response as HttpResponse

from twilio_emulator.clock import Clock
from twilio_emulator.exceptions import INVALID_PARAMETER, METHOD_NOT_ALLOWED, TwilioError, not_found
from twilio_emulator.faults.armed import REST_KINDS, FaultKind, Faults
from twilio_emulator.faults.rest_faults import RestFaults
from twilio_emulator.models.backend import Backend
from twilio_emulator.responses import parameters
from twilio_emulator.responses.parameters import Parameters
from twilio_emulator.responses.request import Request, Response
from twilio_emulator.rest.credentials import Credentials
from twilio_emulator.rest.rate_limits import RateLimits
from twilio_emulator.rest.urls import ACCEPT_ANY_BODY, match_route
from twilio_emulator.webhooks.pre_webhooks import PreWebhooks

MAX_FORM_BYTES = 1024 * 1024
MAX_MEDIA_BYTES = 150 * 1024 * 1024  # Twilio's own limit on chat media


class RestApi:
    """Answers the REST calls of one account."""

    def __init__(
        self,
        *,
        backend: Backend,
        clock: Clock,
        credentials: Credentials,
        faults: Faults,
        rate_limits: RateLimits,
        pre_webhooks: PreWebhooks,
    ) -> None:
        self._backend = backend
        self._credentials = credentials
        self._faults = faults
        self._rate_limits = rate_limits
        self._pre_webhooks = pre_webhooks
        self._rest_faults = RestFaults(clock=clock)

    async def __call__(self, http_request: HttpRequest) -> HttpResponse:
        """Answer one request; only a fault makes the answer a 5xx, whatever the client sends."""
        path, method = http_request.url.path, http_request.method
        route = match_route(path)
        if route is None:
            raise not_found(path)
        self._credentials.check(http_request.headers.get("authorization", ""))
        handler = route.methods.get(method)
        if handler is None:
            raise TwilioError(METHOD_NOT_ALLOWED)
        request = await self._parse(http_request, route.path_params, is_form=handler not in ACCEPT_ANY_BODY)
        if fault := self._faults.trigger(REST_KINDS, f"{method} {path}"):
            return await self._rest_faults.apply(fault, partial(handler, request))
        self._rate_limits.count(method, path, route.path_params)
        return _http_response(await handler(request))

    async def aclose(self) -> None:
        """Stop all background work."""
        await self._rest_faults.aclose()

    async def _parse(self, http_request: HttpRequest, path_params: Mapping[str, str], *, is_form: bool) -> Request:
        url = http_request.url
        content = await read_body(http_request, max_bytes=MAX_FORM_BYTES if is_form else MAX_MEDIA_BYTES)
        lag = self._faults.trigger({FaultKind.LIST_LAG}, f"{http_request.method} {url.path}")
        return Request(
            backend=self._backend,
            base_url=f"{url.scheme}://{url.netloc}",
            path=url.path,
            path_params=path_params,
            query=parameters.parse(url.query),
            form=parameters.parse(_decode(content)) if is_form else Parameters({}),
            content=content,
            content_type=http_request.headers.get("content-type", ""),
            webhook_enabled=http_request.headers.get("x-twilio-webhook-enabled", "").lower() == "true",
            list_lag=timedelta(seconds=lag.seconds) if lag else timedelta(),
            call_pre_webhook=self._pre_webhooks.call,
        )


async def read_body(http_request: HttpRequest, *, max_bytes: int) -> bytes:
    """Return the body of a request; raise 20422 if it is larger than `max_bytes`."""
    content = bytearray()
    async for chunk in http_request.stream():
        content += chunk
        if len(content) > max_bytes:
            raise TwilioError(INVALID_PARAMETER, f"The body must not be larger than {max_bytes} bytes")
    return bytes(content)


def _decode(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise TwilioError(INVALID_PARAMETER, "The body must be valid UTF-8") from None


def _http_response(response: Response) -> HttpResponse:
    if response.content is not None:
        return HttpResponse(response.content, response.status, media_type=response.content_type)
    if response.body is None:
        return HttpResponse(status_code=response.status)
    return JSONResponse(response.body, response.status)

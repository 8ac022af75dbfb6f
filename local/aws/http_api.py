"""The template's HTTP API: an HTTP request → the event for the function of its route → the function's response.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html (format 2.0)
"""

import asyncio
import base64
import json
import re
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.aws.execution_environment import InvocationFailed
from local.aws.template import UnsupportedTemplate

MAX_BODY_BYTES = 10 * 1024 * 1024  # API Gateway's own limit
PLAIN_TYPES = ("text/", "application/json", "application/javascript", "application/xml")
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
PATH = re.compile(r"/|(/([\w.~%!$&'()*,;=:@-]+|\{\w+\}))+(/\{\w+\+\})?|/\{\w+\+\}", re.ASCII)

type Invoke = Callable[[object], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSpec:
    """A route as the template declares it: `POST` and `/webhook`, `/orders/{id}` or `/files/{proxy+}`."""

    method: str
    path: str

    @classmethod
    def of(cls, method: str, path: str) -> Self:
        """Check a route; `UnsupportedTemplate` for what the local HTTP API does not support, such as `$default`."""
        if method.upper() not in (*METHODS, "ANY"):
            raise UnsupportedTemplate(f"the local stack does not support the method {method} of the route {path}")
        if not PATH.fullmatch(path):
            raise UnsupportedTemplate(
                f"the local stack does not support the route {path}: use a path such as /orders, /orders/{{id}} or "
                "/files/{proxy+}"
            )
        return cls(method=method.upper(), path=path)

    @property
    def key(self) -> str:
        """API Gateway's name of the route: `POST /webhook`."""
        return f"{self.method} {self.path}"

    @property
    def specificity(self) -> tuple[bool, int, bool]:
        """The sort key of API Gateway's precedence: no `{proxy+}` first, then fewest `{id}`, then a method, not ANY."""
        return "+}" in self.path, self.path.count("{"), self.method == "ANY"


def http_api(
    routes: Sequence[tuple[RouteSpec, Invoke]], *, is_ready: Callable[[], bool], threads: ThreadPoolExecutor
) -> Starlette:
    """Return the ASGI application: each route invokes its function; every other request gets API Gateway's 404.

    `GET /healthz` is the local stack's own: 200 once `is_ready`, 503 before.
    """

    async def healthz(_request: Request) -> Response:
        return health(is_ready=is_ready())

    async def not_found(_request: Request, _error: Exception) -> Response:
        return _message(404, "Not Found")

    by_precedence = sorted(routes, key=lambda route: route[0].specificity)
    application = Starlette(
        routes=[
            Route("/healthz", healthz, methods=["GET"]),
            *(_route(spec, invoke, threads=threads) for spec, invoke in by_precedence),
        ],
        exception_handlers={HTTPException: not_found},
    )
    application.router.redirect_slashes = False
    return application


def _route(spec: RouteSpec, invoke: Invoke, *, threads: ThreadPoolExecutor) -> Route:
    async def invoke_function(request: Request) -> Response:
        if "" in request.path_params.values():  # `{proxy+}` stands for at least one segment
            return _message(404, "Not Found")
        body = await request.body()
        if len(body) > MAX_BODY_BYTES:
            return _message(413, "Request Entity Too Large")
        event = event_of(request, body, route_key=spec.key)
        try:
            result = await asyncio.get_running_loop().run_in_executor(threads, invoke, event)
        except InvocationFailed:
            return _message(500, "Internal Server Error")
        return response_of(result)

    methods = METHODS if spec.method == "ANY" else [spec.method]
    route = Route(spec.path.replace("+}", ":path}"), invoke_function, methods=list(methods))
    route.methods = set(methods)  # starlette adds HEAD to GET, and API Gateway does not
    return route


def health(*, is_ready: bool) -> Response:
    """Return 200 once everything is up, 503 before."""
    return PlainText("ok\n") if is_ready else PlainText("starting\n", status_code=503)


class PlainText(Response):
    """A line that reads well in curl."""

    media_type = "text/plain"


def event_of(request: Request, body: bytes, *, route_key: str) -> dict[str, Any]:
    """Return the event of payload format 2.0: headers in lower case, repeats joined by commas, a form in base64."""
    headers = _join_repeated((name, value) for name, value in request.headers.items() if name != "cookie")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": request.url.path,
        "rawQueryString": request.url.query,
        "headers": headers,
        "requestContext": _request_context(request, headers, route_key=route_key),
        "isBase64Encoded": False,
    }
    if query := _join_repeated(request.query_params.multi_items()):
        event["queryStringParameters"] = query
    if request.path_params:
        event["pathParameters"] = dict(request.path_params)
    if cookies := [cookie for value in request.headers.getlist("cookie") for cookie in value.split("; ")]:
        event["cookies"] = cookies
    if body and headers.get("content-type", "").startswith(PLAIN_TYPES) and _is_text(body):
        event["body"] = body.decode()
    elif body:
        event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return event


def _request_context(request: Request, headers: dict[str, str], *, route_key: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    host = headers.get("host", "")
    return {
        "accountId": "000000000000",
        "apiId": "local",
        "domainName": host,
        "domainPrefix": host.partition(".")[0],
        "http": {
            "method": request.method,
            "path": request.url.path,
            "protocol": f"HTTP/{request.scope['http_version']}",
            "sourceIp": request.client.host if request.client else "",
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": str(uuid.uuid4()),
        "routeKey": route_key,
        "stage": "$default",
        "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(now.timestamp() * 1000),
    }


def response_of(result: object) -> Response:
    """Return the HTTP response that API Gateway makes of a function's result; without `statusCode` it is the body."""
    if not isinstance(result, dict) or "statusCode" not in result:
        return JSONResponse(result)
    body = str(result.get("body") or "")
    response = Response(
        content=base64.b64decode(body) if result.get("isBase64Encoded") else body,
        status_code=int(result["statusCode"]),
        headers={name: str(value) for name, value in (result.get("headers") or {}).items()},
    )
    for cookie in result.get("cookies") or ():
        response.headers.append("set-cookie", cookie)
    return response


def _message(status: int, text: str) -> Response:
    return Response(json.dumps({"message": text}), status_code=status, media_type="application/json")


def _join_repeated(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True

"""The API's front door: HTTP in, the payload an HTTP API hands to Lambda, the function's answer out.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html (format 2.0)
"""

import asyncio
import base64
import json
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.aws.execution_environment import InvocationFailed

MOST_BODY_BYTES = 10 * 1024 * 1024  # the API's own limit
PLAIN_TYPES = ("text/", "application/json", "application/javascript", "application/xml")

type Invoke = Callable[[object], object]


def front_door(invoke: Invoke, *, route: str, is_ready: Callable[[], bool], threads: ThreadPoolExecutor) -> Starlette:
    """Return the ASGI application: `POST route` to the function, `GET /healthz`, and API Gateway's 404 for all else."""
    method, _, path = route.partition(" ")

    async def through_the_function(request: Request) -> Response:
        body = await request.body()
        if len(body) > MOST_BODY_BYTES:
            return _message(413, "Request Entity Too Large")
        event = payload(request, body, route=route)
        try:
            result = await asyncio.get_running_loop().run_in_executor(threads, invoke, event)
        except InvocationFailed:
            return _message(500, "Internal Server Error")
        return answer(result)

    async def healthz(_request: Request) -> Response:
        return health(is_ready=is_ready())

    async def not_found(_request: Request, _error: Exception) -> Response:
        return _message(404, "Not Found")

    application = Starlette(
        routes=[
            Route("/healthz", healthz, methods=["GET"]),
            Route(path, through_the_function, methods=[method]),
        ],
        exception_handlers={HTTPException: not_found},
    )
    application.router.redirect_slashes = False
    return application


def health(*, is_ready: bool) -> Response:
    """Return 200 once everything is up, 503 before."""
    return PlainText("ok\n") if is_ready else PlainText("starting\n", status_code=503)


class PlainText(Response):
    """A line for curl."""

    media_type = "text/plain"


def payload(request: Request, body: bytes, *, route: str) -> dict[str, Any]:
    """Return the event of payload format 2.0: headers in lower case, repeats joined by commas, a form in base64."""
    headers = _joined((name.lower(), value) for name, value in request.headers.items() if name.lower() != "cookie")
    now = datetime.now(UTC)
    host = headers.get("host", "")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": request.url.path,
        "rawQueryString": request.url.query,
        "headers": headers,
        "requestContext": {
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
            "routeKey": route,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": False,
    }
    if query := _joined(request.query_params.multi_items()):
        event["queryStringParameters"] = query
    if cookies := [cookie for value in request.headers.getlist("cookie") for cookie in value.split("; ")]:
        event["cookies"] = cookies
    if body and headers.get("content-type", "").startswith(PLAIN_TYPES) and _is_text(body):
        event["body"] = body.decode()
    elif body:
        event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return event


def answer(result: object) -> Response:
    """Return what API Gateway makes of a function's result; without a status code the result itself is the body."""
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


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
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

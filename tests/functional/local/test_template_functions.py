"""The template's functions: what invokes each, and the environment that it gets."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from local.aws.http_api import http_api
from local.aws.lambda_function import LambdaFunction
from local.aws.ministack import Names
from local.aws.template import Template, UnsupportedTemplate
from local.aws.template_functions import FunctionDeclaration, read_functions
from tests.functional.local.sample_function import written
from twilio_emulator.server import Servers, listen

TEMPLATE = """
Globals:
  Function:
    Runtime: python3.13
    Handler: app.lambda_handler
    MemorySize: 512
    Environment:
      Variables:
        LEVEL: INFO
        AWS_ENDPOINT_URL: https://aws.example.com
Resources:
  WebhookFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/webhook/
      Events:
        Webhook: {Type: HttpApi, Properties: {Method: post, Path: /webhook}}
  OrdersFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/orders/
      MemorySize: 1024
      Events:
        List: {Type: HttpApi, Properties: {Method: GET, Path: /orders}}
        One: {Type: HttpApi, Properties: {Method: GET, Path: "/orders/{id}"}}
"""


def declared(
    folder: Path, *, template: str = TEMPLATE, environment: Mapping[str, str] | None = None
) -> dict[str, FunctionDeclaration]:
    (folder / "template.yaml").write_text(template)
    read = Template.read(folder / "template.yaml", parameters={})
    names = Names(template=read, endpoint="http://127.0.0.1:4566")
    functions = read_functions(read, names, root=folder, environment=environment or {})
    return {each.logical_id: each for each in functions}


async def nothing() -> None:
    """End nothing: the HTTP API has nothing of its own running."""


def test_every_http_function_of_a_template_answers_on_its_own_routes(tmp_path: Path) -> None:
    (tmp_path / "functions").mkdir()
    written(tmp_path / "functions" / "webhook", "return {'statusCode': 202, 'body': event['body']}")
    written(tmp_path / "functions" / "orders", "return {'statusCode': 200, 'body': str(event.get('pathParameters'))}")

    with ExitStack() as closing:
        threads = closing.enter_context(ThreadPoolExecutor())
        routes = []
        for each in declared(tmp_path).values():
            function = LambdaFunction(each.spec, concurrency=1, listener=lambda _activity: None)
            closing.callback(function.close)
            routes += [(route, function.invoke) for route in each.routes]
        listening = listen("127.0.0.1", 0)
        application = http_api(routes, is_ready=lambda: True, threads=threads)
        closing.callback(Servers({listening: application}, at_end=nothing).close)
        client = closing.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}"))
        posted = client.post("/webhook", content="a text", headers={"Content-Type": "text/plain"})
        listed, one, unknown = (client.get(path) for path in ("/orders", "/orders/7", "/webhook"))

    assert (posted.status_code, posted.text) == (202, "a text")
    assert (listed.text, one.text) == ("None", "{'id': '7'}")
    assert (unknown.status_code, unknown.json()) == (404, {"message": "Not Found"})


def test_a_function_gets_the_variables_of_the_template_and_of_lambda(tmp_path: Path) -> None:
    functions = declared(tmp_path, environment={"LEVEL": "DEBUG", "AWS_ENDPOINT_URL": "http://elsewhere", "HOME": "/h"})

    environment = functions["OrdersFunction"].spec.environment

    assert functions["OrdersFunction"].variables == {"LEVEL": "DEBUG", "AWS_ENDPOINT_URL": "https://aws.example.com"}
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "1024"
    assert functions["WebhookFunction"].spec.environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "512"
    assert "HOME" not in environment


def test_a_route_without_a_path_is_an_error_that_names_it(tmp_path: Path) -> None:
    template = TEMPLATE.replace("{Method: post, Path: /webhook}", "{}")

    with pytest.raises(UnsupportedTemplate, match=r"\$default"):
        declared(tmp_path, template=template)

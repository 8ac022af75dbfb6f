"""The agent function with its queues, its secret and its table. AWS is moto, and Twilio accepts every message."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from moto.core.botocore_stubber import BotocoreStubber

from switchboard.aws.dynamodb.turn_store import TurnStore
from switchboard.aws.sqs.queue import encoded
from switchboard.bootstrap.agent import AgentFunction, agent_function
from switchboard.events import MessageAdded
from tests import functions
from tests.builders import sid
from tests.dynamodb import table_on_moto
from tests.signing import ACCOUNT, SERVICE, TOKEN

ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "POWERTOOLS_SERVICE_NAME": "agent",
    "POWERTOOLS_METRICS_NAMESPACE": "Switchboard",
    "TWILIO_SECRET_ID": "twilio",
    "CONVERSATIONS_TABLE": "Conversations",
    "EVENT_BUS_NAME": "notices",
    "ASSISTANT_MODEL": "offline",
    "ASSISTANT_MEMORY": "conversation",
    "MAX_EVENT_AGE_MINUTES": "100000000",
    "ANSWER_WITHIN_MINUTES": "5",
    "MAX_ATTEMPTS": "3",
    "COALESCE_SECONDS": "0",
    "TURNS_PER_TEN_MINUTES": "20",
    "MAX_SEGMENTS": "10",
    "SMART_ENCODING": "on",
    "WAIT_FOR_DELIVERY": "off",
    "DISCLOSURE_SENTENCE": "off",
    "VOICE_NOTE_SENTENCE": "",
    "HELP_SENTENCE": "off",
    "WINDOW_TEMPLATE_SID": "",
    "FALLBACK_SENTENCE": "Sorry.",
    "LIMIT_SENTENCE": "Enough for today.",
    "SYSTEM_AUTHORS": "system",
    "CUSTOMER_TURNS_PER_DAY": "10",
    "TURNS_PER_DAY": "1000",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to AWS: its operation, and its parameters."""

    operation: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedAgent:
    """The deployed function, and what it sent: to Twilio, counted by method, the texts; and to DynamoDB and SQS."""

    app: ModuleType
    function: AgentFunction
    to_twilio: Counter[str]
    texts: list[str]
    to_aws: list[Request] = field(default_factory=list)


def record_of(message: MessageAdded) -> dict[str, Any]:
    """Return a message as Lambda hands it over, delivered for the first time."""
    return {
        "messageId": f"record of {message.message_sid}",
        "receiptHandle": f"handle of {message.message_sid}",
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1772452800000"},
        "body": encoded(message),
    }


@contextmanager
def deployed_agent(
    monkeypatch: pytest.MonkeyPatch, *, model_secret: str = "", **environment: str
) -> Iterator[DeployedAgent]:
    """Give the function, built from its environment. `model_secret` is the text of the secret `models`."""
    with _twilio() as (url, to_twilio, texts), table_on_moto():
        _serve_one_request_at_a_time(monkeypatch)
        for name, value in {**ENVIRONMENT, "TWILIO_BASE_URL": url, **environment}.items():
            monkeypatch.setenv(name, value)
        boto3.client("secretsmanager").create_secret(
            Name="twilio",
            SecretString=json.dumps({"auth_tokens": [TOKEN], "account_sid": ACCOUNT, "service_sid": SERVICE}),
        )
        if model_secret:
            boto3.client("secretsmanager").create_secret(Name="models", SecretString=model_secret)
        for variable in ("MESSAGES_QUEUE_URL", "MESSAGES_DEAD_LETTER_QUEUE_URL"):
            queue = boto3.client("sqs").create_queue(QueueName=f"{variable}.fifo", Attributes={"FifoQueue": "true"})
            monkeypatch.setenv(variable, queue["QueueUrl"])
        agent_function.cache_clear()
        monkeypatch.syspath_prepend(functions.FUNCTIONS / "agent")  # its assistant is imported at the first call
        app = functions.load("agent")
        deployed = DeployedAgent(app=app, function=app.start(), to_twilio=to_twilio, texts=texts)
        store = deployed.function.ports.conversations
        assert isinstance(store, TurnStore)
        for client in (store.table.client, deployed.function.batch.queue.client):
            client.meta.events.register("before-send", lambda request, **_: deployed.to_aws.append(_read(request)))
        yield deployed
        agent_function.cache_clear()


def _serve_one_request_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guard moto, which copies a table for each transaction, and fails where another thread writes meanwhile."""
    lock, serve = Lock(), BotocoreStubber.process_request

    def process_request(stubber: BotocoreStubber, request: Any) -> Any:  # noqa: ANN401 -- moto's
        with lock:
            return serve(stubber, request)

    monkeypatch.setattr(BotocoreStubber, "process_request", process_request)


@contextmanager
def _twilio() -> Iterator[tuple[str, Counter[str], list[str]]]:
    """Serve Twilio's REST API: accept every message, list none, count the requests by method, and keep the texts."""
    requests: Counter[str] = Counter()
    texts: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests["POST"] += 1
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            texts.extend(form["Body"])
            self._respond(201, {"sid": sid("IM", 99), "index": requests["POST"]})

        def do_GET(self) -> None:
            requests["GET"] += 1
            self._respond(404, {"code": 20404, "status": 404, "message": "none"})

        def _respond(self, status: int, body: dict[str, Any]) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 100  # connections that wait to be accepted: many turns send at once

    server = Server(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests, texts
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _read(request: Any) -> Request:  # noqa: ANN401 -- botocore's
    target = request.headers["X-Amz-Target"]
    name = target.decode() if isinstance(target, bytes) else target
    return Request(operation=str(name.rpartition(".")[2]), parameters=json.loads(request.body))

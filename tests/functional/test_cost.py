"""What a turn without faults costs: its requests to DynamoDB, SQS and Twilio, counted on the wire."""

import json
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest
from moto import mock_aws

from switchboard.aws.dynamodb.turn_store import TurnStore
from switchboard.aws.sqs.queue import encoded
from switchboard.bootstrap.agent import agent_function
from tests import functions
from tests.builders import message_added, sid
from tests.lambda_context import LambdaContext
from tests.signing import ACCOUNT, SERVICE, TOKEN

WRITES = {"UpdateItem", "PutItem", "TransactWriteItems", "DeleteItem", "BatchWriteItem"}
READS = {"Query", "GetItem", "BatchGetItem", "TransactGetItems"}


@pytest.fixture
def twilio() -> Iterator[tuple[str, Counter[str]]]:
    """Serve Twilio's REST API: accept every message, and count the requests by method."""
    requests: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests["POST"] += 1
            self.rfile.read(int(self.headers["Content-Length"]))
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

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", requests
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_turn_without_faults_costs_one_post_and_at_most_four_writes_and_two_reads(
    twilio: tuple[str, Counter[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, to_twilio = twilio
    with mock_aws():
        for name, value in {
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "POWERTOOLS_SERVICE_NAME": "agent",
            "POWERTOOLS_METRICS_NAMESPACE": "Switchboard",
            "TWILIO_SECRET_ID": "twilio",
            "TWILIO_BASE_URL": url,
            "CONVERSATIONS_TABLE": "Conversations",
            "EVENT_BUS_NAME": "notices",
            "ASSISTANT_MODEL": "offline",
            "MAX_EVENT_AGE_MINUTES": "100000000",
            "ANSWER_WITHIN_MINUTES": "5",
            "MAX_ATTEMPTS": "3",
            "COALESCE_SECONDS": "0",
            "TURNS_PER_TEN_MINUTES": "20",
            "FALLBACK_SENTENCE": "Sorry.",
            "LIMIT_SENTENCE": "Enough for today.",
            "SYSTEM_AUTHORS": "system",
            "CUSTOMER_TURNS_PER_DAY": "10",
            "TURNS_PER_DAY": "10",
        }.items():
            monkeypatch.setenv(name, value)
        boto3.client("secretsmanager").create_secret(
            Name="twilio",
            SecretString=json.dumps({"auth_tokens": [TOKEN], "account_sid": ACCOUNT, "service_sid": SERVICE}),
        )
        for variable in ("MESSAGES_QUEUE_URL", "MESSAGES_DEAD_LETTER_QUEUE_URL"):
            queue = boto3.client("sqs").create_queue(QueueName=f"{variable}.fifo", Attributes={"FifoQueue": "true"})
            monkeypatch.setenv(variable, queue["QueueUrl"])
        boto3.client("dynamodb").create_table(
            TableName="Conversations",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        agent_function.cache_clear()
        monkeypatch.syspath_prepend(functions.FUNCTIONS / "agent")  # its assistant is imported at the first call
        app = functions.load("agent")
        to_aws: Counter[str] = Counter()
        function = app.start()
        store = function.ports.conversations
        assert isinstance(store, TurnStore)
        for client in (store.table.client, function.batch.queue.client):
            client.meta.events.register("before-send", lambda request, **_: to_aws.update([_operation(request)]))
        record = {
            "messageId": "record-1",
            "receiptHandle": "handle-1",
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1772452800000"},
            "body": encoded(message_added(body="When are you open on Saturday?")),
        }

        response = app.lambda_handler({"Records": [record]}, LambdaContext())

        agent_function.cache_clear()
    assert response == {"batchItemFailures": []}
    assert to_twilio == {"POST": 1}
    assert sum(count for operation, count in to_aws.items() if operation in WRITES) <= 4, to_aws
    assert sum(count for operation, count in to_aws.items() if operation in READS) <= 2, to_aws
    assert to_aws["UpdateItem"] >= 3, "nothing was counted"
    assert to_aws.total() <= 6, to_aws


def _operation(request: Any) -> str:  # noqa: ANN401 -- botocore's
    target = request.headers["X-Amz-Target"]
    name = target.decode() if isinstance(target, bytes) else target
    return str(name.rpartition(".")[2])

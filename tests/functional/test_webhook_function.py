"""The webhook function: a signed HTTP API event in, an SQS record and an answer out. AWS is moto."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws
from twilio.request_validator import RequestValidator

from switchboard.aws.secrets import TwilioSecretReader
from switchboard.bootstrap.webhook import webhook_function
from tests import functions
from tests.builders import sid
from tests.lambda_context import LambdaContext
from tests.signing import ACCOUNT, SERVICE, TOKEN, URL, api_gateway_event, message_fields, signed_event

NEXT_TOKEN = "the-next-token"


@dataclass
class Deployed:
    """The function with its two queues."""

    handle: Callable[[dict[str, Any], object], dict[str, Any]]
    sqs: Any
    secrets: Any
    messages: str
    lifecycle: str

    def post(self, event: dict[str, Any]) -> int:
        return int(self.handle(event, LambdaContext())["statusCode"])

    def queued(self, url: str) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["MessageGroupId"]
        )
        return [
            {**json.loads(record["Body"]), "group": record["Attributes"]["MessageGroupId"]}
            for record in answer.get("Messages", [])
        ]

    def rotate(self, *tokens: str) -> None:
        self.secrets.put_secret_value(SecretId="twilio", SecretString=secret(*tokens))


def secret(*tokens: str) -> str:
    return json.dumps({"auth_tokens": tokens, "account_sid": ACCOUNT, "service_sid": SERVICE})


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    with mock_aws():
        for name, value in {
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "POWERTOOLS_SERVICE_NAME": "webhook",
            "POWERTOOLS_METRICS_NAMESPACE": "Switchboard",
            "TWILIO_SECRET_ID": "twilio",
            "SYSTEM_AUTHORS": "system",
        }.items():
            monkeypatch.setenv(name, value)
        sqs = boto3.client("sqs")
        urls = {}
        for name in ("messages", "lifecycle"):
            urls[name] = sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
            monkeypatch.setenv(f"{name.upper()}_QUEUE_URL", urls[name])
        secrets = boto3.client("secretsmanager")
        secrets.create_secret(Name="twilio", SecretString=secret(TOKEN))
        webhook_function.cache_clear()
        yield Deployed(
            handle=functions.load("webhook").lambda_handler,
            sqs=sqs,
            secrets=secrets,
            messages=urls["messages"],
            lifecycle=urls["lifecycle"],
        )
        webhook_function.cache_clear()


@pytest.mark.parametrize("plain", [False, True], ids=["as AWS sends it", "as sam local sends it"])
def test_a_customers_text_is_queued_under_its_conversation(deployed: Deployed, *, plain: bool) -> None:
    status = deployed.post(signed_event(message_fields(), plain=plain))

    (queued,) = deployed.queued(deployed.messages)
    assert status == 200
    assert queued["group"] == sid("CH", 1)
    assert (queued["body"], queued["index"], queued["author_role"]) == ("hola ñ & + = %", 1, "customer")
    assert deployed.queued(deployed.lifecycle) == []


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        (message_fields(Author="robin"), "MessageAdded"),
        (
            {name: value for name, value in message_fields(Author="joe").items() if name != "ParticipantSid"},
            "MessageAdded",
        ),
        (
            {
                **message_fields(EventType="onConversationStateUpdated"),
                "StateTo": "closed",
                "StateUpdated": "2026-08-11T13:03:28.879Z",
            },
            "ConversationStateUpdated",
        ),
        (
            {
                **message_fields(EventType="onDeliveryUpdated"),
                "Status": "failed",
                "ErrorCode": "21610",
                "DeliveryReceiptSid": sid("DY", 1),
                "DateUpdated": "2026-08-11T13:03:28.879Z",
            },
            "DeliveryFailed",
        ),
        (
            message_fields(
                EventType="onConversationUpdated",
                Attributes='{"switchboard": {"owner": "agent", "at": "2026-08-11T13:03:28Z"}}',
            ),
            "OwnerSet",
        ),
    ],
)
def test_what_happens_to_a_conversation_takes_the_other_queue(
    deployed: Deployed, fields: dict[str, str], kind: str
) -> None:
    status = deployed.post(signed_event(fields))

    assert status == 200
    assert [event["type"] for event in deployed.queued(deployed.lifecycle)] == [kind]
    assert deployed.queued(deployed.messages) == []


@pytest.mark.parametrize(
    "fields",
    [
        message_fields(Author="switchboard"),
        message_fields(Author="system"),
        message_fields(EventType="onUserAdded"),
        message_fields(EventType="onSomethingNew"),
        message_fields(ChatServiceSid=sid("IS", 2)),
        {**message_fields(EventType="onDeliveryUpdated"), "Status": "delivered"},
        message_fields(EventType="onConversationUpdated", Attributes='{"switchboard": {"owner": "agent"}}'),
    ],
    ids=["our own", "a system's", "not for us", "unknown", "another service", "delivered", "an owner without a time"],
)
def test_what_is_none_of_our_business_is_acknowledged_and_not_queued(
    deployed: Deployed, fields: dict[str, str]
) -> None:
    status = deployed.post(signed_event(fields))

    assert status == 200
    assert deployed.queued(deployed.messages) + deployed.queued(deployed.lifecycle) == []


def test_an_event_told_twenty_times_is_queued_once(deployed: Deployed) -> None:
    statuses = {deployed.post(signed_event(message_fields())) for _ in range(20)}

    assert statuses == {200}
    assert len(deployed.queued(deployed.messages)) == 1


def test_the_next_token_of_a_rotation_signs_too(deployed: Deployed) -> None:
    deployed.rotate(TOKEN, NEXT_TOKEN)

    assert deployed.post(signed_event(message_fields(), token=NEXT_TOKEN)) == 200


def test_a_token_changed_under_a_warm_function_is_read_again_but_not_for_every_stranger(deployed: Deployed) -> None:
    seconds = 0.0
    reader = webhook_function().reader.secrets
    assert isinstance(reader, TwilioSecretReader)
    reader.clock = lambda: seconds
    assert deployed.post(signed_event(message_fields())) == 200
    deployed.rotate(NEXT_TOKEN)

    seconds = 59.0
    within_a_minute = deployed.post(signed_event(message_fields(), token=NEXT_TOKEN))
    seconds = 60.0
    after_a_minute = deployed.post(signed_event(message_fields(), token=NEXT_TOKEN))

    assert (within_a_minute, after_a_minute) == (403, 200)


JSON = b'{"property": "value"}'

HOSTILE = {
    "no signature": api_gateway_event(b"Body=hi", signature=None),
    "an empty signature": api_gateway_event(b"Body=hi", signature=""),
    "a signature that is no base64": api_gateway_event(b"Body=hi", signature="ünïcode\x00"),
    "a foreign token": signed_event(message_fields(), token="guess"),
    "ten megabytes": api_gateway_event(b"Body=" + b"a" * 10_000_000, signature="x"),
    "20,000 fields": api_gateway_event(b"&".join(b"a%d=1" % n for n in range(20_000)), signature="x"),
    "invalid UTF-8": api_gateway_event(b"Body=\xff\xfe", signature="x"),
    "invalid percent-encoding": api_gateway_event(b"Body=%ff%fe", signature="x"),
    "a lone surrogate": api_gateway_event(b"Body=%ED%A0%80", signature="x"),
    "NULs": api_gateway_event(b"Body=\x00&\x00=%00", signature="x"),
    "not base64": {**api_gateway_event(b"", signature="x"), "body": "%%%"},
    "an unencodable plain body": {**api_gateway_event(b"", signature="x", plain=True), "body": "Body=\ud800"},
    "no body": {**api_gateway_event(b"", signature="x"), "body": None},
    "no form": api_gateway_event(b"<xml/>", signature="x", content_type="text/xml"),
    "no content type": api_gateway_event(b"Body=hi", signature="x", content_type=""),
    "JSON without its hash": api_gateway_event(JSON, signature="x", content_type="application/json"),
    "JSON with a forged hash": api_gateway_event(
        JSON, signature="x", content_type="application/json", query=f"bodySHA256={'0' * 64}"
    ),
    "deep JSON": api_gateway_event(
        b"[" * 100_000, signature="x", content_type="application/json", query=f"bodySHA256={'0' * 64}"
    ),
    "a query": api_gateway_event(b"Body=hi", signature="x", query="a=b"),
    "no headers at all": {**api_gateway_event(b"Body=hi", signature="x"), "headers": {}},
}


@pytest.mark.parametrize("event", HOSTILE.values(), ids=HOSTILE)
def test_a_stranger_gets_one_constant_answer_and_reaches_nothing(
    deployed: Deployed, event: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    answer = deployed.handle(event, LambdaContext())

    assert answer == {"statusCode": 403, "body": "Forbidden"}
    assert deployed.queued(deployed.messages) + deployed.queued(deployed.lifecycle) == []
    assert [record.levelname for record in caplog.records] == ["INFO"]


@pytest.mark.parametrize(
    "fields",
    [
        message_fields(AccountSid=sid("AC", 2)),
        message_fields(ConversationSid=sid("CH", 1)[:-1]),
        message_fields(ConversationSid=sid("CH", 1) + "0"),
        message_fields(MessageSid=sid("CH", 1)),
        message_fields(Index="-1"),
        message_fields(Index="１"),  # noqa: RUF001 -- a full-width digit is the point
        message_fields(DateCreated="yesterday"),
        message_fields(DateCreated="2026-13-41T13:03:28Z"),
        message_fields(Media="{"),
        message_fields(Media='["no object"]'),
        {**message_fields(), "MessageSid": [sid("IM", 1), sid("IM", 2)]},
        {"AccountSid": ACCOUNT, "EventType": "onMessageAdded"},
        message_fields(EventType="onConversationStateUpdated"),
        {"EventType": "onMessageAdded"},
    ],
)
def test_signed_but_malformed_is_refused(deployed: Deployed, fields: dict[str, Any]) -> None:
    assert deployed.post(signed_event(fields)) == 403


def signed_json(body: bytes, *, sent: bytes | None = None) -> dict[str, Any]:
    """Return the event of a JSON body that Twilio signed; `sent` is what arrives in its place."""
    query = f"bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = RequestValidator(TOKEN).compute_signature(f"{URL}?{query}", {})
    return api_gateway_event(sent or body, signature=signature, content_type="application/json", query=query)


def test_json_with_its_signed_hash_is_understood(deployed: Deployed) -> None:
    assert deployed.post(signed_json(json.dumps(message_fields()).encode())) == 200
    assert len(deployed.queued(deployed.messages)) == 1


def test_json_whose_body_was_changed_is_refused(deployed: Deployed) -> None:
    body = json.dumps(message_fields()).encode()

    assert deployed.post(signed_json(body, sent=body.replace(b"hola", b"hole"))) == 403


A_LONE_SURROGATE = json.dumps(message_fields(Body="?")).replace("?", "\\ud800").encode()


@pytest.mark.parametrize("body", [b"[1]", b"{", A_LONE_SURROGATE, b"[" * 100_000], ids=["list", "cut", "text", "deep"])
def test_signed_json_that_is_no_event_is_refused(deployed: Deployed, body: bytes) -> None:
    assert deployed.post(signed_json(body)) == 403


def test_a_group_texts_repeated_addresses_are_part_of_the_signature(deployed: Deployed) -> None:
    fields = {**message_fields(), "MessagingBinding.Address": ["+12025550110", "+12025550111"]}

    assert deployed.post(signed_event(fields)) == 200


def test_a_queue_that_refuses_asks_twilio_to_try_again(deployed: Deployed) -> None:
    deployed.sqs.delete_queue(QueueUrl=deployed.messages)

    assert deployed.post(signed_event(message_fields())) == 500


def test_nothing_a_customer_said_or_is_stands_in_the_log(deployed: Deployed, caplog: pytest.LogCaptureFixture) -> None:
    deployed.post(signed_event(message_fields()))
    deployed.post(signed_event(message_fields(Index="x")))

    logged = str([vars(record) for record in caplog.records])
    assert sid("CH", 1) in logged
    assert "hola" not in logged
    assert "2025550110" not in logged

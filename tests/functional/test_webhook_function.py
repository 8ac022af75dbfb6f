"""The webhook function: a signed HTTP API event becomes an SQS record; everything else is ignored or rejected."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twilio.request_validator import RequestValidator

from switchboard.aws.secrets import TwilioSecretReader
from switchboard.bootstrap.webhook import webhook_function
from tests.builders import sid
from tests.functional.webhook import Deployed, deployed_webhook
from tests.lambda_context import LambdaContext
from tests.signing import ACCOUNT, DOMAIN, TOKEN, URL, api_gateway_event, message_fields, signed_event

NEXT_TOKEN = "the-next-token"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def deployed() -> Iterator[Deployed]:
    with deployed_webhook() as function:
        yield function


@pytest.mark.parametrize("variable", ["MESSAGES_QUEUE_URL", "VISITOR_IDENTITIES", "AWS_DEFAULT_REGION"])
def test_a_function_that_cannot_be_built_answers_500_at_every_try_until_it_is_mended(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], variable: str
) -> None:
    with monkeypatch.context() as broken:
        broken.setenv("POWERTOOLS_SERVICE_NAME", f"webhook-{variable}")
        broken.setenv(variable, "(") if variable == "VISITOR_IDENTITIES" else broken.delenv(variable)
        statuses = [deployed.post(signed_event(message_fields())) for _ in range(2)]
        lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    mended = deployed.post(signed_event(message_fields()))

    assert statuses == [500, 500]
    assert [line["message"] for line in lines if "message" in line] == ["failed", "failed"]
    assert [line["failed"] for line in lines if "failed" in line] == [[1.0], [1.0]]
    assert mended == 200
    assert len(deployed.queued(deployed.messages)) == 1


@pytest.mark.parametrize("plain", [False, True], ids=["as AWS sends it", "as sam local sends it"])
def test_a_customers_message_is_queued_in_the_message_group_of_its_conversation(
    deployed: Deployed, *, plain: bool
) -> None:
    status = deployed.post(signed_event(message_fields(), plain=plain))

    (queued,) = deployed.queued(deployed.messages)
    assert status == 200
    assert queued["group"] == sid("CH", 1)
    assert (queued["body"], queued["index"], queued["author_role"]) == ("hola ñ & + = %", 1, "customer")
    assert deployed.queued(deployed.lifecycle) == []


@pytest.mark.parametrize("body", ["STOP", "stop.", "Please stop texting me", "BAJA", "ABMELDEN"])
@pytest.mark.parametrize("author", ["+12025550110", "whatsapp:+12025550110", "visitor-" + "0" * 32])
def test_an_opt_out_goes_to_both_queues_so_that_it_waits_behind_no_turn(
    deployed: Deployed, author: str, body: str
) -> None:
    status = deployed.post(signed_event(message_fields(Author=author, Body=body)))

    assert status == 200
    assert [queued["body"] for queued in deployed.queued(deployed.messages)] == [body]
    assert [queued["body"] for queued in deployed.queued(deployed.lifecycle)] == [body]


@pytest.mark.parametrize("body", ["START", "HELP", "STOP 12345", "we have got to STOP this bill"])
def test_what_opts_nobody_out_goes_to_the_messages_queue_alone(deployed: Deployed, body: str) -> None:
    deployed.post(signed_event(message_fields(Body=body)))

    assert [queued["body"] for queued in deployed.queued(deployed.messages)] == [body]
    assert deployed.queued(deployed.lifecycle) == []


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        (message_fields(Author="robin"), "MessageAdded"),
        (message_fields(Author="system"), "MessageAdded"),
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
                Attributes='{"switchboard": {"owner": "assistant", "at": "2026-08-11T13:03:28Z"}}',
            ),
            "OwnerSet",
        ),
    ],
)
def test_a_lifecycle_event_goes_to_the_lifecycle_queue(deployed: Deployed, fields: dict[str, str], kind: str) -> None:
    status = deployed.post(signed_event(fields))

    assert status == 200
    assert [event["type"] for event in deployed.queued(deployed.lifecycle)] == [kind]
    assert deployed.queued(deployed.messages) == []


@pytest.mark.parametrize(
    "fields",
    [
        message_fields(Author="switchboard"),
        message_fields(EventType="onUserAdded"),
        message_fields(EventType="onSomethingNew"),
        message_fields(ChatServiceSid=sid("IS", 2)),
        {**message_fields(EventType="onDeliveryUpdated"), "Status": "delivered"},
        message_fields(EventType="onConversationUpdated", Attributes='{"switchboard": {"owner": "assistant"}}'),
    ],
    ids=["our reply", "unused", "unknown", "another service", "delivered", "owner without time"],
)
def test_an_event_from_which_nothing_follows_is_acknowledged_and_not_queued(
    deployed: Deployed, fields: dict[str, str]
) -> None:
    status = deployed.post(signed_event(fields))

    assert status == 200
    assert deployed.queued(deployed.messages) + deployed.queued(deployed.lifecycle) == []


def test_a_webhook_that_arrives_twenty_times_is_queued_once(deployed: Deployed) -> None:
    statuses = {deployed.post(signed_event(message_fields())) for _ in range(20)}

    assert statuses == {200}
    assert len(deployed.queued(deployed.messages)) == 1


def test_during_a_rotation_both_auth_tokens_may_sign(deployed: Deployed) -> None:
    deployed.rotate(TOKEN, NEXT_TOKEN)

    assert deployed.post(signed_event(message_fields(), token=NEXT_TOKEN)) == 200


def test_a_warm_function_reads_a_changed_token_at_most_once_a_minute(deployed: Deployed) -> None:
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

NOT_SIGNED_BY_TWILIO = {
    "no signature": api_gateway_event(b"Body=hi", signature=None),
    "an empty signature": api_gateway_event(b"Body=hi", signature=""),
    "a signature that is not base64": api_gateway_event(b"Body=hi", signature="ünïcode\x00"),
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
    "not a form": api_gateway_event(b"<xml/>", signature="x", content_type="text/xml"),
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
    "nothing but an address": {"requestContext": {"domainName": DOMAIN}},
}


@pytest.mark.parametrize("event", NOT_SIGNED_BY_TWILIO.values(), ids=NOT_SIGNED_BY_TWILIO)
def test_a_request_that_twilio_did_not_sign_gets_a_constant_response_and_reaches_no_queue(
    deployed: Deployed, event: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    response = deployed.handle(event, LambdaContext())

    assert response == {"statusCode": 403, "body": "Forbidden"}
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
def test_a_signed_form_that_is_malformed_is_rejected(deployed: Deployed, fields: dict[str, Any]) -> None:
    assert deployed.post(signed_event(fields)) == 403


def signed_json(body: bytes, *, sent: bytes | None = None) -> dict[str, Any]:
    """Return the event of a JSON body that Twilio signed; `sent` is the body that arrives instead."""
    query = f"bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = RequestValidator(TOKEN).compute_signature(f"{URL}?{query}", {})
    return api_gateway_event(sent or body, signature=signature, content_type="application/json", query=query)


def test_json_with_a_signed_hash_is_accepted(deployed: Deployed) -> None:
    assert deployed.post(signed_json(json.dumps(message_fields()).encode())) == 200
    assert len(deployed.queued(deployed.messages)) == 1


def test_json_that_was_changed_after_signing_is_rejected(deployed: Deployed) -> None:
    body = json.dumps(message_fields()).encode()

    assert deployed.post(signed_json(body, sent=body.replace(b"hola", b"hole"))) == 403


LONE_SURROGATE = json.dumps(message_fields(Body="?")).replace("?", "\\ud800").encode()


@pytest.mark.parametrize("body", [b"[1]", b"{", LONE_SURROGATE, b"[" * 100_000], ids=["list", "cut", "text", "deep"])
def test_signed_json_that_is_not_an_event_is_rejected(deployed: Deployed, body: bytes) -> None:
    assert deployed.post(signed_json(body)) == 403


def test_the_repeated_addresses_of_a_group_text_are_part_of_the_signature(deployed: Deployed) -> None:
    fields = {**message_fields(), "MessagingBinding.Address": ["+12025550110", "+12025550111"]}

    assert deployed.post(signed_event(fields)) == 200


def test_a_message_that_cannot_be_queued_is_answered_with_500(deployed: Deployed) -> None:
    deployed.sqs.delete_queue(QueueUrl=deployed.messages)

    assert deployed.post(signed_event(message_fields())) == 500


def test_no_message_body_and_no_address_is_logged(deployed: Deployed, caplog: pytest.LogCaptureFixture) -> None:
    deployed.post(signed_event(message_fields()))
    deployed.post(signed_event(message_fields(Index="x")))

    logged = str([vars(record) for record in caplog.records])
    assert sid("CH", 1) in logged
    assert "hola" not in logged
    assert "2025550110" not in logged


PUBLIC_URL = "https://bot.example.com/webhook"
REJECTED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "unsigned": (api_gateway_event(b"Body=hola", signature=None), ["X-Twilio-Signature"]),
    "wrong_signature": (signed_event(message_fields(), token="another-token"), [URL]),
    "wrong_account": (signed_event(message_fields(AccountSid=sid("AC", 2))), ["AccountSid"]),
    "ambiguous": (signed_event(message_fields(EventType="onMessageAddedIndex")), ["EventType"]),
    "malformed": (signed_event(message_fields(Index="hola")), ["Index"]),
}


@pytest.mark.parametrize(
    ("cause", "event", "detail"), [(cause, *case) for cause, case in REJECTED.items()], ids=REJECTED
)
def test_each_cause_of_a_rejection_has_its_own_metric_and_log_line(
    cause: str,
    event: dict[str, Any],
    detail: list[str],
    deployed: Deployed,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert deployed.post(event) == 403

    assert_rejected(f"rejected_{cause}", detail, caplog, capsys)


def test_a_webhook_signed_for_the_apis_own_url_where_public_url_is_another_names_both(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with deployed_webhook(PUBLIC_URL=PUBLIC_URL) as deployed:
        assert deployed.post(signed_event(message_fields())) == 403

    assert_rejected("rejected_wrong_url", [URL, PUBLIC_URL, "PublicUrl"], caplog, capsys)


def assert_rejected(
    decision: str, detail: list[str], caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Assert that one decision was logged and counted, and that neither holds what the sender wrote."""
    (logged,) = (vars(record) for record in caplog.records)
    output = capsys.readouterr().out
    (metrics,) = (line for line in map(json.loads, output.splitlines()) if "_aws" in line)
    assert logged["msg"] == decision
    assert [text for text in detail if text not in logged["detail"]] == []
    assert [name for name in metrics if name.startswith("rejected_")] == [decision]
    assert metrics[decision] == [1.0]
    for value in ("hola", "2025550110", sid("AC", 2), "onMessageAddedIndex"):
        assert value not in f"{logged}{output}"


TWO_INVOCATIONS = """
from tests.functional.webhook import deployed_webhook
from tests.signing import message_fields, signed_event

with deployed_webhook() as deployed:
    for request_id in ("first-request", "second-request"):
        deployed.post(signed_event(message_fields()), request_id=request_id)
"""


def test_a_log_line_has_the_request_id_and_says_whether_it_was_a_cold_start() -> None:
    # In a process of its own: Powertools remembers in a module whether a process has had its cold start.
    done = subprocess.run(  # noqa: S603 -- our own interpreter, our own program
        [sys.executable, "-c", TWO_INVOCATIONS],
        env={"PYTHONPATH": f"{ROOT / 'layers' / 'switchboard'}:{ROOT}"},
        capture_output=True,
        text=True,
        check=True,
    )

    lines = [line for line in map(json.loads, done.stdout.splitlines()) if "message" in line]
    assert [(line["message"], line["function_request_id"], line["cold_start"]) for line in lines] == [
        ("accepted", "first-request", True),
        ("accepted", "second-request", False),
    ]

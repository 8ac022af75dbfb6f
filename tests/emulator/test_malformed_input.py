"""Malformed input to any route gets a 4xx in Twilio's error format, never a 5xx."""

import random
from itertools import product

import pytest

from tests.emulator.emulator_server import ACCOUNT, CUSTOMER, OUR_SMS, SERVICE, VISITOR, EmulatorServer
from twilio_emulator.rest.urls import ROUTES

CALLS = sorted((method, path) for path, methods in ROUTES.items() for method in methods)
CONTROL_CALLS = [
    ("POST", "/_emulator/inbound"),
    ("POST", "/_emulator/read"),
    ("POST", "/_emulator/typing"),
    ("POST", "/_emulator/faults"),
    ("POST", "/_emulator/clock"),
    ("POST", "/_emulator/senders"),
    ("PUT", "/_emulator/snapshot"),
    ("PUT", "/_emulator/credentials"),
]
NAMES = [
    "FriendlyName", "UniqueName", "Attributes", "State", "Identity", "Author", "Body", "MediaSid", "ContentSid",
    "ContentVariables", "MessagingBinding.Address", "MessagingBinding.ProxyAddress", "Timers.Inactive", "DateCreated",
    "LastReadMessageIndex", "Target", "Configuration.Url", "Configuration.Filters", "Configuration.ReplayAfter",
    "Type", "Address", "Permission", "RoleSid", "Participant", "PostWebhookUrl", "Filters", "Method", "PageSize",
    "Page", "PageToken", "Order", "StartDate", "AutoCreation.Enabled", "DefaultInactiveTimer", "NotificationLevel",
    "messageId",
]  # fmt: skip
VALUES = [
    b"", b"%00", b"%FF%FE", b"%ED%A0%80", b"null", b"-1", b"99999999999999999999", b"1e309", b"NaN", b"{", b"[]",
    b"[[[", b"%7B%22a%22%3A1%7D", b"CH" + b"0" * 32, b"'; DROP TABLE", b"P1Y", b"PT999999H", b"2026-02-30T25:61:61Z",
    b"0001-01-01T00:00:00%2B23:59", b"9999-12-31T23:59:59-23:59", b"%2B12025550110", b"whatsapp:", b"x" * 70_000,
    b"%F0%9F%92%A9", b"http://[", b"true",
]  # fmt: skip


def sids(twilio: EmulatorServer) -> dict[str, str]:
    """Return path parameters of existing resources, so that the handlers see the malformed input."""
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    message = conversation.messages.create(author="switchboard", body="hello")
    conversation.participants.create(identity=VISITOR)
    return {
        "account_sid": ACCOUNT,
        "service_sid": SERVICE,
        "conversation_sid": twilio.service.conversations.list()[0].sid,
        "message_sid": message.sid,
        "user_sid": VISITOR,
        "sid": "nobody",
    }


def random_form(seed: int) -> bytes:
    dice = random.Random(seed)  # noqa: S311 -- repeatable, not secret
    return b"&".join(dice.choice(NAMES).encode() + b"=" + dice.choice(VALUES) for _ in range(dice.randrange(0, 6)))


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_random_parameters_never_get_a_5xx(twilio: EmulatorServer, method: str, path: str) -> None:
    url = path.format(**sids(twilio))

    for seed in range(25):
        twilio.advance_clock(seconds=1)  # otherwise the rate limits would refuse the calls
        query, body = random_form(seed * 2).replace(b"x" * 70_000, b"x"), random_form(seed * 2 + 1)
        answer = twilio.request_unchecked(method, f"{url}?{query.decode()}", body)
        assert answer.status_code < 500, (seed, answer.text)
        if answer.status_code >= 400:
            assert answer.json()["status"] == answer.status_code


@pytest.mark.parametrize(("method", "path"), [*CALLS[::5], *CONTROL_CALLS])
def test_a_malformed_body_is_accepted_or_gets_a_4xx(twilio: EmulatorServer, method: str, path: str) -> None:
    url = path.format(**sids(twilio))

    for body in (b"\xff\xfe", b"\x00" * 100, b"{", b"[1]", b'"\\ud800"', b'{"from": "\\ud800"}', b"=&=&&", b"[" * 5000):
        answer = twilio.request_unchecked(method, url, body)
        assert answer.status_code < 500, (body[:20], answer.text)
        if answer.status_code >= 400:
            assert answer.json()["status"] == answer.status_code


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *product(("GET", "POST", "DELETE", "OPTIONS"), ("/v1", "/v1/", "/v2/Conversations", "/_emulator")),
        *product(("POST", "DELETE", "OPTIONS"), ("/",)),
        ("GET", "/v1/Conversations/"),
        ("GET", "/v1/Conversations/%00"),
        ("GET", "/v1/Conversations/%FF"),
        ("GET", "/v1/Conversations/" + "x" * 5000),
        ("GET", "/_emulator/nothing"),
        ("DELETE", "/_emulator/inbound"),
    ],
)
def test_an_unknown_route_gets_twilios_error_format(twilio: EmulatorServer, method: str, path: str) -> None:
    answer = twilio.request_unchecked(method, path, b"")

    assert answer.status_code in {404, 405}
    assert answer.json()["status"] == answer.status_code


@pytest.mark.parametrize(
    "body",
    [
        {"from": CUSTOMER, "to": OUR_SMS, "body": ""},
        {"from": CUSTOMER, "to": CUSTOMER, "body": "hi"},
        {"from": "alice", "to": OUR_SMS, "body": "hi"},
        {"from": CUSTOMER, "to": "chat", "body": "hi"},
        {"from": CUSTOMER, "to": OUR_SMS, "body": "x" * 40_000},
        {"from": CUSTOMER, "to": OUR_SMS, "body": "hi", "colour": "red"},
        {"from": CUSTOMER, "to": OUR_SMS, "media": [{"content": "!", "content_type": "image/png"}]},
        {"from": 12025550110, "to": OUR_SMS, "body": "hi"},
        {},
    ],
)
def test_an_invalid_message_is_refused_and_changes_nothing(twilio: EmulatorServer, body: dict[str, object]) -> None:
    answer = twilio.request("POST", "/_emulator/inbound", json=body)

    assert 400 <= answer.status_code < 500
    assert twilio.service.conversations.list() == []

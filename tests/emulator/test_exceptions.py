"""A call for each of Twilio's error codes that the emulator knows, with the `twilio` package or over plain HTTP."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.emulator_server import CUSTOMER, OUR_SMS, OUR_WHATSAPP, SERVICE, EmulatorServer, refused
from twilio_emulator.models import conversations, participants
from twilio_emulator.models.events import rest_origin

NOBODY = "0" * 32
PACKAGE = Path(__file__).parents[2] / "twilio_emulator"


def bind(address: str | None, proxy_address: str | None) -> dict[str, str | None]:
    return {"messaging_binding_address": address, "messaging_binding_proxy_address": proxy_address}


def conversation(twilio: EmulatorServer, **given: object) -> Any:  # noqa: ANN401 -- the package types its resources loosely
    return twilio.service.conversations.create(**given)


def chat(twilio: EmulatorServer) -> Any:  # noqa: ANN401 -- see conversation
    """Return a chat participant."""
    return conversation(twilio).participants.create(identity="alice")


def customer(twilio: EmulatorServer) -> Any:  # noqa: ANN401 -- see conversation
    """Return a participant on SMS."""
    return conversation(twilio).participants.create(**bind(CUSTOMER, OUR_SMS))


def message(twilio: EmulatorServer, **given: object) -> Any:  # noqa: ANN401 -- see conversation
    return conversation(twilio).messages.create(**{"body": "hi", **given})


def webhook(twilio: EmulatorServer, **given: object) -> Any:  # noqa: ANN401 -- see conversation
    return conversation(twilio).webhooks.create(**given)


def update_closed_conversation(twilio: EmulatorServer) -> None:
    conversation(twilio).update(state="closed").update(friendly_name="again")


def template(twilio: EmulatorServer) -> str:
    body = {"types": {"twilio/text": {"body": "Hello {{1}}"}}}
    return str(twilio.request("POST", "/v1/Content", json=body).json()["sid"])


def full(twilio: EmulatorServer, *, people: int, on_channels: int) -> Any:  # noqa: ANN401 -- see conversation
    """Return a conversation with so many participants, added without REST calls, whose rate is limited."""
    backend, no_webhooks = twilio.emulator.backend, rest_origin(webhook_enabled=False)
    conversation_ = conversations.commit(backend, conversations.draft(backend, service_sid=SERVICE), origin=no_webhooks)
    for number in range(people):
        draft = participants.draft(backend, conversation_.sid, identity=f"user-{number}")
        participants.commit(backend, draft, origin=no_webhooks)
    for number in range(on_channels):
        address = f"whatsapp:+1202555{number:04}"
        draft = participants.draft(backend, conversation_.sid, address=address, proxy_address=OUR_WHATSAPP)
        participants.commit(backend, draft, origin=no_webhooks)
    return twilio.service.conversations(conversation_.sid)


def exceed_conversations_of_an_identity(twilio: EmulatorServer) -> None:
    backend, no_webhooks = twilio.emulator.backend, rest_origin(webhook_enabled=False)
    for _ in range(1000):
        each = conversations.commit(backend, conversations.draft(backend, service_sid=SERVICE), origin=no_webhooks)
        participants.commit(backend, participants.draft(backend, each.sid, identity="alice"), origin=no_webhooks)
    conversation(twilio).participants.create(identity="alice")


def add_six_webhooks(twilio: EmulatorServer) -> None:
    webhooks = conversation(twilio).webhooks
    for _ in range(6):
        webhooks.create(target="webhook", configuration_url="https://bot.example.com")


def send_media_twice(twilio: EmulatorServer) -> None:
    sid = twilio.request("POST", f"/v1/Services/{SERVICE}/Media", data=b"x").json()["sid"]
    for _ in range(2):
        message(twilio, media_sid=sid)


def add_webhook_without_target(twilio: EmulatorServer) -> None:
    path = f"/v1/Services/{SERVICE}/Conversations/{conversation(twilio).sid}/Webhooks"
    raw("POST", path, data={"Configuration.Url": "https://bot.example.com"})(twilio)


def change_webhook_target(twilio: EmulatorServer) -> None:
    existing = webhook(twilio, target="webhook", configuration_url="https://bot.example.com")
    path = f"/v1/Services/{SERVICE}/Conversations/{existing.conversation_sid}/Webhooks/{existing.sid}"
    raw("POST", path, data={"Target": "trigger"})(twilio)


def raw(method: str, path: str, **given: object) -> Callable[[EmulatorServer], None]:
    """Return a call that the package cannot make; it raises the error that the package would raise."""

    def call(twilio: EmulatorServer) -> None:
        twilio.raise_for_error(twilio.request(method, path, **given))

    return call


def configure_auto_creation(twilio: EmulatorServer, **given: object) -> None:
    """Add an address configuration with these auto-creation settings."""
    twilio.client.conversations.v1.address_configurations.create(
        type="sms", address="+12025550177", **{f"auto_creation_{name}": value for name, value in given.items()}
    )


INVALID_CALLS: list[tuple[int, int, Callable[[EmulatorServer], object]]] = [
    (20001, 400, raw("POST", "/v1/Conversations", data={"FriendlyNam": "x"})),
    (20001, 400, change_webhook_target),
    (20004, 405, raw("PUT", "/v1/Conversations")),
    (20404, 404, lambda t: t.service.conversations(f"CH{NOBODY}").fetch()),
    (20404, 404, raw("GET", "/v1/Nowhere")),
    (20404, 404, lambda t: t.client.conversations.v1.services(f"IS{NOBODY}").fetch()),
    (20422, 400, lambda t: t.client.conversations.v1.address_configurations.create(type="pigeon", address="x")),
    (20422, 400, lambda t: conversation(t, friendly_name="x" * 257)),
    (20422, 400, lambda t: conversation(t, unique_name="x" * 257)),
    (20422, 400, lambda t: message(t, subject="x" * 257)),
    (20422, 400, lambda t: message(t).update(subject="x" * 257)),
    (20422, 400, lambda t: t.service.roles.create(friendly_name="x" * 65, type="service", permission=["sendMessage"])),
    (20422, 400, lambda t: t.service.users.create(identity="alice", friendly_name="x" * 257)),
    (20422, 400, lambda t: t.service.configuration.webhooks().update(filters=["onUserAdded"])),
    (20422, 400, lambda t: t.client.conversations.v1.configuration.webhooks().update(filters=["onSomething"])),
    (20422, 400, lambda t: t.client.conversations.v1.address_configurations.create(type="sms", address=OUR_SMS)),
    (20422, 400, lambda t: configure_auto_creation(t, type="webhook")),
    (20422, 400, lambda t: configure_auto_creation(t, type="studio")),
    (20422, 400, lambda t: configure_auto_creation(t, type="webhook", webhook_url="nowhere")),
    (20422, 400, lambda t: webhook(t, target="webhook", configuration_url="ftp://bot.example.com")),
    (20422, 400, lambda t: t.service.configuration.webhooks().update(post_webhook_url="bot.example.com")),
    (20422, 400, lambda t: t.service.configuration.webhooks().update(pre_webhook_url="https://bot example.com")),
    (20422, 400, lambda t: configure_auto_creation(t, webhook_filters=["onConversationAdded"])),
    (20422, 400, raw("POST", "/v1/Services", data={})),
    (20422, 400, raw("POST", "/v1/Conversations", data=[("FriendlyName", "a"), ("FriendlyName", "b")])),
    (20422, 400, raw("GET", "/v1/ParticipantConversations")),
    (20422, 400, raw("POST", "/v2/Indicators/Typing.json", data={"channel": "sms", "messageId": f"SM{NOBODY}"})),
    (20422, 400, raw("POST", "/v2/Indicators/Typing.json", data={"channel": "whatsapp", "messageId": f"IM{NOBODY}"})),
    (20422, 400, raw("POST", f"/v1/Services/{SERVICE}/Media", data=b"")),
    (20422, 400, lambda t: t.client.incoming_phone_numbers.create(phone_number="12025550110")),
    (50050, 404, lambda t: t.client.conversations.v1.configuration().update(default_chat_service_sid=f"IS{NOBODY}")),
    (50050, 404, lambda t: configure_auto_creation(t, conversation_service_sid=f"IS{NOBODY}")),
    (50100, 404, lambda t: t.service.users.create(identity="alice", role_sid=f"RL{NOBODY}")),
    (50100, 404, lambda t: conversation(t).participants.create(identity="alice", role_sid=f"RL{NOBODY}")),
    (50100, 404, lambda t: t.service.configuration().update(default_chat_service_role_sid=f"RL{NOBODY}")),
    (50104, 400, lambda t: t.service.roles.create(friendly_name="x", type="service", permission=["no such"])),
    (50105, 400, lambda t: t.service.roles.create(friendly_name="x", type="owner", permission=["sendMessage"])),
    (50200, 404, lambda t: t.service.users("nobody").user_conversations(f"CH{NOBODY}").fetch()),
    (50201, 409, lambda t: [t.service.users.create(identity="alice") for _ in range(2)]),
    (50204, 400, lambda t: t.service.users.create(identity="")),
    (50206, 400, lambda t: t.service.users.create(identity=f"US{NOBODY}")),
    (50207, 400, lambda t: t.service.users.create(identity="x" * 257)),
    (50211, 400, lambda t: customer(t).update(identity="alice")),
    (50214, 403, exceed_conversations_of_an_identity),
    (50303, 400, lambda t: conversation(t, attributes=json.dumps("x" * 16 * 1024))),
    (50303, 400, lambda t: message(t, attributes=json.dumps("x" * 4 * 1024))),
    (50303, 400, lambda t: chat(t).update(attributes=json.dumps("x" * 4 * 1024))),
    (50303, 400, lambda t: t.service.users.create(identity="alice", attributes=json.dumps("x" * 4 * 1024))),
    (50304, 400, lambda t: conversation(t, attributes="{not json")),
    (50304, 400, lambda t: message(t, attributes="NaN")),
    (50308, 400, raw("POST", "/v1/Conversations", data={"DateCreated": "yesterday"})),
    (50309, 400, raw("POST", "/v1/Conversations", data={"DateUpdated": "2026-13-01T00:00:00Z"})),
    (50310, 400, lambda t: message(t, author="x" * 257)),
    (50341, 400, lambda t: conversation(t, messaging_service_sid="MG1")),
    (50350, 404, lambda t: t.service.conversations(f"CH{NOBODY}").messages.create(body="hi")),
    (50353, 409, lambda t: [conversation(t, unique_name="order-17") for _ in range(2)]),
    (50360, 404, lambda t: conversation(t).webhooks(f"WH{NOBODY}").fetch()),
    (50361, 403, add_six_webhooks),
    (50364, 400, lambda t: webhook(t, target="carrier-pigeon")),
    (50365, 400, lambda t: webhook(t, target="webhook", configuration_url="https://a", configuration_filters=["on"])),
    (
        50365,
        400,
        lambda t: webhook(t, target="webhook", configuration_url="https://a", configuration_filters=["onMessageAdd"]),
    ),
    (50366, 400, lambda t: webhook(t, target="trigger", configuration_url="https://a", configuration_triggers=[""])),
    (50367, 400, lambda t: webhook(t, target="studio", configuration_flow_sid="FW1")),
    (50368, 400, add_webhook_without_target),
    (50369, 400, lambda t: webhook(t, target="webhook")),
    (50369, 400, lambda t: webhook(t, target="trigger", configuration_triggers=["refund"])),
    (50371, 400, lambda t: webhook(t, target="trigger", configuration_url="https://bot.example.com")),
    (50374, 400, lambda t: conversation(t).update(state="")),
    (50375, 400, lambda t: conversation(t, timers_inactive="PT59S")),
    (50376, 400, lambda t: conversation(t, timers_closed="PT9M59S")),
    (50377, 400, update_closed_conversation),
    (50378, 400, lambda t: conversation(t, state="initializing")),
    (50379, 400, lambda t: conversation(t, timers_inactive="1 hour")),
    (50380, 400, lambda t: conversation(t).update(timers_closed="P")),
    (50384, 400, lambda t: conversation(t, state="closed")),
    (50390, 400, lambda t: conversation(t, unique_name=f"CH{NOBODY}")),
    (50407, 400, lambda t: conversation(t).participants.create(**bind("12025550110", OUR_SMS))),
    (50408, 400, lambda t: conversation(t).participants.create(**bind(CUSTOMER, "shop"))),
    (50409, 400, lambda t: conversation(t).participants.create(**bind(OUR_SMS, OUR_SMS))),
    (50411, 400, lambda t: conversation(t).participants.create(**bind(None, OUR_SMS))),
    (50412, 400, lambda t: conversation(t).participants.create(**bind(CUSTOMER, None))),
    (50413, 400, lambda t: conversation(t).participants.create(**bind(CUSTOMER, "+12025550199"))),
    (50414, 400, lambda t: conversation(t).participants.create(**bind(f"whatsapp:{CUSTOMER}", OUR_SMS))),
    (
        50415,
        400,
        lambda t: conversation(t).participants.create(**bind(f"whatsapp:{CUSTOMER}", "whatsapp:+12025550199")),
    ),
    (50416, 409, lambda t: [customer(t) for _ in range(2)]),
    (50417, 403, lambda t: full(t, people=1000, on_channels=0).participants.create(identity="alice")),
    (50418, 403, lambda t: full(t, people=0, on_channels=50).participants.create(**bind(CUSTOMER, OUR_SMS))),
    (50421, 400, lambda t: chat(t).update(last_read_message_index=-1)),
    (
        50426,
        400,
        lambda t: t.service.conversation_with_participants.create(
            participant=[json.dumps({"identity": str(number)}) for number in range(11)]
        ),
    ),
    (50430, 404, lambda t: t.service.users(chat(t).identity).user_conversations(conversation(t).sid).fetch()),
    (50433, 409, lambda t: [each.create(identity="a") for each in [conversation(t).participants] for _ in range(2)]),
    (50440, 400, lambda t: chat(t).update(messaging_binding_proxy_address="null")),
    (50441, 400, lambda t: chat(t).update(messaging_binding_proxy_address=OUR_SMS)),
    (50442, 400, lambda t: chat(t).update(messaging_binding_projected_address="null")),
    (50443, 400, lambda t: customer(t).update(messaging_binding_projected_address=OUR_SMS)),
    (50444, 400, lambda t: chat(t).update(identity="bob")),
    (50451, 400, raw("GET", "/v1/ParticipantConversations?Identity=alice&Address=%2B12025550110")),
    (50452, 400, lambda t: conversation(t).participants.create(messaging_binding_projected_address=OUR_SMS)),
    (
        50453,
        400,
        lambda t: conversation(t).participants.create(identity="a", messaging_binding_proxy_address=OUR_SMS),
    ),
    (50500, 404, lambda t: conversation(t).messages(f"IM{NOBODY}").delivery_receipts(f"DY{NOBODY}").fetch()),
    (50503, 400, lambda t: message(t, body="")),
    (50504, 400, lambda t: message(t, body="x" * (32 * 1024 + 1))),
    (50507, 404, lambda t: message(t, media_sid=f"ME{NOBODY}")),
    (50508, 400, send_media_twice),
    (50510, 400, lambda t: message(t, media_sid="picture")),
    (50526, 400, lambda t: message(t, content_sid="HX1")),
    (50527, 400, lambda t: message(t, content_sid=template(t), content_variables="[1]")),
    (50528, 400, lambda t: message(t, content_variables='{"1": "x"}')),
    (50529, 400, lambda t: message(t, content_sid=template(t), content_variables=json.dumps({"1": "x" * 27_801}))),
    (50540, 400, lambda t: message(t, content_sid=template(t), content_variables=json.dumps({"x" * 17: "x"}))),
    (50541, 400, lambda t: message(t, content_sid=template(t), content_variables=json.dumps({"1": "x" * 257}))),
]


def json_of(most_bytes: int) -> str:
    return json.dumps("x" * (most_bytes - 2))


CALLS_AT_THE_LIMIT: list[Callable[[EmulatorServer], object]] = [
    lambda t: conversation(t, friendly_name="x" * 256, unique_name="x" * 256, attributes=json_of(16 * 1024)),
    lambda t: conversation(t, timers_inactive="PT1M", timers_closed="PT10M"),
    lambda t: message(t, author="x" * 256, subject="x" * 256, body="x" * 32 * 1024, attributes=json_of(4 * 1024)),
    lambda t: conversation(t).participants.create(identity="x" * 256, attributes=json_of(4 * 1024)),
    lambda t: t.service.users.create(identity="x" * 256, friendly_name="x" * 256, attributes=json_of(4 * 1024)),
    lambda t: t.service.roles.create(friendly_name="x" * 64, type="service", permission=["sendMessage"]),
    lambda t: message(t, content_sid=template(t), content_variables=json.dumps({"1": "x" * 256, "x" * 16: "x"})),
    lambda t: t.service.conversation_with_participants.create(
        participant=[json.dumps({"identity": str(number)}) for number in range(10)]
    ),
    lambda t: full(t, people=999, on_channels=0).participants.create(identity="alice"),
    lambda t: full(t, people=0, on_channels=49).participants.create(**bind(CUSTOMER, OUR_SMS)),
]


@pytest.mark.parametrize("call", CALLS_AT_THE_LIMIT, ids=range(len(CALLS_AT_THE_LIMIT)))
def test_values_at_twilios_limits_are_accepted(
    twilio: EmulatorServer, call: Callable[[EmulatorServer], object]
) -> None:
    assert call(twilio)


# Tested in other files: credentials (20003), pre-webhooks (50056), rate limits (50063, 50074), a customer's large file
# (50512).
TESTED_ELSEWHERE = {20003, 50056, 50063, 50074, 50512}
# Codes that no single call causes: they depend on the account, the load, group MMS, Twilio itself or parallel calls; or
# the delivery fails instead (50511).
BY_FAULT = {
    20005, 20006, 20403, 20429, 20500, 20503, 50055, 50057, 50076, 50107, 50213, 50349, 50362, 50363, 50370, 50372,
    50373, 50382, 50391, 50419, 50422, 50432, 50435, 50436, 50437, 50438, 50511, 50610,
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "status", "call"), INVALID_CALLS, ids=[f"{n}-{row[0]}" for n, row in enumerate(INVALID_CALLS)]
)
def test_an_invalid_call_gets_twilios_code_and_status(
    twilio: EmulatorServer, code: int, status: int, call: Callable[[EmulatorServer], object]
) -> None:
    with refused(code=code, status=status) as caught:
        call(twilio)

    assert caught.value.msg


@pytest.mark.parametrize("code", sorted(BY_FAULT))
def test_a_fault_can_return_codes_that_no_call_causes(twilio: EmulatorServer, code: int) -> None:
    sid = conversation(twilio).sid
    twilio.arm("answer", on="GET */Conversations/*", code=code)

    with refused(code=code) as caught:
        twilio.service.conversations(sid).fetch()

    assert "dictionary" not in caught.value.msg  # the code has a message of its own


def known_codes() -> Iterator[int]:
    text = (PACKAGE / "exceptions.py").read_text()
    yield from (int(code) for code in re.findall(r"\b(?:20|50)\d{3}(?=: \"| *$)", text, re.MULTILINE))


def test_every_error_code_of_the_emulator_is_tested_here() -> None:
    shown = {code for code, _, _ in INVALID_CALLS} | TESTED_ELSEWHERE | BY_FAULT

    assert set(known_codes()) - shown == set()


def test_an_error_has_twilios_four_fields(twilio: EmulatorServer) -> None:
    answer = twilio.request("GET", f"/v1/Conversations/CH{NOBODY}")

    assert answer.json() == {
        "code": 20404,
        "message": f"The requested resource /Conversations/CH{NOBODY} was not found",
        "more_info": "https://www.twilio.com/docs/errors/20404",
        "status": 404,
    }

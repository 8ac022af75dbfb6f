"""What a channel takes of files, both ways (Twilio, "Conversations Limits")."""

import base64
from collections.abc import Sequence
from typing import Any

import pytest
import requests

from tests.emulator.emulator_server import CUSTOMER, OUR_SMS, OUR_WHATSAPP, SERVICE, VISITOR, EmulatorServer
from tests.emulator.webhook_site import WebhookSite
from tests.waiting import wait_until

MEGABYTE = 1024 * 1024
WHATSAPP_CUSTOMER = f"whatsapp:{CUSTOMER}"
BY_SMS = (CUSTOMER, OUR_SMS)
BY_WHATSAPP = (WHATSAPP_CUSTOMER, OUR_WHATSAPP)
BY_RCS = ("rcs:customer", "rcs:shop")
IN_A_CHAT = (VISITOR, "chat")
TAKEN = ["image/jpeg", "image/jpg", "image/png", "audio/mpeg", "audio/mp3", "audio/amr", "video/mp4", "application/pdf"]


def receive(
    twilio: EmulatorServer, channel: tuple[str, str], sizes: Sequence[int], content_type: str = "image/png"
) -> requests.Response:
    """Send files of these sizes, in bytes, as a customer."""
    files = [{"content": base64.b64encode(bytes(size)).decode(), "content_type": content_type} for size in sizes]
    sender, to = channel
    body = {"from": sender, "to": to, "body": "look", "media": files}
    return twilio.request("POST", "/_emulator/inbound", json=body)


def send(twilio: EmulatorServer, conversation_sid: str, *, size: int, content_type: str, body: str = "") -> Any:  # noqa: ANN401 -- the package types its resources loosely
    path = f"/v1/Services/{SERVICE}/Media"
    media = twilio.request("POST", path, data=bytes(size), headers={"Content-Type": content_type}).json()
    text = {"body": body} if body else {}
    return twilio.service.conversations(conversation_sid).messages.create(
        author="switchboard", media_sid=media["sid"], **text
    )


def error_code(message: Any) -> int:  # noqa: ANN401 -- see send
    """Return the error code of the only receipt; 0 if the message was delivered."""
    (receipt,) = message.delivery_receipts.list()
    assert receipt.status == ("failed" if receipt.error_code else "delivered")
    return int(receipt.error_code)


@pytest.mark.parametrize(
    ("channel", "sizes"),
    [
        (BY_SMS, [1] * 10),
        (BY_SMS, [2 * MEGABYTE, 2 * MEGABYTE, MEGABYTE]),
        (BY_WHATSAPP, [16 * MEGABYTE]),
        (IN_A_CHAT, [1] * 11),
        (IN_A_CHAT, [17 * MEGABYTE]),
    ],
    ids=str,
)
def test_a_customer_sends_files_up_to_the_limits_of_their_channel(
    twilio: EmulatorServer, channel: tuple[str, str], sizes: list[int]
) -> None:
    answer = receive(twilio, channel, sizes)

    assert answer.status_code == 202
    message = twilio.service.conversations(answer.json()["conversation_sid"]).messages.list()[0]
    assert (message.body, [file["size"] for file in message.media]) == ("look", sizes)


@pytest.mark.parametrize(
    ("channel", "sizes", "code"),
    [
        (BY_SMS, [1] * 11, 20422),
        (BY_SMS, [2 * MEGABYTE + 1], 50512),
        (BY_SMS, [2 * MEGABYTE, 2 * MEGABYTE, MEGABYTE + 1], 50512),
        (BY_WHATSAPP, [1, 1], 20422),
        (BY_WHATSAPP, [16 * MEGABYTE + 1], 50512),
    ],
    ids=str,
)
def test_what_a_customers_channel_does_not_carry_is_refused_and_opens_no_conversation(
    twilio: EmulatorServer, channel: tuple[str, str], sizes: list[int], code: int
) -> None:
    answer = receive(twilio, channel, sizes)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert twilio.service.conversations.list() == []


@pytest.mark.parametrize("content_type", ["audio/ogg; codecs=opus", "image/webp", "text/vcard"])
@pytest.mark.parametrize("channel", [BY_SMS, BY_WHATSAPP], ids=["sms", "whatsapp"])
def test_a_customer_sends_files_of_any_type(
    twilio: EmulatorServer, channel: tuple[str, str], content_type: str
) -> None:
    assert receive(twilio, channel, [1], content_type).status_code == 202


@pytest.mark.parametrize("content_type", [*TAKEN, "Image/PNG", "video/mp4; codecs=avc1"])
@pytest.mark.parametrize("channel", [BY_SMS, BY_WHATSAPP], ids=["sms", "whatsapp"])
def test_sms_and_whatsapp_take_six_kinds_of_files(
    twilio: EmulatorServer, channel: tuple[str, str], content_type: str
) -> None:
    sid = twilio.text("hi", sender=channel[0], to=channel[1])["conversation_sid"]

    assert error_code(send(twilio, sid, size=1, content_type=content_type)) == 0
    assert [file["content_type"] for file in twilio.inbox(channel[0])[0]["media"]] == [content_type]


@pytest.mark.parametrize(
    ("channel", "content_type", "size", "code"),
    [
        (BY_SMS, "image/png", 5 * MEGABYTE - 1, 0),
        (BY_SMS, "image/png", 5 * MEGABYTE, 11751),
        (BY_SMS, "image/gif", 1, 12300),
        (BY_SMS, "text/plain", 1, 12300),
        (BY_WHATSAPP, "video/mp4", 16 * MEGABYTE, 0),
        (BY_WHATSAPP, "video/mp4", 16 * MEGABYTE + 1, 11751),
        (BY_WHATSAPP, "image/jpeg", 5 * MEGABYTE, 0),
        (BY_WHATSAPP, "image/jpeg", 5 * MEGABYTE + 1, 63034),
        (BY_WHATSAPP, "audio/ogg", 1, 63021),
        (BY_RCS, "text/plain", 16 * MEGABYTE, 0),
        (BY_RCS, "image/png", 16 * MEGABYTE + 1, 11751),
    ],
    ids=str,
)
def test_a_file_that_the_channel_does_not_take_is_accepted_and_its_delivery_fails(
    twilio: EmulatorServer, site: WebhookSite, channel: tuple[str, str], content_type: str, size: int, code: int
) -> None:
    address, proxy_address = channel
    twilio.request("POST", "/_emulator/senders", json={"address": proxy_address})
    conversation = twilio.service.conversations.create()
    conversation.participants.create(messaging_binding_address=address, messaging_binding_proxy_address=proxy_address)
    twilio.text("hi", sender=address, to=proxy_address)

    message = send(twilio, conversation.sid, size=size, content_type=content_type)

    assert error_code(message) == code
    assert len(twilio.inbox(address)) == (0 if code else 1)
    wait_until(lambda: site.types().count("onDeliveryUpdated") == (1 if code else 2))
    updates = [each.fields for each in site.received if each.type == "onDeliveryUpdated"]
    assert updates[-1]["Status"] == ("failed" if code else "delivered")
    assert updates[-1].get("ErrorCode") == (str(code) if code else None)


def test_a_visitors_large_file_reaches_the_web_chat_and_not_the_phone(twilio: EmulatorServer) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    conversation = twilio.service.conversations(sid)
    conversation.participants.create(identity=VISITOR)
    conversation.participants.create(identity="alice")

    receive(twilio, IN_A_CHAT, [6 * MEGABYTE])

    (message,) = conversation.messages.list()[1:]
    assert error_code(message) == 11751
    assert [file["size"] for row in twilio.inbox("alice") for file in row["media"]] == [6 * MEGABYTE]
    assert twilio.inbox() == []


@pytest.mark.parametrize("channel", [BY_SMS, BY_WHATSAPP], ids=["sms", "whatsapp"])
def test_a_phone_gets_one_file_without_the_text_and_a_web_chat_gets_all(
    twilio: EmulatorServer, channel: tuple[str, str]
) -> None:
    sid = twilio.text("hi", sender=channel[0], to=channel[1])["conversation_sid"]
    for identity in (VISITOR, "alice"):
        twilio.service.conversations(sid).participants.create(identity=identity)

    receive(twilio, IN_A_CHAT, [1, 2])
    send(twilio, sid, size=3, content_type="image/png", body="and this")

    phone, chat = twilio.inbox(channel[0]), twilio.inbox("alice")
    assert [(row["body"], [file["size"] for file in row["media"]]) for row in phone] == [("", [1]), ("", [3])]
    assert [(row["body"], [file["size"] for file in row["media"]]) for row in chat] == [
        ("look", [1, 2]),
        ("and this", [3]),
    ]


def test_one_file_that_the_channel_does_not_take_fails_the_whole_message(twilio: EmulatorServer) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    twilio.service.conversations(sid).participants.create(identity=VISITOR)

    receive(twilio, IN_A_CHAT, [1, 6 * MEGABYTE])

    assert error_code(twilio.service.conversations(sid).messages.list()[1]) == 11751

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

import httpx
import pytest

from tests.emulator.emulator_server import CUSTOMER, OUR_SMS, OUR_WHATSAPP, VISITOR, Served
from twilio_emulator.client import Attachment, Phone


class Phones(Protocol):
    def __call__(self, address: str, *, to: str | None = None) -> Phone: ...


@pytest.fixture
def phone(twilio: Served) -> Iterator[Phones]:
    with ExitStack() as opened:
        yield lambda address, *, to=None: opened.enter_context(Phone(twilio.url, address, to=to))


@pytest.mark.parametrize(("address", "to"), [(CUSTOMER, OUR_SMS), (f"whatsapp:{CUSTOMER}", OUR_WHATSAPP)])
def test_a_phone_texts_our_address_on_its_own_channel(twilio: Served, phone: Phones, address: str, to: str) -> None:
    sent = phone(address).text("hi")

    (participant,) = twilio.service.conversations(sent.conversation_sid).participants.list()
    assert participant.messaging_binding["proxy_address"] == to


def test_a_visitor_chats(twilio: Served, phone: Phones) -> None:
    visitor = phone(VISITOR)
    sent = visitor.text("hi")
    assert sent.channel_message_sid is None
    twilio.service.conversations(sent.conversation_sid).messages.create(author="switchboard", body="hello")

    (arrived,) = visitor.inbox()

    assert (arrived.body, arrived.author, arrived.status) == ("hello", "switchboard", "delivered")
    visitor.read()
    assert [each.status for each in visitor.inbox()] == ["read"]


def test_a_phone_sends_files(twilio: Served, phone: Phones) -> None:
    sent = phone(CUSTOMER).text("look", Attachment(b"\x89PNG", "image/png", "car.png"))

    message = twilio.service.conversations(sent.conversation_sid).messages(sent.message_sid).fetch()
    assert (message.body, message.media[0]["filename"], message.media[0]["size"]) == ("look", "car.png", 4)


def test_a_phone_opts_out_and_in(twilio: Served, phone: Phones) -> None:
    customer = phone(CUSTOMER)
    sid = customer.opt_out().conversation_sid
    twilio.service.conversations(sid).messages.create(author="switchboard", body="lost")

    customer.opt_in()
    twilio.service.conversations(sid).messages.create(author="switchboard", body="found")

    assert [arrived.body for arrived in customer.inbox()] == ["found"]


def test_a_phone_types(twilio: Served, phone: Phones) -> None:
    customer = phone(CUSTOMER)
    sid = customer.text("hi").conversation_sid
    assert sid is not None

    customer.type()

    assert twilio.typing(sid) == [CUSTOMER]


def test_a_phone_hears_why_its_text_is_refused(phone: Phones) -> None:
    with pytest.raises(httpx.HTTPStatusError) as caught:
        phone(CUSTOMER, to="+12025550199").text("hi")

    assert caught.value.response.json()["code"] == 50413

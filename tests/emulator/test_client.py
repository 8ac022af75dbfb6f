from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

import httpx
import pytest

from tests.emulator.emulator_server import CUSTOMER, OUR_SMS, OUR_WHATSAPP, VISITOR, EmulatorServer
from twilio_emulator.client import Attachment, CustomerClient


class ConnectCustomer(Protocol):
    def __call__(self, address: str, *, to: str | None = None) -> CustomerClient: ...


@pytest.fixture
def connect(twilio: EmulatorServer) -> Iterator[ConnectCustomer]:
    with ExitStack() as opened:
        yield lambda address, *, to=None: opened.enter_context(CustomerClient(twilio.url, address, to=to))


@pytest.mark.parametrize(("address", "to"), [(CUSTOMER, OUR_SMS), (f"whatsapp:{CUSTOMER}", OUR_WHATSAPP)])
def test_a_customer_writes_to_the_accounts_address_on_their_own_channel(
    twilio: EmulatorServer, connect: ConnectCustomer, address: str, to: str
) -> None:
    sent = connect(address).send("hi")

    (participant,) = twilio.service.conversations(sent.conversation_sid).participants.list()
    assert participant.messaging_binding["proxy_address"] == to


def test_a_visitor_sends_and_reads_in_a_web_chat(twilio: EmulatorServer, connect: ConnectCustomer) -> None:
    visitor = connect(VISITOR)
    sent = visitor.send("hi")
    assert sent.channel_message_sid is None
    twilio.service.conversations(sent.conversation_sid).messages.create(author="switchboard", body="hello")

    (arrived,) = visitor.inbox()

    assert (arrived.body, arrived.author, arrived.status) == ("hello", "switchboard", "delivered")
    visitor.read()
    assert [each.status for each in visitor.inbox()] == ["read"]


def test_a_customer_sends_a_file(twilio: EmulatorServer, connect: ConnectCustomer) -> None:
    sent = connect(CUSTOMER).send("look", Attachment(b"\x89PNG", "image/png", "car.png"))

    message = twilio.service.conversations(sent.conversation_sid).messages(sent.message_sid).fetch()
    assert (message.body, message.media[0]["filename"], message.media[0]["size"]) == ("look", "car.png", 4)


def test_a_customer_opts_out_and_in(twilio: EmulatorServer, connect: ConnectCustomer) -> None:
    customer = connect(CUSTOMER)
    sid = customer.opt_out().conversation_sid
    twilio.service.conversations(sid).messages.create(author="switchboard", body="lost")

    customer.opt_in()
    twilio.service.conversations(sid).messages.create(author="switchboard", body="found")

    arrived = customer.inbox()
    assert [message.body for message in arrived if message.conversation_sid] == ["found"]
    assert [message.body.split(". ")[-1] for message in arrived if not message.conversation_sid] == [
        "Reply START to resubscribe.",
        "Reply STOP to unsubscribe.",
    ]


def test_a_customer_types(twilio: EmulatorServer, connect: ConnectCustomer) -> None:
    customer = connect(CUSTOMER)
    sid = customer.send("hi").conversation_sid
    assert sid is not None

    customer.type()

    assert twilio.typing(sid) == [CUSTOMER]


def test_a_refused_message_raises_an_error_with_twilios_code(connect: ConnectCustomer) -> None:
    with pytest.raises(httpx.HTTPStatusError) as caught:
        connect(CUSTOMER, to="+12025550199").send("hi")

    assert caught.value.response.json()["code"] == 50413

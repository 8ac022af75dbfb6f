"""WhatsApp's window, for what a program sends: a provider against an emulator whose clock a test sets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import requests

from switchboard import Provider
from switchboard.content import Content
from switchboard.errors import NotSent, SendRefused, WindowClosed
from switchboard.provider import EMULATOR
from tests.builders import sid
from twilio_emulator import Emulator
from twilio_emulator.client import CustomerClient
from twilio_emulator.server import Servers, listen

LONG_AGO = timedelta(hours=24)
JUST_NOW = timedelta(hours=23, minutes=59)
ON_WHATSAPP, OTHER_ON_WHATSAPP, ON_SMS = "whatsapp:+12025550131", "whatsapp:+12025550132", "+12025550131"
OUR_SENDER = "whatsapp:+12025550101"


@dataclass
class Stage:
    """An emulator and a provider. What customers write is as old as `ago` says when they write it."""

    provider: Provider
    emulator: Emulator
    url: str
    ago: timedelta = timedelta()

    def __post_init__(self) -> None:
        self.emulator.clock.source = lambda: datetime.now(UTC) - self.ago

    def wrote(self, address: str, *, ago: timedelta) -> str:
        """Have a customer write, and return the SID of the conversation."""
        self.ago = ago
        with CustomerClient(self.url, address) as customer:
            sent = customer.send("Hi")
        self.ago = timedelta()
        return str(sent.conversation_sid)

    def template(self) -> Content:
        """Return content that Twilio knows."""
        account_sid, auth_token, _ = EMULATOR
        template = {"language": "en", "types": {"twilio/text": {"body": "Write to us"}}}
        created = requests.post(f"{self.url}/v1/Content", json=template, auth=(account_sid, auth_token), timeout=10)
        return Content(sid=created.json()["sid"])

    def received(self, address: str) -> list[str]:
        with CustomerClient(self.url, address) as customer:
            return [message.body for message in customer.inbox()]

    def is_refused(self, conversation: str) -> bool:
        before = len(self.provider.list_messages(conversation))
        try:
            self.provider.send_message(conversation, "Our offers")
        except WindowClosed:
            assert len(self.provider.list_messages(conversation)) == before
            return True
        assert len(self.provider.list_messages(conversation)) == before + 1
        return False


@pytest.fixture
def stage() -> Iterator[Stage]:
    emulator = Emulator(actions_per_second=None)
    listening = listen("127.0.0.1", 0)
    servers = Servers({listening: emulator.app}, at_end=emulator.aclose)
    port = listening.getsockname()[1]
    with Provider.local(port) as provider:
        yield Stage(provider=provider, emulator=emulator, url=f"http://127.0.0.1:{port}")
    servers.close()


def test_a_text_to_a_customer_on_whatsapp_is_refused_from_24_hours_after_their_last_message_on(stage: Stage) -> None:
    assert stage.is_refused(stage.wrote(ON_WHATSAPP, ago=LONG_AGO))
    assert not stage.is_refused(stage.wrote(OTHER_ON_WHATSAPP, ago=JUST_NOW))
    assert (stage.received(ON_WHATSAPP), stage.received(OTHER_ON_WHATSAPP)) == ([], ["Our offers"])


def test_the_refusal_says_what_to_send_and_is_one_of_those_that_are_never_tried_again(stage: Stage) -> None:
    conversation = stage.wrote(ON_WHATSAPP, ago=LONG_AGO)

    with pytest.raises(SendRefused, match=re.escape('send an approved template, with content=Content(sid="HX…")')):
        stage.provider.send_message(conversation, "Our offers")


def test_a_customer_who_writes_again_opens_the_window(stage: Stage) -> None:
    stage.wrote(ON_WHATSAPP, ago=LONG_AGO)

    assert not stage.is_refused(stage.wrote(ON_WHATSAPP, ago=timedelta(hours=1)))


def test_what_we_wrote_opens_no_window(stage: Stage) -> None:
    conversation = stage.wrote(ON_WHATSAPP, ago=LONG_AGO)
    stage.provider.send_message(conversation, content=stage.template())

    assert stage.is_refused(conversation)


def test_content_is_sent_whenever_the_customer_wrote(stage: Stage) -> None:
    conversation = stage.wrote(ON_WHATSAPP, ago=LONG_AGO)

    sent = stage.provider.send_message(conversation, content=stage.template())

    assert [each.message_sid for each in stage.provider.list_messages(conversation)][-1] == sent.message_sid


def test_a_customer_on_whatsapp_who_never_wrote_is_sent_no_text(stage: Stage) -> None:
    conversation = stage.provider.create_conversation().sid
    stage.provider.add_participant(conversation, address=ON_WHATSAPP, proxy_address=OUR_SENDER)

    assert stage.is_refused(conversation)


def test_one_closed_window_of_several_customers_is_enough(stage: Stage) -> None:
    conversation = stage.wrote(ON_WHATSAPP, ago=JUST_NOW)
    stage.provider.add_participant(conversation, address=OTHER_ON_WHATSAPP, proxy_address=OUR_SENDER)

    assert stage.is_refused(conversation)


def test_no_other_channel_has_a_window(stage: Stage) -> None:
    chat = stage.provider.create_conversation().sid
    stage.provider.add_participant(chat, identity=f"visitor-{'0' * 31}3")

    assert not stage.is_refused(chat)
    assert not stage.is_refused(stage.wrote(ON_SMS, ago=timedelta(days=300)))


def test_the_last_message_is_found_behind_hundreds_of_ours(stage: Stage) -> None:
    conversation = stage.wrote(ON_WHATSAPP, ago=JUST_NOW)
    template = stage.template()
    for _ in range(110):
        stage.provider.send_message(conversation, content=template)

    assert not stage.is_refused(conversation)


def test_where_twilio_does_not_say_when_they_wrote_nothing_is_sent(stage: Stage) -> None:
    conversation = stage.wrote(ON_WHATSAPP, ago=JUST_NOW)
    fault = {"kind": "answer", "on": "GET */Messages", "code": 20503, "count": 1}
    requests.post(f"{stage.url}/_emulator/faults", json=fault, timeout=10).raise_for_status()

    with pytest.raises(NotSent):
        stage.provider.send_message(conversation, "Our offers")

    assert stage.received(ON_WHATSAPP) == []
    with pytest.raises(SendRefused, match="there is no such") as refused:
        stage.provider.send_message(sid("CH", 9), "Our offers")
    assert not isinstance(refused.value, WindowClosed)

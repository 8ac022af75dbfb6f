import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import Any

import pytest

from tests.emulator.emulator_server import CUSTOMER, OUR_SMS, SERVICE, Served, refused
from tests.emulator.webhook_site import Received, Reply, WebhookSite
from tests.waiting import wait_until
from twilio_emulator.models.events import POST_EVENTS

PRE = ("onConversationAdd", "onMessageAdd", "onMessageUpdate", "onParticipantAdd")
TELLS = {"x_twilio_webhook_enabled": "true"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What there is to change: a conversation with a participant and a message."""

    twilio: Served
    conversation: Any
    participant: Any
    message: Any

    def delete(self, child: str = "") -> None:
        """Delete by bare HTTP: the package drops the header of deletes."""
        path = f"/v1/Services/{SERVICE}/Conversations/{self.conversation.sid}{child}"
        Served.raises(self.twilio.request("DELETE", path, headers={"X-Twilio-Webhook-Enabled": "true"}))


ACTIONS: dict[str, Callable[[Standing], object]] = {
    "onConversationAdd": lambda s: s.twilio.service.conversations.create(**TELLS),
    "onConversationUpdate": lambda s: s.conversation.update(friendly_name="renamed", state="closed", **TELLS),
    "onConversationRemove": lambda s: s.delete(),
    "onParticipantAdd": lambda s: s.conversation.participants.create(identity="bob", **TELLS),
    "onParticipantUpdate": lambda s: s.participant.update(attributes='{"a": 1}', **TELLS),
    "onParticipantRemove": lambda s: s.delete(f"/Participants/{s.participant.sid}"),
    "onMessageAdd": lambda s: s.conversation.messages.create(body="hello", **TELLS),
    "onMessageUpdate": lambda s: s.message.update(body="hello", **TELLS),
    "onMessageRemove": lambda s: s.delete(f"/Messages/{s.message.sid}"),
}


@pytest.fixture(autouse=True)
def _asked(twilio: Served, site: WebhookSite) -> None:
    twilio.service.configuration.webhooks().update(pre_webhook_url=site.url, filters=[*PRE, "onMessageAdded"])


def answers(site: WebhookSite, event_type: str, *, status: int = 200, **changes: str) -> None:
    """Have the site answer one type of pre-webhook."""

    def reply(received: Received) -> Reply:
        if received.type != event_type:
            return Reply()
        return Reply(status=status, body=json.dumps(changes) if changes else "")

    site.reply = reply


def test_an_empty_answer_lets_the_message_pass_as_it_is(twilio: Served, site: WebhookSite) -> None:
    conversation = twilio.service.conversations.create()

    message = conversation.messages.create(body="hi", **TELLS)

    asked, _told = site.waits_for("onMessageAdd", "onMessageAdded")
    assert message.body == "hi"
    assert not {"MessageSid", "Index", "DateCreated"} & set(asked.fields)
    assert asked.is_signed()


def test_a_message_may_be_changed_before_anybody_sees_it(twilio: Served, site: WebhookSite) -> None:
    conversation = twilio.service.conversations.create()
    answers(site, "onMessageAdd", body="tidied", author="editor", attributes='{"tidied": true}')

    message = conversation.messages.create(author="alice", body="messy", **TELLS)

    assert (message.body, message.author, message.attributes) == ("tidied", "editor", '{"tidied": true}')


def test_a_conversation_may_be_renamed(twilio: Served, site: WebhookSite) -> None:
    answers(site, "onConversationAdd", friendly_name="renamed")

    assert twilio.service.conversations.create(friendly_name="mine", **TELLS).friendly_name == "renamed"


@pytest.mark.parametrize("event_type", ACTIONS)
def test_whatever_is_rejected_does_not_happen_and_is_not_told(
    twilio: Served, site: WebhookSite, event_type: str
) -> None:
    conversation = twilio.service.conversations.create()
    standing = Standing(
        twilio=twilio,
        conversation=conversation,
        participant=conversation.participants.create(identity="alice"),
        message=conversation.messages.create(body="hi"),
    )
    twilio.service.configuration.webhooks().update(filters=[*ACTIONS, *POST_EVENTS])
    answers(site, event_type, status=403)
    before = everything(twilio)

    with refused(code=50056):
        ACTIONS[event_type](standing)

    assert everything(twilio) == before
    assert site.types() == [event_type]


def test_a_users_change_is_asked_about_where_the_account_says_so(twilio: Served, site: WebhookSite) -> None:
    other = twilio.client.conversations.v1.services.create(friendly_name="without its own")
    twilio.client.conversations.v1.configuration.webhooks().update(pre_webhook_url=site.url, filters=["onUserUpdate"])
    users = twilio.client.conversations.v1.services(other.sid).users
    users.create(identity="alice")
    answers(site, "onUserUpdate", status=403)

    with refused(code=50056):
        users("alice").update(friendly_name="Alice", **TELLS)

    assert users("alice").fetch().friendly_name is None
    assert site.first("onUserUpdate").fields["FriendlyName"] == "Alice"


def everything(twilio: Served) -> dict[str, object]:
    state: dict[str, object] = twilio.request("GET", "/_emulator/snapshot").json()
    return state | {"sids_drawn": 0}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("{}", "application/json"),
        ('{"body": "changed"}', "text/plain"),
        ('{"body": 1, "Body": "changed", "index": "0"}', "application/json"),
        ('["body"]', "application/json"),
        ("no JSON", "application/json"),
        ("[" * 5000, "application/json"),
    ],
)
def test_an_answer_that_says_nothing_changes_nothing(
    twilio: Served, site: WebhookSite, body: str, content_type: str
) -> None:
    conversation = twilio.service.conversations.create()
    site.reply = lambda _received: Reply(body=body, content_type=content_type)

    assert conversation.messages.create(body="hi", **TELLS).body == "hi"


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_rejected_message_is_an_error_to_its_sender_and_nothing_else(
    twilio: Served, site: WebhookSite, status: int
) -> None:
    conversation = twilio.service.conversations.create()
    answers(site, "onMessageAdd", status=status)

    with refused(code=50056):
        conversation.messages.create(body="hi", **TELLS)

    assert conversation.messages.list() == []
    assert site.types() == ["onMessageAdd"]


def test_a_change_that_twilio_would_not_take_is_an_error_to_the_sender(twilio: Served, site: WebhookSite) -> None:
    conversation = twilio.service.conversations.create()
    answers(site, "onMessageAdd", attributes="no JSON")

    with refused(code=50304):
        conversation.messages.create(body="hi", **TELLS)


def test_an_answer_that_takes_too_long_lets_the_message_pass(twilio: Served, site: WebhookSite) -> None:
    conversation = twilio.service.conversations.create()
    hold = Event()
    site.reply = lambda received: Reply(hold=hold if received.type == "onMessageAdd" else None, status=403)

    assert conversation.messages.create(body="hi", **TELLS).body == "hi"

    hold.set()


def test_rest_calls_without_the_header_are_not_asked_about(twilio: Served, site: WebhookSite) -> None:
    answers(site, "onMessageAdd", status=403)

    twilio.service.conversations.create().messages.create(body="hi")

    assert site.received == []


def test_a_first_text_asks_for_the_conversation_alone_and_the_next_for_the_message(
    twilio: Served, site: WebhookSite
) -> None:
    twilio.text("hi")
    first, _ = site.waits_for("onConversationAdd", "onMessageAdded")
    twilio.text("again")

    site.waits_for("onConversationAdd", "onMessageAdded", "onMessageAdd", "onMessageAdded")
    assert "ConversationSid" not in first.fields
    assert (first.fields["MessagingBinding.Address"], first.fields["MessageBody"]) == (CUSTOMER, "hi")


def test_a_first_picture_is_told_before_its_conversation_is_there(twilio: Served, site: WebhookSite) -> None:
    file = {"content": "iVBORw0KGgA=", "content_type": "image/png", "filename": "car.png"}
    order = {"from": CUSTOMER, "to": OUR_SMS, "media": [file]}

    message_sid = twilio.request("POST", "/_emulator/inbound", json=order).json()["message_sid"]

    asked, told = site.waits_for("onConversationAdd", "onMessageAdded")
    assert "MessageBody" not in asked.fields
    assert json.loads(asked.fields["Media"]) == json.loads(told.fields["Media"])
    assert told.fields["MessageSid"] == message_sid


def test_a_text_whose_conversation_is_rejected_is_gone(twilio: Served, site: WebhookSite) -> None:
    answers(site, "onConversationAdd", status=403)

    sids = twilio.request("POST", "/_emulator/inbound", json={"from": CUSTOMER, "to": OUR_SMS, "body": "hi"}).json()

    assert sids == {"conversation_sid": None, "message_sid": None, "channel_message_sid": None}
    assert twilio.service.conversations.list() == []


def test_an_inbound_text_may_be_changed_or_rejected(twilio: Served, site: WebhookSite) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    answers(site, "onMessageAdd", body="[removed]")
    twilio.text("4111 1111 1111 1111")
    answers(site, "onMessageAdd", status=403)
    twilio.text("spam")

    assert [message.body for message in conversation.messages.list()] == ["hi", "[removed]"]


def test_a_participant_and_an_edit_are_asked_about_too(twilio: Served, site: WebhookSite) -> None:
    conversation = twilio.service.conversations.create()
    conversation.participants.create(identity="alice", **TELLS)
    message = conversation.messages.create(body="hi")
    answers(site, "onMessageUpdate", body="edited twice")

    assert message.update(body="edited", **TELLS).body == "edited twice"

    wait_until(lambda: site.types() == ["onParticipantAdd", "onMessageUpdate"])


def test_two_first_texts_that_are_asked_about_at_once_are_one_conversation(twilio: Served, site: WebhookSite) -> None:
    hold = Event()
    site.reply = lambda received: Reply(hold=hold if received.type == "onConversationAdd" else None)
    with ThreadPoolExecutor() as threads:
        texts = [threads.submit(twilio.text, body) for body in ("hi", "again")]
        wait_until(lambda: site.types() == ["onConversationAdd"] * 2)

        hold.set()

    assert len({text.result()["conversation_sid"] for text in texts}) == 1
    assert len(twilio.service.conversations.list()) == 1


def test_a_pair_that_is_taken_while_somebody_is_asked_is_refused(twilio: Served, site: WebhookSite) -> None:
    hold = Event()
    conversation = twilio.service.conversations.create()
    twilio.service.configuration.webhooks().update(filters=["onParticipantAdd"])
    site.reply = lambda _received: Reply(hold=hold)
    pair = {"messaging_binding_address": CUSTOMER, "messaging_binding_proxy_address": OUR_SMS}
    with ThreadPoolExecutor() as threads:
        late = threads.submit(conversation.participants.create, **pair, **TELLS)
        wait_until(lambda: site.types() == ["onParticipantAdd"])
        twilio.request("POST", "/_emulator/inbound", json={"from": CUSTOMER, "to": OUR_SMS, "body": "first"})

        hold.set()

        with refused(code=50416, status=409):
            late.result()

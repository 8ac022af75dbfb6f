import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import Any

import pytest

from tests.emulator.emulator_server import CUSTOMER, OUR_SMS, SERVICE, EmulatorServer, refused
from tests.emulator.webhook_site import Received, Reply, WebhookSite
from tests.waiting import wait_until
from twilio_emulator.models.events import POST_EVENTS

PRE = ("onConversationAdd", "onMessageAdd", "onMessageUpdate", "onParticipantAdd")
WITH_WEBHOOKS = {"x_twilio_webhook_enabled": "true"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """The resources that the actions change."""

    twilio: EmulatorServer
    conversation: Any
    participant: Any
    message: Any

    def delete(self, child: str = "") -> None:
        """Delete over plain HTTP, because the package does not send the webhook header with a delete."""
        path = f"/v1/Services/{SERVICE}/Conversations/{self.conversation.sid}{child}"
        EmulatorServer.raise_for_error(
            self.twilio.request("DELETE", path, headers={"X-Twilio-Webhook-Enabled": "true"})
        )


ACTIONS: dict[str, Callable[[Resources], object]] = {
    "onConversationAdd": lambda s: s.twilio.service.conversations.create(**WITH_WEBHOOKS),
    "onConversationUpdate": lambda s: s.conversation.update(friendly_name="renamed", state="closed", **WITH_WEBHOOKS),
    "onConversationRemove": lambda s: s.delete(),
    "onParticipantAdd": lambda s: s.conversation.participants.create(identity="bob", **WITH_WEBHOOKS),
    "onParticipantUpdate": lambda s: s.participant.update(attributes='{"a": 1}', **WITH_WEBHOOKS),
    "onParticipantRemove": lambda s: s.delete(f"/Participants/{s.participant.sid}"),
    "onMessageAdd": lambda s: s.conversation.messages.create(body="hello", **WITH_WEBHOOKS),
    "onMessageUpdate": lambda s: s.message.update(body="hello", **WITH_WEBHOOKS),
    "onMessageRemove": lambda s: s.delete(f"/Messages/{s.message.sid}"),
}


@pytest.fixture(autouse=True)
def _configure_pre_webhooks(twilio: EmulatorServer, site: WebhookSite) -> None:
    twilio.service.configuration.webhooks().update(pre_webhook_url=site.url, filters=[*PRE, "onMessageAdded"])


def set_response(site: WebhookSite, event_type: str, *, status: int = 200, **changes: str) -> None:
    """Set the response of the site to one type of pre-webhook."""

    def reply(received: Received) -> Reply:
        if received.type != event_type:
            return Reply()
        return Reply(status=status, body=json.dumps(changes) if changes else "")

    site.reply = reply


def test_an_empty_response_lets_the_message_pass_unchanged(twilio: EmulatorServer, site: WebhookSite) -> None:
    conversation = twilio.service.conversations.create()

    message = conversation.messages.create(body="hi", **WITH_WEBHOOKS)

    pre_webhook, _ = site.wait_for("onMessageAdd", "onMessageAdded")
    assert message.body == "hi"
    assert not {"MessageSid", "Index", "DateCreated"} & set(pre_webhook.fields)
    assert pre_webhook.is_signed()


def test_a_pre_webhook_can_change_a_message(twilio: EmulatorServer, site: WebhookSite) -> None:
    conversation = twilio.service.conversations.create()
    set_response(site, "onMessageAdd", body="tidied", author="editor", attributes='{"tidied": true}')

    message = conversation.messages.create(author="alice", body="messy", **WITH_WEBHOOKS)

    assert (message.body, message.author, message.attributes) == ("tidied", "editor", '{"tidied": true}')


def test_a_pre_webhook_can_rename_a_new_conversation(twilio: EmulatorServer, site: WebhookSite) -> None:
    set_response(site, "onConversationAdd", friendly_name="renamed")

    assert twilio.service.conversations.create(friendly_name="mine", **WITH_WEBHOOKS).friendly_name == "renamed"


@pytest.mark.parametrize("event_type", ACTIONS)
def test_a_rejected_action_changes_nothing_and_sends_no_webhook(
    twilio: EmulatorServer, site: WebhookSite, event_type: str
) -> None:
    conversation = twilio.service.conversations.create()
    existing = Resources(
        twilio=twilio,
        conversation=conversation,
        participant=conversation.participants.create(identity="alice"),
        message=conversation.messages.create(body="hi"),
    )
    twilio.service.configuration.webhooks().update(filters=[*ACTIONS, *POST_EVENTS])
    set_response(site, event_type, status=403)
    before = snapshot(twilio)

    with refused(code=50056):
        ACTIONS[event_type](existing)

    assert snapshot(twilio) == before
    assert site.types() == [event_type]


def test_a_changed_user_calls_the_accounts_pre_webhook(twilio: EmulatorServer, site: WebhookSite) -> None:
    other = twilio.client.conversations.v1.services.create(friendly_name="without its own")
    twilio.client.conversations.v1.configuration.webhooks().update(pre_webhook_url=site.url, filters=["onUserUpdate"])
    users = twilio.client.conversations.v1.services(other.sid).users
    users.create(identity="alice")
    set_response(site, "onUserUpdate", status=403)

    with refused(code=50056):
        users("alice").update(friendly_name="Alice", **WITH_WEBHOOKS)

    assert users("alice").fetch().friendly_name is None
    assert site.first("onUserUpdate").fields["FriendlyName"] == "Alice"


def snapshot(twilio: EmulatorServer) -> dict[str, object]:
    state: dict[str, object] = twilio.request("GET", "/_emulator/snapshot").json()
    return state | {"sids_drawn": 0}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("{}", "application/json"),
        ('{"body": "changed"}', "text/plain"),
        ('{"body": 1, "Body": "changed", "index": "0"}', "application/json"),
        ('["body"]', "application/json"),
        ("not JSON", "application/json"),
        ("[" * 5000, "application/json"),
    ],
)
def test_a_response_without_valid_changes_changes_nothing(
    twilio: EmulatorServer, site: WebhookSite, body: str, content_type: str
) -> None:
    conversation = twilio.service.conversations.create()
    site.reply = lambda _received: Reply(body=body, content_type=content_type)

    assert conversation.messages.create(body="hi", **WITH_WEBHOOKS).body == "hi"


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_rejected_message_is_an_error_to_its_sender_and_is_not_added(
    twilio: EmulatorServer, site: WebhookSite, status: int
) -> None:
    conversation = twilio.service.conversations.create()
    set_response(site, "onMessageAdd", status=status)

    with refused(code=50056):
        conversation.messages.create(body="hi", **WITH_WEBHOOKS)

    assert conversation.messages.list() == []
    assert site.types() == ["onMessageAdd"]


def test_an_invalid_change_by_a_pre_webhook_is_an_error_to_the_sender(
    twilio: EmulatorServer, site: WebhookSite
) -> None:
    conversation = twilio.service.conversations.create()
    set_response(site, "onMessageAdd", attributes="not JSON")

    with refused(code=50304):
        conversation.messages.create(body="hi", **WITH_WEBHOOKS)


def test_a_pre_webhook_that_times_out_lets_the_message_pass(twilio: EmulatorServer, site: WebhookSite) -> None:
    conversation = twilio.service.conversations.create()
    hold = Event()
    site.reply = lambda received: Reply(hold=hold if received.type == "onMessageAdd" else None, status=403)

    assert conversation.messages.create(body="hi", **WITH_WEBHOOKS).body == "hi"

    hold.set()


def test_rest_calls_without_the_header_call_no_pre_webhook(twilio: EmulatorServer, site: WebhookSite) -> None:
    set_response(site, "onMessageAdd", status=403)

    twilio.service.conversations.create().messages.create(body="hi")

    assert site.received == []


def test_a_first_message_calls_the_conversations_pre_webhook_and_the_next_the_messages(
    twilio: EmulatorServer, site: WebhookSite
) -> None:
    twilio.text("hi")
    first, _ = site.wait_for("onConversationAdd", "onMessageAdded")
    twilio.text("again")

    site.wait_for("onConversationAdd", "onMessageAdded", "onMessageAdd", "onMessageAdded")
    assert "ConversationSid" not in first.fields
    assert (first.fields["MessagingBinding.Address"], first.fields["MessageBody"]) == (CUSTOMER, "hi")


def test_a_first_picture_is_in_the_pre_webhook_of_its_conversation(twilio: EmulatorServer, site: WebhookSite) -> None:
    file = {"content": "iVBORw0KGgA=", "content_type": "image/png", "filename": "car.png"}
    order = {"from": CUSTOMER, "to": OUR_SMS, "media": [file]}

    message_sid = twilio.request("POST", "/_emulator/inbound", json=order).json()["message_sid"]

    pre_webhook, received = site.wait_for("onConversationAdd", "onMessageAdded")
    assert "MessageBody" not in pre_webhook.fields
    assert json.loads(pre_webhook.fields["Media"]) == json.loads(received.fields["Media"])
    assert received.fields["MessageSid"] == message_sid


def test_a_message_is_lost_if_its_conversation_is_rejected(twilio: EmulatorServer, site: WebhookSite) -> None:
    set_response(site, "onConversationAdd", status=403)

    sids = twilio.request("POST", "/_emulator/inbound", json={"from": CUSTOMER, "to": OUR_SMS, "body": "hi"}).json()

    assert sids == {"conversation_sid": None, "message_sid": None, "channel_message_sid": None}
    assert twilio.service.conversations.list() == []


def test_a_pre_webhook_can_change_or_reject_an_inbound_message(twilio: EmulatorServer, site: WebhookSite) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    set_response(site, "onMessageAdd", body="[removed]")
    twilio.text("4111 1111 1111 1111")
    set_response(site, "onMessageAdd", status=403)
    twilio.text("spam")

    assert [message.body for message in conversation.messages.list()] == ["hi", "[removed]"]


def test_a_new_participant_and_an_edited_message_call_the_pre_webhook(
    twilio: EmulatorServer, site: WebhookSite
) -> None:
    conversation = twilio.service.conversations.create()
    conversation.participants.create(identity="alice", **WITH_WEBHOOKS)
    message = conversation.messages.create(body="hi")
    set_response(site, "onMessageUpdate", body="edited twice")

    assert message.update(body="edited", **WITH_WEBHOOKS).body == "edited twice"

    wait_until(lambda: site.types() == ["onParticipantAdd", "onMessageUpdate"])


def test_two_first_messages_with_parallel_pre_webhooks_open_one_conversation(
    twilio: EmulatorServer, site: WebhookSite
) -> None:
    hold = Event()
    site.reply = lambda received: Reply(hold=hold if received.type == "onConversationAdd" else None)
    with ThreadPoolExecutor() as threads:
        texts = [threads.submit(twilio.text, body) for body in ("hi", "again")]
        wait_until(lambda: site.types() == ["onConversationAdd"] * 2)

        hold.set()

    assert len({text.result()["conversation_sid"] for text in texts}) == 1
    assert len(twilio.service.conversations.list()) == 1


def test_an_address_pair_that_is_taken_during_a_pre_webhook_is_refused(
    twilio: EmulatorServer, site: WebhookSite
) -> None:
    hold = Event()
    conversation = twilio.service.conversations.create()
    twilio.service.configuration.webhooks().update(filters=["onParticipantAdd"])
    site.reply = lambda _received: Reply(hold=hold)
    pair = {"messaging_binding_address": CUSTOMER, "messaging_binding_proxy_address": OUR_SMS}
    with ThreadPoolExecutor() as threads:
        late = threads.submit(conversation.participants.create, **pair, **WITH_WEBHOOKS)
        wait_until(lambda: site.types() == ["onParticipantAdd"])
        twilio.request("POST", "/_emulator/inbound", json={"from": CUSTOMER, "to": OUR_SMS, "body": "first"})

        hold.set()

        with refused(code=50416, status=409):
            late.result()

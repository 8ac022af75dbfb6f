"""Each event has exactly the parameters that Twilio documents for it ("Conversations webhooks")."""

from collections.abc import Mapping

from switchboard.author import AuthorRules
from switchboard.twilio.webhook.parse import ExpectedAccount
from switchboard.twilio.webhook.typed_events import typed_event
from switchboard.twilio.webhook.verify import Form
from switchboard.webhook_events import WebhookEvent
from tests.emulator.emulator_server import OUR_SMS, EmulatorServer
from tests.emulator.test_media import upload
from tests.emulator.webhook_site import Received, WebhookSite
from tests.waiting import wait_until

WITH_WEBHOOKS = {"x_twilio_webhook_enabled": "true"}

COMMON = {"AccountSid", "EventType", "RetryCount"}
CONVERSATION = {"Attributes", "ChatServiceSid", "FriendlyName", "MessagingServiceSid", "State"}
EXISTING = {"ConversationSid", "DateCreated", "DateUpdated", "UniqueName"}
BOUND = {"MessagingBinding.Address", "MessagingBinding.ProxyAddress"}
PARTICIPANT = {"Attributes", "ConversationSid", "Identity", "MessagingBinding.Type", "RoleSid"}
MESSAGE = {"Attributes", "Author", "Body", "ChatServiceSid", "ConversationSid", "MessagingServiceSid", "ParticipantSid"}
ADDED = {"DateCreated", "Index", "MessageSid"}
USER = {
    "Attributes", "ChatServiceSid", "DateCreated", "DateUpdated", "FriendlyName", "Identity", "RoleSid", "UserSid",
    "isNotifiable", "isOnline",
}  # fmt: skip
DELIVERY = {
    "ChannelMessageSid", "ChatServiceSid", "ConversationSid", "DateCreated", "DateUpdated", "DeliveryReceiptSid",
    "MessageSid", "ParticipantSid", "Status",
}  # fmt: skip
STATE = {
    "ChatServiceSid", "ConversationSid", "MessagingServiceSid", "Reason", "StateFrom", "StateTo", "StateUpdated",
}  # fmt: skip

DOCUMENTED: Mapping[str, set[str]] = {
    "onConversationAdd": CONVERSATION | BOUND | {"MessageBody"},
    "onConversationAdded": CONVERSATION | BOUND | EXISTING - {"UniqueName"},
    "onConversationUpdate": CONVERSATION | BOUND | EXISTING,
    "onConversationUpdated": CONVERSATION | BOUND | EXISTING,
    "onConversationStateUpdated": STATE,
    "onConversationRemove": CONVERSATION | BOUND | EXISTING,
    "onConversationRemoved": CONVERSATION | BOUND | EXISTING | {"DateRemoved"},
    "onParticipantAdd": PARTICIPANT,
    "onParticipantAdded": PARTICIPANT - {"Identity", "RoleSid"} | BOUND | {"DateCreated", "ParticipantSid"},
    "onParticipantUpdate": PARTICIPANT | {"DateCreated", "DateUpdated", "LastReadMessageIndex", "ParticipantSid"},
    "onParticipantUpdated": PARTICIPANT | {"DateCreated", "DateUpdated", "LastReadMessageIndex", "ParticipantSid"},
    "onParticipantRemove": PARTICIPANT | {"DateCreated", "DateUpdated", "LastReadMessageIndex", "ParticipantSid"},
    "onParticipantRemoved": PARTICIPANT
    | {"DateCreated", "DateRemoved", "DateUpdated", "LastReadMessageIndex", "ParticipantSid"},
    "onMessageAdd": MESSAGE | {"Media"},
    "onMessageAdded": MESSAGE | ADDED,
    "onMessageUpdate": MESSAGE | ADDED | {"DateUpdated", "Media"},
    "onMessageUpdated": MESSAGE | ADDED | {"DateUpdated", "Media"},
    "onMessageRemove": MESSAGE | ADDED | {"DateUpdated", "Media"},
    "onMessageRemoved": MESSAGE | ADDED | {"DateRemoved", "DateUpdated", "Media"},
    "onDeliveryUpdated": DELIVERY,
    "onUserAdded": USER - {"FriendlyName"},
    "onUserUpdate": USER,
    "onUserUpdated": USER,
}


def test_every_event_has_exactly_the_documented_parameters(twilio: EmulatorServer, site: WebhookSite) -> None:
    cause_every_event(twilio, site)

    parameters = {received.type: set(received.fields) for received in reversed(site.received)}
    assert parameters == {
        name: fields | COMMON | ({"Source"} if name != "onDeliveryUpdated" else set())
        for name, fields in DOCUMENTED.items()
    }


def test_the_library_reads_every_event(twilio: EmulatorServer, site: WebhookSite) -> None:
    cause_every_event(twilio, site)

    read = {received.type: library_event(received) for received in site.received}

    assert {event_type: f"on{type(event).__name__}" for event_type, event in read.items()} == {
        name: name for name in DOCUMENTED
    }


def library_event(received: Received) -> WebhookEvent:
    form = Form({name: tuple(received.getlist(name)) for name in received.fields})
    account, service = received.fields["AccountSid"], received.fields.get("ChatServiceSid", "")
    expected = ExpectedAccount(account_sid=account, service_sid=service, author_rules=AuthorRules())
    return typed_event(form, expected=expected)


def cause_every_event(twilio: EmulatorServer, site: WebhookSite) -> None:
    of_service = twilio.client.conversations.v1.services(another_service(twilio, site))
    conversation = of_service.conversations(twilio.text("hi")["conversation_sid"])
    conversation.update(unique_name="order-17", **WITH_WEBHOOKS)
    alice = conversation.participants.create(identity="alice", **WITH_WEBHOOKS)
    alice.update(last_read_message_index=0, **WITH_WEBHOOKS)
    of_service.users("alice").update(friendly_name="Alice", **WITH_WEBHOOKS)
    media_sid = upload(twilio, service=of_service.fetch().sid)
    message = conversation.messages.create(author="alice", body="look", media_sid=media_sid, **WITH_WEBHOOKS)
    message.update(body="look here", **WITH_WEBHOOKS)
    conversation.update(state="inactive", **WITH_WEBHOOKS)
    for url in (message.fetch().url, alice.fetch().url, conversation.fetch().url):
        path = url.removeprefix(twilio.url)
        assert twilio.request("DELETE", path, headers={"X-Twilio-Webhook-Enabled": "true"}).status_code == 204
    wait_until(lambda: "onConversationRemoved" in site.types())


def another_service(twilio: EmulatorServer, site: WebhookSite) -> str:
    """Return a service that uses the webhooks of the account and in which the SMS number opens conversations."""
    sid = str(twilio.client.conversations.v1.services.create(friendly_name="other").sid)
    twilio.client.conversations.v1.address_configurations(OUR_SMS).update(auto_creation_conversation_service_sid=sid)
    twilio.client.conversations.v1.configuration.webhooks().update(
        pre_webhook_url=site.url, post_webhook_url=site.url, filters=list(DOCUMENTED), method="POST"
    )
    return sid

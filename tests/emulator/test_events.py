"""Each event carries the parameters that Twilio documents for it ("Conversations webhooks"), and no others."""

from collections.abc import Mapping

from tests.emulator.emulator_server import OUR_SMS, Served
from tests.emulator.test_media import upload
from tests.emulator.webhook_site import WebhookSite
from tests.waiting import wait_until

TELLS = {"x_twilio_webhook_enabled": "true"}

COMMON = {"AccountSid", "EventType", "RetryCount"}
CONVERSATION = {"Attributes", "ChatServiceSid", "FriendlyName", "MessagingServiceSid", "State"}
STANDING = {"ConversationSid", "DateCreated", "DateUpdated", "UniqueName"}
BOUND = {"MessagingBinding.Address", "MessagingBinding.ProxyAddress"}
PARTICIPANT = {"Attributes", "ConversationSid", "Identity", "MessagingBinding.Type", "RoleSid"}
MESSAGE = {"Attributes", "Author", "Body", "ChatServiceSid", "ConversationSid", "MessagingServiceSid", "ParticipantSid"}
SAID = {"DateCreated", "Index", "MessageSid"}
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
    "onConversationAdded": CONVERSATION | BOUND | STANDING - {"UniqueName"},
    "onConversationUpdate": CONVERSATION | BOUND | STANDING,
    "onConversationUpdated": CONVERSATION | BOUND | STANDING,
    "onConversationStateUpdated": STATE,
    "onConversationRemove": CONVERSATION | BOUND | STANDING,
    "onConversationRemoved": CONVERSATION | BOUND | STANDING | {"DateRemoved"},
    "onParticipantAdd": PARTICIPANT,
    "onParticipantAdded": PARTICIPANT - {"Identity", "RoleSid"} | BOUND | {"DateCreated", "ParticipantSid"},
    "onParticipantUpdate": PARTICIPANT | {"DateCreated", "DateUpdated", "LastReadMessageIndex", "ParticipantSid"},
    "onParticipantUpdated": PARTICIPANT | {"DateCreated", "DateUpdated", "LastReadMessageIndex", "ParticipantSid"},
    "onParticipantRemove": PARTICIPANT | {"DateCreated", "DateUpdated", "LastReadMessageIndex", "ParticipantSid"},
    "onParticipantRemoved": PARTICIPANT
    | {"DateCreated", "DateRemoved", "DateUpdated", "LastReadMessageIndex", "ParticipantSid"},
    "onMessageAdd": MESSAGE | {"Media"},
    "onMessageAdded": MESSAGE | SAID,
    "onMessageUpdate": MESSAGE | SAID | {"DateUpdated", "Media"},
    "onMessageUpdated": MESSAGE | SAID | {"DateUpdated", "Media"},
    "onMessageRemove": MESSAGE | SAID | {"DateUpdated", "Media"},
    "onMessageRemoved": MESSAGE | SAID | {"DateRemoved", "DateUpdated", "Media"},
    "onDeliveryUpdated": DELIVERY,
    "onUserAdded": USER - {"FriendlyName"},
    "onUserUpdate": USER,
    "onUserUpdated": USER,
}


def test_every_event_carries_what_twilio_documents_and_nothing_else(twilio: Served, site: WebhookSite) -> None:
    of_service = twilio.client.conversations.v1.services(another_service(twilio, site))
    conversation = of_service.conversations(twilio.text("hi")["conversation_sid"])
    conversation.update(unique_name="order-17", **TELLS)
    alice = conversation.participants.create(identity="alice", **TELLS)
    alice.update(last_read_message_index=0, **TELLS)
    of_service.users("alice").update(friendly_name="Alice", **TELLS)
    media_sid = upload(twilio, service=of_service.fetch().sid)
    message = conversation.messages.create(author="alice", body="look", media_sid=media_sid, **TELLS)
    message.update(body="look here", **TELLS)
    conversation.update(state="inactive", **TELLS)
    for url in (message.fetch().url, alice.fetch().url, conversation.fetch().url):
        path = url.removeprefix(twilio.url)
        assert twilio.request("DELETE", path, headers={"X-Twilio-Webhook-Enabled": "true"}).status_code == 204
    wait_until(lambda: "onConversationRemoved" in site.types())

    carried = {received.type: set(received.fields) for received in reversed(site.received)}
    assert carried == {
        name: fields | COMMON | ({"Source"} if name != "onDeliveryUpdated" else set())
        for name, fields in DOCUMENTED.items()
    }


def another_service(twilio: Served, site: WebhookSite) -> str:
    """Return a service without webhooks of its own, which our number opens conversations in; the account's get all."""
    sid = str(twilio.client.conversations.v1.services.create(friendly_name="other").sid)
    twilio.client.conversations.v1.address_configurations(OUR_SMS).update(auto_creation_conversation_service_sid=sid)
    twilio.client.conversations.v1.configuration.webhooks().update(
        pre_webhook_url=site.url, post_webhook_url=site.url, filters=list(DOCUMENTED), method="POST"
    )
    return sid

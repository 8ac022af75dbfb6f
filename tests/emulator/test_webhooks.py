import pytest

from tests.emulator.emulator_server import OUR_SMS, SERVICE, VISITOR, EmulatorServer, refused
from tests.emulator.webhook_site import WebhookSite
from tests.waiting import wait_until

ADDED = ("onConversationAdded", "onParticipantAdded", "onMessageAdded")


def test_rest_writes_without_the_header_send_no_webhooks(twilio: EmulatorServer, site: WebhookSite) -> None:
    conversation = twilio.service.conversations.create()
    conversation.participants.create(identity="alice")
    conversation.messages.create(body="hi")
    conversation.update(state="closed")

    twilio.service.conversations.create(friendly_name="with the header", x_twilio_webhook_enabled="true")

    (received,) = site.wait_for("onConversationAdded")
    assert received.fields["FriendlyName"] == "with the header"


def test_with_the_header_every_write_sends_its_webhook(twilio: EmulatorServer, site: WebhookSite) -> None:
    with_webhooks = {"x_twilio_webhook_enabled": "true"}
    conversation = twilio.service.conversations.create(**with_webhooks)
    alice = conversation.participants.create(identity="alice", **with_webhooks)
    alice.update(attributes='{"a": 1}', **with_webhooks)
    message = conversation.messages.create(author="alice", body="hi", **with_webhooks)
    message.update(body="hello", **with_webhooks)
    conversation.update(state="inactive", **with_webhooks)
    path = f"/v1/Services/{SERVICE}/Conversations/{conversation.sid}"
    for resource in (f"/Messages/{message.sid}", f"/Participants/{alice.sid}", ""):
        twilio.request("DELETE", path + resource, headers={"X-Twilio-Webhook-Enabled": "true"})

    received = site.wait_for(
        "onConversationAdded",
        "onParticipantAdded",
        "onParticipantUpdated",
        "onMessageAdded",
        "onMessageUpdated",
        "onConversationUpdated",
        "onConversationStateUpdated",
        "onMessageRemoved",
        "onParticipantRemoved",
        "onConversationRemoved",
    )
    assert {each.fields["Source"] for each in received} == {"API"}
    assert all(each.is_signed() for each in received)


def test_optional_parameters_are_missing_instead_of_empty(twilio: EmulatorServer, site: WebhookSite) -> None:
    twilio.text("hi")

    assert not {"Media", "ClientIdentity"} & set(site.first("onMessageAdded").fields)


def test_an_event_outside_the_filters_is_not_sent(twilio: EmulatorServer, site: WebhookSite) -> None:
    twilio.service.configuration.webhooks().update(filters=["onMessageAdded"])

    twilio.text("hi")
    twilio.text("again")

    site.wait_for("onMessageAdded", "onMessageAdded")


def test_a_services_webhook_replaces_the_accounts(twilio: EmulatorServer, site: WebhookSite) -> None:
    other = twilio.client.conversations.v1.services.create(friendly_name="without its own")
    twilio.client.conversations.v1.configuration.webhooks().update(
        post_webhook_url=f"{site.url}/account", filters=["onMessageAdded"], method="POST"
    )
    conversation = twilio.client.conversations.v1.services(other.sid).conversations.create()
    twilio.text("hi")
    site.wait_for(*ADDED)

    conversation.messages.create(body="hi", x_twilio_webhook_enabled="true")

    *_, last = site.wait_for(*ADDED, "onMessageAdded")
    assert last.url.endswith("/account")
    assert not any(each.url.endswith("/account") for each in site.received[:-1])


def test_a_services_pre_webhook_alone_replaces_the_accounts_webhooks_too(
    twilio: EmulatorServer, site: WebhookSite
) -> None:
    twilio.client.conversations.v1.configuration.webhooks().update(
        post_webhook_url=f"{site.url}/account", filters=["onMessageAdded"], method="POST"
    )
    twilio.service.configuration.webhooks().update(
        pre_webhook_url=site.url, post_webhook_url="", filters=["onMessageAdd", "onConversationAdd"]
    )

    twilio.text("hi")
    twilio.text("again")

    site.wait_for("onConversationAdd", "onMessageAdd")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/webhook", "http://["])
def test_a_failed_webhook_is_lost_and_the_next_one_is_sent(twilio: EmulatorServer, site: WebhookSite, url: str) -> None:
    twilio.service.configuration.webhooks().update(post_webhook_url=url)
    twilio.text("lost")

    twilio.service.configuration.webhooks().update(post_webhook_url=site.url)

    twilio.text("received")
    wait_until(lambda: [each.fields.get("Body") for each in site.received][-1:] == ["received"])


def test_user_events_are_sent_to_the_accounts_webhook_only(twilio: EmulatorServer, site: WebhookSite) -> None:
    other = twilio.client.conversations.v1.services.create(friendly_name="without its own")
    twilio.client.conversations.v1.configuration.webhooks().update(
        post_webhook_url=site.url, filters=["onUserAdded", "onUserUpdated"], method="POST"
    )
    users = twilio.client.conversations.v1.services(other.sid).users

    user = users.create(identity="alice", x_twilio_webhook_enabled="true")
    users(user.sid).update(friendly_name="Alice", x_twilio_webhook_enabled="true")

    _, updated = site.wait_for("onUserAdded", "onUserUpdated")
    assert (updated.fields["Identity"], updated.fields["FriendlyName"]) == ("alice", "Alice")


def test_a_conversations_webhook_is_sent_in_addition_to_the_services(twilio: EmulatorServer, site: WebhookSite) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    site.wait_for(*ADDED)
    twilio.service.conversations(sid).webhooks.create(
        target="webhook", configuration_url=f"{site.url}/own", configuration_filters=["onMessageAdded"]
    )

    twilio.text("again")

    first, second = site.wait_for(*ADDED, "onMessageAdded", "onMessageAdded")[-2:]
    assert {first.url.endswith("/own"), second.url.endswith("/own")} == {True, False}
    assert first.fields["MessageSid"] == second.fields["MessageSid"]
    assert first.headers["i-twilio-idempotency-token"] != second.headers["i-twilio-idempotency-token"]


def test_a_trigger_webhook_is_sent_only_for_its_words(twilio: EmulatorServer, site: WebhookSite) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    conversation.webhooks.create(
        target="trigger", configuration_url=f"{site.url}/own", configuration_triggers=["refund"]
    )

    twilio.text("nothing")
    twilio.text("a REFUND please")

    wait_until(lambda: any(each.url.endswith("/own") for each in site.received))
    (own,) = [each for each in site.received if each.url.endswith("/own")]
    assert own.fields["Body"] == "a REFUND please"


def test_a_get_webhook_has_its_parameters_in_the_signed_url(twilio: EmulatorServer, site: WebhookSite) -> None:
    twilio.service.configuration.webhooks().update(method="GET", filters=["onMessageAdded"])

    twilio.text("hola ñ & + = %")

    received = site.first("onMessageAdded")
    assert (received.method, received.fields["Body"]) == ("GET", "hola ñ & + = %")
    assert received.is_signed()


def test_replay_after_sends_the_earlier_messages_to_the_new_webhook(twilio: EmulatorServer, site: WebhookSite) -> None:
    conversation = twilio.service.conversations.create()
    for body in "abc":
        conversation.messages.create(body=body)
    conversation.webhooks.create(
        target="webhook", configuration_url=f"{site.url}/older", configuration_filters=["onMessageAdded"]
    )

    conversation.webhooks.create(
        target="webhook",
        configuration_url=f"{site.url}/own",
        configuration_filters=["onMessageAdded"],
        configuration_replay_after=0,
    )

    received = site.wait_for("onMessageAdded", "onMessageAdded")
    assert [(each.path.rpartition("/")[2], each.fields["Body"]) for each in received] == [("own", "b"), ("own", "c")]


def test_a_conversations_webhooks_are_created_changed_and_deleted(twilio: EmulatorServer) -> None:
    webhooks = twilio.service.conversations.create().webhooks

    webhook = webhooks.create(
        target="webhook",
        configuration_url="https://bot.example.com/a",
        configuration_method="post",
        configuration_filters=["onMessageAdded", "onMessageRemoved"],
    )
    webhooks(webhook.sid).update(configuration_url="https://bot.example.com/b")

    (kept,) = webhooks.list()
    assert kept.configuration == {
        "url": "https://bot.example.com/b",
        "method": "post",
        "filters": ["onMessageAdded", "onMessageRemoved"],
    }
    webhooks(webhook.sid).delete()
    with refused(code=50360, status=404):
        webhooks(webhook.sid).fetch()


@pytest.mark.parametrize("type_", ["webhook", "default"])
def test_an_auto_created_conversation_has_the_webhook_of_its_address_configuration(
    twilio: EmulatorServer, site: WebhookSite, type_: str
) -> None:
    twilio.client.conversations.v1.address_configurations(OUR_SMS).update(
        auto_creation_type=type_,
        auto_creation_webhook_url=f"{site.url}/own",
        auto_creation_webhook_method="post",
        auto_creation_webhook_filters=["onParticipantAdded", "onMessageAdded"],
    )

    sid = twilio.text("hi")["conversation_sid"]

    existing = twilio.service.conversations(sid).webhooks.list()
    assert len(existing) == (1 if type_ == "webhook" else 0)
    wait_until(lambda: len(site.received) == 3 + 2 * len(existing))


def test_an_sdk_message_has_a_client_identity_and_a_rest_message_does_not(
    twilio: EmulatorServer, site: WebhookSite
) -> None:
    sid = twilio.text("hi", sender=VISITOR, to="chat")["conversation_sid"]

    twilio.service.conversations(sid).messages.create(
        author=VISITOR, body="posted by the website's server", x_twilio_webhook_enabled="true"
    )

    by_sdk, by_server = site.wait_for("onMessageAdded", "onMessageAdded")
    assert (by_sdk.fields["Source"], by_sdk.fields["ClientIdentity"]) == ("SDK", VISITOR)
    assert by_server.fields["Source"] == "API"
    assert "ClientIdentity" not in by_server.fields
    assert by_sdk.fields["ParticipantSid"] == by_server.fields["ParticipantSid"]


def test_the_webhook_configuration_is_returned_as_it_was_set(twilio: EmulatorServer) -> None:
    account = twilio.client.conversations.v1.configuration.webhooks()

    unset = account.fetch()
    changed = account.update(post_webhook_url="https://bot.example.com/all", filters=["onMessageAdded"], method="GET")

    assert (unset.pre_webhook_url, unset.post_webhook_url, unset.filters, unset.method) == (None, None, None, None)
    assert (changed.post_webhook_url, changed.filters, changed.method, changed.target) == (
        "https://bot.example.com/all",
        ["onMessageAdded"],
        "GET",
        "webhook",
    )
    renamed = account.update(post_webhook_url="https://bot.example.com/other")
    assert (renamed.filters, renamed.method) == (["onMessageAdded"], "GET")
    removed = account.update(post_webhook_url="", pre_webhook_url="https://bot.example.com/pre")
    assert (removed.post_webhook_url, removed.pre_webhook_url) == (None, "https://bot.example.com/pre")
    assert account.update(filters=[""]).filters == []

import pytest

from tests.emulator.emulator_server import ACCOUNT, CUSTOMER, OUR_SMS, SERVICE, EmulatorServer, refused
from tests.emulator.webhook_site import WebhookSite


def test_a_new_conversation_is_active_and_empty(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create(friendly_name="Order 17")

    assert (conversation.friendly_name, conversation.state, conversation.attributes) == ("Order 17", "active", "{}")
    assert (conversation.unique_name, conversation.timers, conversation.bindings) == (None, {}, {})
    assert (conversation.account_sid, conversation.chat_service_sid) == (ACCOUNT, SERVICE)
    assert conversation.date_created.microsecond == 0


@pytest.mark.parametrize("family", ["/v1", f"/v1/Services/{SERVICE}"])
def test_a_conversation_is_found_with_and_without_the_service_in_the_path(twilio: EmulatorServer, family: str) -> None:
    sid = twilio.text("hi")["conversation_sid"]

    body = twilio.request("GET", f"{family}/Conversations/{sid}").json()

    assert body["url"] == f"{twilio.url}{family}/Conversations/{sid}"
    assert body["links"]["messages"] == f"{twilio.url}{family}/Conversations/{sid}/Messages"


@pytest.mark.parametrize("children", ["Messages", "Participants"])
def test_child_resources_contain_their_service_only_if_the_path_does(twilio: EmulatorServer, children: str) -> None:
    path = f"/Conversations/{twilio.text('hi')['conversation_sid']}/{children}"

    (without_service,) = twilio.request("GET", f"/v1{path}").json()[children.lower()]
    (received,) = twilio.request("GET", f"/v1/Services/{SERVICE}{path}").json()[children.lower()]

    assert "chat_service_sid" not in without_service
    assert received["chat_service_sid"] == SERVICE


def test_a_conversation_and_its_children_are_found_by_its_unique_name(twilio: EmulatorServer) -> None:
    created = twilio.service.conversations.create(unique_name="order-17")
    twilio.service.conversations("order-17").messages.create(body="hi")

    assert twilio.service.conversations("order-17").fetch().sid == created.sid
    assert [message.body for message in twilio.service.conversations(created.sid).messages.list()] == ["hi"]


def test_a_unique_name_is_free_after_its_conversation_is_deleted_or_renamed(twilio: EmulatorServer) -> None:
    first = twilio.service.conversations.create(unique_name="order-17")
    with refused(code=50353, status=409):
        twilio.service.conversations.create(unique_name="order-17")

    first.update(unique_name="order-18")
    second = twilio.service.conversations.create(unique_name="order-17")
    second.delete()

    twilio.service.conversations.create(unique_name="order-17")


def test_a_conversation_can_be_updated_with_its_current_unique_name(twilio: EmulatorServer) -> None:
    created = twilio.service.conversations.create(unique_name="order-17")

    assert created.update(unique_name="order-17", friendly_name="again").unique_name == "order-17"


def test_two_services_can_use_the_same_unique_name(twilio: EmulatorServer) -> None:
    other = twilio.client.conversations.v1.services.create(friendly_name="other")

    twilio.service.conversations.create(unique_name="order-17")
    twilio.client.conversations.v1.services(other.sid).conversations.create(unique_name="order-17")


def test_an_update_changes_only_the_given_fields(twilio: EmulatorServer) -> None:
    created = twilio.service.conversations.create(friendly_name="Order 17", attributes='{"a": 1}')

    updated = created.update(attributes='{"b": 2}')

    assert (updated.friendly_name, updated.attributes) == ("Order 17", '{"b": 2}')
    assert twilio.service.conversations(created.sid).fetch().attributes == '{"b": 2}'


def test_an_import_keeps_its_dates(twilio: EmulatorServer) -> None:
    created = twilio.service.conversations.create(date_created="2020-07-01T22:18:37Z")

    assert created.date_created.isoformat() == "2020-07-01T22:18:37+00:00"


def test_a_deleted_conversation_is_gone_with_everything_in_it(twilio: EmulatorServer) -> None:
    sids = twilio.text("hi")

    twilio.service.conversations(sids["conversation_sid"]).delete()

    with refused(code=20404, status=404):
        twilio.service.conversations(sids["conversation_sid"]).fetch()
    with refused(code=50350, status=404):
        twilio.service.conversations(sids["conversation_sid"]).messages.create(body="hello")
    assert twilio.service.participant_conversations.list(address=CUSTOMER) == []
    assert twilio.text("again")["conversation_sid"] != sids["conversation_sid"]


def test_a_closed_conversation_cannot_be_changed(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    (message,), (participant,) = conversation.messages.list(), conversation.participants.list()
    conversation.update(state="closed")

    for change in (
        lambda: conversation.update(state="active"),
        lambda: conversation.update(friendly_name="again"),
        lambda: conversation.messages.create(body="hi"),
        lambda: message.update(body="hi"),
        message.delete,
        lambda: conversation.participants.create(identity="alice"),
        lambda: participant.update(attributes="{}"),
    ):
        with refused(code=50377):
            change()
    assert conversation.fetch().state == "closed"


@pytest.mark.parametrize("how", ["close", "delete", "remove"])
def test_an_address_pair_becomes_free_with_its_conversation_or_participant(twilio: EmulatorServer, how: str) -> None:
    first = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    second = twilio.service.conversations.create()
    pair = {"messaging_binding_address": CUSTOMER, "messaging_binding_proxy_address": OUR_SMS}
    with refused(code=50416, status=409):
        second.participants.create(**pair)

    if how == "close":
        first.update(state="closed")
    elif how == "delete":
        first.delete()
    else:
        first.participants.list()[0].delete()

    assert second.participants.create(**pair).messaging_binding["address"] == CUSTOMER
    assert twilio.text("again")["conversation_sid"] == second.sid


def test_an_inactive_conversation_becomes_active_with_the_next_message(
    twilio: EmulatorServer, site: WebhookSite
) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    twilio.service.conversations(sid).update(state="inactive")

    assert twilio.text("again")["conversation_sid"] == sid

    assert twilio.service.conversations(sid).fetch().state == "active"
    changed = site.first("onConversationStateUpdated").fields
    assert (changed["StateFrom"], changed["StateTo"], changed["Reason"]) == ("inactive", "active", "EVENT")


def test_changing_one_timer_keeps_the_other(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create(timers_inactive="PT1M", timers_closed="PT20M")

    changed = conversation.update(timers_inactive="PT5M").timers

    assert twilio.to_seconds(changed["date_closed"]) - twilio.to_seconds(changed["date_inactive"]) == 15 * 60


def test_an_unchanged_state_sends_no_webhook(twilio: EmulatorServer, site: WebhookSite) -> None:
    conversation = twilio.service.conversations.create()
    with_webhooks = {"x_twilio_webhook_enabled": "true"}

    conversation.update(state="active", **with_webhooks)
    conversation.update(state="inactive", **with_webhooks)

    site.wait_for("onConversationUpdated", "onConversationUpdated", "onConversationStateUpdated")


def test_timers_follow_the_state(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create(timers_inactive="PT1M", timers_closed="PT20M")
    asleep = conversation.update(state="inactive").timers
    twilio.advance_clock(minutes=15)

    awake = conversation.update(state="active").timers

    assert set(asleep) == {"date_closed"}
    assert set(awake) == {"date_inactive", "date_closed"}
    assert twilio.to_seconds(awake["date_closed"]) - twilio.to_seconds(asleep["date_closed"]) >= 15 * 60 - 1


def test_timers_are_set_as_durations_and_returned_as_dates(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create(timers_inactive="PT1M", timers_closed="PT10M")

    began = conversation.date_created.timestamp()
    inactive, closed = (twilio.to_seconds(conversation.timers[name]) for name in ("date_inactive", "date_closed"))
    assert abs(inactive - began - 60) <= 1
    assert abs(closed - began - 600) <= 1


def test_timers_make_a_conversation_inactive_then_closed_and_send_the_reason(
    twilio: EmulatorServer, site: WebhookSite
) -> None:
    conversation = twilio.service.conversations.create(timers_inactive="PT1M", timers_closed="PT10M")

    twilio.advance_clock(minutes=1)
    after_a_minute = conversation.fetch().state
    twilio.advance_clock(minutes=9)
    after_ten = conversation.fetch()

    assert (after_a_minute, after_ten.state, after_ten.timers) == ("inactive", "closed", {})
    received = site.wait_for("onConversationStateUpdated", "onConversationStateUpdated")
    assert [(each.fields["StateTo"], each.fields["Reason"]) for each in received] == [
        ("inactive", "TIMER"),
        ("closed", "TIMER"),
    ]


def test_a_message_restarts_the_timers(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create(timers_inactive="PT10M")
    twilio.advance_clock(minutes=9)

    conversation.messages.create(body="still here")
    twilio.advance_clock(minutes=9)

    assert conversation.fetch().state == "active"
    twilio.advance_clock(minutes=1)
    assert conversation.fetch().state == "inactive"


def test_a_timer_runs_without_a_request(twilio: EmulatorServer, site: WebhookSite) -> None:
    twilio.service.conversations.create(timers_inactive="PT1M")
    twilio.advance_clock(seconds=59.5)

    assert site.first("onConversationStateUpdated").fields["StateTo"] == "inactive"


def test_the_accounts_default_timers_apply_unless_a_conversation_switches_them_off(twilio: EmulatorServer) -> None:
    twilio.client.conversations.v1.configuration().update(default_inactive_timer="PT1M", default_closed_timer="PT10M")

    default = twilio.service.conversations.create()
    without = twilio.service.conversations.create(timers_inactive="PT0S")
    twilio.text("hi")

    assert set(default.timers) == {"date_inactive", "date_closed"}
    assert set(without.timers) == {"date_closed"}
    twilio.advance_clock(minutes=10)
    assert [each.state for each in twilio.service.conversations.list()] == ["closed"] * 3


def test_conversations_are_filtered_by_state_and_by_date_newest_first(twilio: EmulatorServer) -> None:
    old = twilio.service.conversations.create()
    twilio.advance_clock(days=2)
    new = twilio.service.conversations.create()
    newer = twilio.service.conversations.create(state="inactive")

    listed = twilio.service.conversations.list
    day = new.date_created.strftime("%Y-%m-%dT00:00:00Z")
    assert [each.sid for each in listed()] == [old.sid, new.sid, newer.sid]
    assert [each.sid for each in listed(state="inactive")] == [newer.sid]
    assert [each.sid for each in listed(start_date=day)] == [newer.sid, new.sid]
    assert [each.sid for each in listed(end_date=day)] == [old.sid]


def test_a_conversation_with_participants_is_created_completely_or_not_at_all(twilio: EmulatorServer) -> None:
    create = twilio.client.conversations.v1.services(SERVICE).conversation_with_participants.create
    customer = f'{{"messaging_binding": {{"address": "{CUSTOMER}", "proxy_address": "{OUR_SMS}"}}}}'

    created = create(friendly_name="both", participant=[customer, '{"identity": "alice"}'])

    assert [
        each.identity or each.messaging_binding["address"]
        for each in twilio.service.conversations(created.sid).participants.list()
    ] == [CUSTOMER, "alice"]
    with refused(code=50416):
        create(unique_name="twice", participant=['{"identity": "bob"}', customer])
    assert [each.sid for each in twilio.service.conversations.list()] == [created.sid]
    create(unique_name="twice")


def test_a_refused_conversation_with_participants_sends_no_webhooks(twilio: EmulatorServer, site: WebhookSite) -> None:
    create = twilio.client.conversations.v1.services(SERVICE).conversation_with_participants.create
    with refused(code=50433):
        create(participant=['{"identity": "bob"}', '{"identity": "bob"}'], x_twilio_webhook_enabled="true")

    create(participant=['{"identity": "bob"}'], x_twilio_webhook_enabled="true")

    site.wait_for("onConversationAdded", "onParticipantAdded")


def test_an_email_binding_is_stored(twilio: EmulatorServer) -> None:
    created = twilio.service.conversations.create(bindings_email_address="a@example.com", bindings_email_name="Shop")

    assert created.bindings == {"email": {"projected_address": "a@example.com", "name": "Shop"}}

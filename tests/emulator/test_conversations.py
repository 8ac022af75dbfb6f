import pytest

from tests.emulator.emulator_server import ACCOUNT, CUSTOMER, OUR_SMS, SERVICE, Served, refused
from tests.emulator.webhook_site import WebhookSite


def test_a_new_conversation_is_active_and_empty(twilio: Served) -> None:
    conversation = twilio.service.conversations.create(friendly_name="Order 17")

    assert (conversation.friendly_name, conversation.state, conversation.attributes) == ("Order 17", "active", "{}")
    assert (conversation.unique_name, conversation.timers, conversation.bindings) == (None, {}, {})
    assert (conversation.account_sid, conversation.chat_service_sid) == (ACCOUNT, SERVICE)
    assert conversation.date_created.microsecond == 0


@pytest.mark.parametrize("family", ["/v1", f"/v1/Services/{SERVICE}"])
def test_both_path_families_reach_the_same_conversation_and_link_to_themselves(twilio: Served, family: str) -> None:
    sid = twilio.text("hi")["conversation_sid"]

    body = twilio.request("GET", f"{family}/Conversations/{sid}").json()

    assert body["url"] == f"{twilio.url}{family}/Conversations/{sid}"
    assert body["links"]["messages"] == f"{twilio.url}{family}/Conversations/{sid}/Messages"


@pytest.mark.parametrize("children", ["Messages", "Participants"])
def test_children_tell_their_service_only_where_the_path_names_it(twilio: Served, children: str) -> None:
    path = f"/Conversations/{twilio.text('hi')['conversation_sid']}/{children}"

    (bare,) = twilio.request("GET", f"/v1{path}").json()[children.lower()]
    (told,) = twilio.request("GET", f"/v1/Services/{SERVICE}{path}").json()[children.lower()]

    assert "chat_service_sid" not in bare
    assert told["chat_service_sid"] == SERVICE


def test_a_conversation_is_found_by_its_unique_name_also_from_its_children(twilio: Served) -> None:
    created = twilio.service.conversations.create(unique_name="order-17")
    twilio.service.conversations("order-17").messages.create(body="hi")

    assert twilio.service.conversations("order-17").fetch().sid == created.sid
    assert [message.body for message in twilio.service.conversations(created.sid).messages.list()] == ["hi"]


def test_a_unique_name_is_free_again_once_its_conversation_is_deleted_or_renamed(twilio: Served) -> None:
    first = twilio.service.conversations.create(unique_name="order-17")
    with refused(code=50353, status=409):
        twilio.service.conversations.create(unique_name="order-17")

    first.update(unique_name="order-18")
    second = twilio.service.conversations.create(unique_name="order-17")
    second.delete()

    twilio.service.conversations.create(unique_name="order-17")


def test_a_conversation_may_be_given_the_name_it_has(twilio: Served) -> None:
    created = twilio.service.conversations.create(unique_name="order-17")

    assert created.update(unique_name="order-17", friendly_name="again").unique_name == "order-17"


def test_the_same_unique_name_may_stand_in_two_services(twilio: Served) -> None:
    other = twilio.client.conversations.v1.services.create(friendly_name="other")

    twilio.service.conversations.create(unique_name="order-17")
    twilio.client.conversations.v1.services(other.sid).conversations.create(unique_name="order-17")


def test_an_update_changes_what_it_names_and_nothing_else(twilio: Served) -> None:
    created = twilio.service.conversations.create(friendly_name="Order 17", attributes='{"a": 1}')

    updated = created.update(attributes='{"b": 2}')

    assert (updated.friendly_name, updated.attributes) == ("Order 17", '{"b": 2}')
    assert twilio.service.conversations(created.sid).fetch().attributes == '{"b": 2}'


def test_an_import_keeps_its_dates(twilio: Served) -> None:
    created = twilio.service.conversations.create(date_created="2020-07-01T22:18:37Z")

    assert created.date_created.isoformat() == "2020-07-01T22:18:37+00:00"


def test_a_deleted_conversation_is_gone_with_all_it_held(twilio: Served) -> None:
    sids = twilio.text("hi")

    twilio.service.conversations(sids["conversation_sid"]).delete()

    with refused(code=20404, status=404):
        twilio.service.conversations(sids["conversation_sid"]).fetch()
    with refused(code=50350, status=404):
        twilio.service.conversations(sids["conversation_sid"]).messages.create(body="hello")
    assert twilio.service.participant_conversations.list(address=CUSTOMER) == []
    assert twilio.text("again")["conversation_sid"] != sids["conversation_sid"]


def test_a_closed_conversation_takes_no_change_of_any_kind(twilio: Served) -> None:
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
def test_an_address_pair_is_free_again_once_its_conversation_lets_go_of_it(twilio: Served, how: str) -> None:
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


def test_an_inactive_conversation_keeps_its_pair_and_wakes_with_the_next_text(
    twilio: Served, site: WebhookSite
) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    twilio.service.conversations(sid).update(state="inactive")

    assert twilio.text("again")["conversation_sid"] == sid

    assert twilio.service.conversations(sid).fetch().state == "active"
    changed = site.first("onConversationStateUpdated").fields
    assert (changed["StateFrom"], changed["StateTo"], changed["Reason"]) == ("inactive", "active", "EVENT")


def test_a_timer_that_is_changed_leaves_the_other(twilio: Served) -> None:
    conversation = twilio.service.conversations.create(timers_inactive="PT1M", timers_closed="PT20M")

    changed = conversation.update(timers_inactive="PT5M").timers

    assert twilio.instant(changed["date_closed"]) - twilio.instant(changed["date_inactive"]) == 15 * 60


def test_a_state_that_stays_as_it_is_is_not_told(twilio: Served, site: WebhookSite) -> None:
    conversation = twilio.service.conversations.create()
    tells = {"x_twilio_webhook_enabled": "true"}

    conversation.update(state="active", **tells)
    conversation.update(state="inactive", **tells)

    site.waits_for("onConversationUpdated", "onConversationUpdated", "onConversationStateUpdated")


def test_timers_follow_the_state(twilio: Served) -> None:
    conversation = twilio.service.conversations.create(timers_inactive="PT1M", timers_closed="PT20M")
    asleep = conversation.update(state="inactive").timers
    twilio.advance_clock(minutes=15)

    awake = conversation.update(state="active").timers

    assert set(asleep) == {"date_closed"}
    assert set(awake) == {"date_inactive", "date_closed"}
    assert twilio.instant(awake["date_closed"]) - twilio.instant(asleep["date_closed"]) >= 15 * 60 - 1


def test_timers_take_durations_and_answer_with_instants(twilio: Served) -> None:
    conversation = twilio.service.conversations.create(timers_inactive="PT1M", timers_closed="PT10M")

    began = conversation.date_created.timestamp()
    inactive, closed = (twilio.instant(conversation.timers[name]) for name in ("date_inactive", "date_closed"))
    assert abs(inactive - began - 60) <= 1
    assert abs(closed - began - 600) <= 1


def test_time_makes_a_conversation_inactive_then_closed_and_tells_why(twilio: Served, site: WebhookSite) -> None:
    conversation = twilio.service.conversations.create(timers_inactive="PT1M", timers_closed="PT10M")

    twilio.advance_clock(minutes=1)
    after_a_minute = conversation.fetch().state
    twilio.advance_clock(minutes=9)
    after_ten = conversation.fetch()

    assert (after_a_minute, after_ten.state, after_ten.timers) == ("inactive", "closed", {})
    told = site.waits_for("onConversationStateUpdated", "onConversationStateUpdated")
    assert [(each.fields["StateTo"], each.fields["Reason"]) for each in told] == [
        ("inactive", "TIMER"),
        ("closed", "TIMER"),
    ]


def test_a_message_starts_the_timers_anew(twilio: Served) -> None:
    conversation = twilio.service.conversations.create(timers_inactive="PT10M")
    twilio.advance_clock(minutes=9)

    conversation.messages.create(body="still here")
    twilio.advance_clock(minutes=9)

    assert conversation.fetch().state == "active"
    twilio.advance_clock(minutes=1)
    assert conversation.fetch().state == "inactive"


def test_a_timer_falls_due_while_nobody_asks(twilio: Served, site: WebhookSite) -> None:
    twilio.service.conversations.create(timers_inactive="PT1M")
    twilio.advance_clock(seconds=59.5)

    assert site.first("onConversationStateUpdated").fields["StateTo"] == "inactive"


def test_the_accounts_default_timers_hold_unless_a_conversation_switches_them_off(twilio: Served) -> None:
    twilio.client.conversations.v1.configuration().update(default_inactive_timer="PT1M", default_closed_timer="PT10M")

    default = twilio.service.conversations.create()
    without = twilio.service.conversations.create(timers_inactive="PT0S")
    twilio.text("hi")

    assert set(default.timers) == {"date_inactive", "date_closed"}
    assert set(without.timers) == {"date_closed"}
    twilio.advance_clock(minutes=10)
    assert [each.state for each in twilio.service.conversations.list()] == ["closed"] * 3


def test_a_list_tells_by_state_and_by_day_newest_first(twilio: Served) -> None:
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


def test_a_conversation_with_participants_is_made_at_once_or_not_at_all(twilio: Served) -> None:
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


def test_what_fails_together_is_not_told(twilio: Served, site: WebhookSite) -> None:
    create = twilio.client.conversations.v1.services(SERVICE).conversation_with_participants.create
    with refused(code=50433):
        create(participant=['{"identity": "bob"}', '{"identity": "bob"}'], x_twilio_webhook_enabled="true")

    create(participant=['{"identity": "bob"}'], x_twilio_webhook_enabled="true")

    site.waits_for("onConversationAdded", "onParticipantAdded")


def test_an_email_binding_is_kept(twilio: Served) -> None:
    created = twilio.service.conversations.create(bindings_email_address="a@example.com", bindings_email_name="Shop")

    assert created.bindings == {"email": {"projected_address": "a@example.com", "name": "Shop"}}

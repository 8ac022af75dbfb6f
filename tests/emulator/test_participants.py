from tests.emulator.emulator_server import CUSTOMER, OUR_SMS, OUR_WHATSAPP, SERVICE, VISITOR, EmulatorServer, refused
from tests.emulator.webhook_site import WebhookSite

OTHER_CUSTOMER = "+12025550111"


def test_a_chat_participant_has_an_identity_a_role_and_no_binding(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create()

    alice = conversation.participants.create(identity="alice")

    assert (alice.identity, alice.messaging_binding) == ("alice", None)
    roles = {role.sid: role.friendly_name for role in twilio.service.roles.list()}
    assert roles[alice.role_sid] == "channel user"


def test_a_participant_on_a_channel_has_a_binding_and_no_role(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create()

    customer = conversation.participants.create(
        messaging_binding_address=f"whatsapp:{CUSTOMER}", messaging_binding_proxy_address=OUR_WHATSAPP
    )

    assert (customer.identity, customer.role_sid) == (None, None)
    assert customer.messaging_binding == {
        "type": "whatsapp",
        "address": f"whatsapp:{CUSTOMER}",
        "proxy_address": OUR_WHATSAPP,
    }


def test_a_participant_is_found_by_their_identity(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create()
    alice = conversation.participants.create(identity="alice")

    conversation.participants("alice").update(attributes='{"vip": true}')

    assert conversation.participants(alice.sid).fetch().attributes == '{"vip": true}'


def test_the_error_for_a_taken_address_pair_names_the_conversation(twilio: EmulatorServer) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    conversation = twilio.service.conversations.create()

    with refused(code=50416, status=409) as caught:
        conversation.participants.create(messaging_binding_address=CUSTOMER, messaging_binding_proxy_address=OUR_SMS)

    assert sid in caught.value.msg


def test_one_customer_talks_to_two_of_our_numbers_in_two_conversations(twilio: EmulatorServer) -> None:
    twilio.client.incoming_phone_numbers.create(phone_number="+12025550102")
    sid = twilio.text("hi")["conversation_sid"]

    second = twilio.service.conversations.create()
    second.participants.create(messaging_binding_address=CUSTOMER, messaging_binding_proxy_address="+12025550102")

    assert second.sid != sid


def test_a_customer_can_be_moved_to_another_number_of_the_account(twilio: EmulatorServer) -> None:
    twilio.client.incoming_phone_numbers.create(phone_number="+12025550102")
    sid = twilio.text("hi")["conversation_sid"]
    (customer,) = twilio.service.conversations(sid).participants.list()

    customer.update(messaging_binding_proxy_address="+12025550102")
    customer.update(messaging_binding_proxy_address="+12025550102")  # the same number again

    assert twilio.text("again", to="+12025550102")["conversation_sid"] == sid
    assert twilio.text("new")["conversation_sid"] != sid


def test_the_last_read_message_index_is_stored_with_the_time(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create()
    alice = conversation.participants.create(identity="alice")

    alice.update(last_read_message_index=3)

    read = conversation.participants("alice").fetch()
    assert read.last_read_message_index == 3
    assert read.last_read_timestamp is not None
    imported = alice.update(last_read_message_index=4, last_read_timestamp="2020-07-01T22:18:37Z")
    assert imported.last_read_timestamp.startswith("2020-07-01")


def test_the_conversations_of_an_address_or_an_identity_are_found(twilio: EmulatorServer) -> None:
    closed = twilio.text("hi")["conversation_sid"]
    twilio.service.conversations(closed).update(state="closed")
    opened = twilio.text("again")["conversation_sid"]
    chat = twilio.text("hi", sender=VISITOR, to="chat")["conversation_sid"]

    by_address = twilio.service.participant_conversations.list(address=CUSTOMER)
    by_identity = twilio.client.conversations.v1.participant_conversations.list(identity=VISITOR)

    assert [(row.conversation_sid, row.conversation_state) for row in by_address] == [
        (closed, "closed"),
        (opened, "active"),
    ]
    assert by_address[0].participant_messaging_binding["address"] == CUSTOMER
    assert [(row.conversation_sid, row.participant_identity) for row in by_identity] == [(chat, VISITOR)]
    assert by_identity[0].participant_user_sid.startswith("US")


def test_the_conversations_of_an_identity_are_listed_per_service(twilio: EmulatorServer) -> None:
    other = twilio.client.conversations.v1.services(
        twilio.client.conversations.v1.services.create(friendly_name="other").sid
    )
    ours, theirs = twilio.service.conversations.create(), other.conversations.create()
    for conversation in (ours, theirs):
        conversation.participants.create(identity="alice")

    for service, conversation in ((twilio.service, ours), (other, theirs)):
        by_identity = service.participant_conversations.list(identity="alice")
        by_user = service.users("alice").user_conversations.list()
        assert [row.conversation_sid for row in (*by_identity, *by_user)] == [conversation.sid] * 2


def test_a_removed_participant_gets_no_messages(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    conversation.participants.list()[0].delete()

    conversation.messages.create(author="switchboard", body="anybody?")

    assert twilio.inbox() == []
    assert twilio.service.participant_conversations.list(address=CUSTOMER) == []


def test_webhooks_repeat_a_parameter_for_each_customer_of_a_conversation(
    twilio: EmulatorServer, site: WebhookSite
) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    conversation.participants.create(messaging_binding_address=OTHER_CUSTOMER, messaging_binding_proxy_address=OUR_SMS)

    conversation.update(friendly_name="both", x_twilio_webhook_enabled="true")

    updated = site.first("onConversationUpdated")
    assert updated.getlist("MessagingBinding.Address") == [CUSTOMER, OTHER_CUSTOMER]
    assert updated.is_signed()


def test_deleting_a_participant_sends_a_webhook_with_the_header(twilio: EmulatorServer, site: WebhookSite) -> None:
    conversation = twilio.service.conversations.create()
    alice = conversation.participants.create(identity="alice")
    path = f"/v1/Services/{SERVICE}/Conversations/{conversation.sid}/Participants/{alice.sid}"

    twilio.request("DELETE", path, headers={"X-Twilio-Webhook-Enabled": "true"})

    removed = site.first("onParticipantRemoved").fields
    assert (removed["ParticipantSid"], removed["Identity"]) == (alice.sid, "alice")
    assert "DateRemoved" in removed

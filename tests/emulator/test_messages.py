import json

from tests.emulator.emulator_server import CUSTOMER, OUR_SMS, VISITOR, EmulatorServer
from tests.emulator.webhook_site import WebhookSite


def test_the_default_author_is_system(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create()

    message = conversation.messages.create(body="hi")

    assert (message.author, message.participant_sid, message.index, message.delivery) == ("system", None, 0, None)


def test_a_message_belongs_to_the_participant_whose_identity_is_its_author(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create()
    alice = conversation.participants.create(identity="alice")

    from_bot = conversation.messages.create(author="switchboard", body="hi")
    from_alice = conversation.messages.create(author="alice", body="hi")

    assert (from_bot.participant_sid, from_alice.participant_sid) == (None, alice.sid)


def test_a_message_is_not_sent_back_to_its_author(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])

    message = conversation.messages.create(author=CUSTOMER, body="sent on their behalf")

    assert message.delivery is None
    assert twilio.inbox() == []


def test_indices_increase_and_are_not_used_again(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create()
    first, second = (conversation.messages.create(body=body) for body in ("a", "b"))

    second.delete()
    third = conversation.messages.create(body="c")

    assert [first.index, third.index] == [0, 2]
    assert [message.body for message in conversation.messages.list()] == ["a", "c"]


def test_messages_are_listed_in_either_order(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create()
    for body in "abc":
        conversation.messages.create(body=body)

    assert [message.body for message in conversation.messages.list(order="desc")] == ["c", "b", "a"]
    assert [message.body for message in conversation.messages.list(order="desc", limit=1)] == ["c"]


def test_an_edit_changes_the_conversation_and_not_the_phone(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    message = conversation.messages.create(author="switchboard", body="teh answer")

    message.update(body="the answer", attributes='{"edited": true}')

    edited = conversation.messages(message.sid).fetch()
    assert (edited.body, edited.attributes, edited.author) == ("the answer", '{"edited": true}', "switchboard")
    assert [row["body"] for row in twilio.inbox()] == ["teh answer"]


def test_a_deleted_message_stays_on_the_phone(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    message = conversation.messages.create(author="switchboard", body="oops")

    message.delete()

    assert [row["body"] for row in twilio.inbox()] == ["oops"]
    assert [message.body for message in conversation.messages.list()] == ["hi"]


def test_a_post_is_not_idempotent(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])

    for _ in range(2):
        conversation.messages.create(author="switchboard", body="hello", attributes='{"turn": 1}')

    assert [row["body"] for row in twilio.inbox()] == ["hello", "hello"]


def test_attributes_are_returned_as_the_same_string(twilio: EmulatorServer, site: WebhookSite) -> None:
    conversation = twilio.service.conversations.create()
    attributes = json.dumps({"switchboard": {"turn": "t1", "part": 0}, "ñ": "\u2028"}, ensure_ascii=False)

    message = conversation.messages.create(body="hi", attributes=attributes, x_twilio_webhook_enabled="true")

    assert message.attributes == attributes
    assert site.first("onMessageAdded").fields["Attributes"] == attributes


def test_dates_have_seconds_in_rest_and_milliseconds_in_webhooks(twilio: EmulatorServer, site: WebhookSite) -> None:
    sids = twilio.text("hi")

    message = twilio.service.conversations(sids["conversation_sid"]).messages(sids["message_sid"]).fetch()

    received = site.first("onMessageAdded").fields["DateCreated"]
    assert received[19] == "."
    assert received[23:] == "Z"
    assert received[:19] == message.date_created.strftime("%Y-%m-%dT%H:%M:%S")


def test_a_human_on_chat_and_a_customer_on_sms_get_each_others_messages(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    conversation.participants.create(identity="alice")

    conversation.messages.create(author="alice", body="this is Alice")
    twilio.text("hello Alice", to=OUR_SMS)

    assert [row["body"] for row in twilio.inbox()] == ["this is Alice"]
    assert [row["body"] for row in twilio.inbox("alice")] == ["hello Alice"]


def test_a_visitor_gets_no_delivery_receipts(twilio: EmulatorServer) -> None:
    sid = twilio.text("hi", sender=VISITOR, to="chat")["conversation_sid"]

    message = twilio.service.conversations(sid).messages.create(author="switchboard", body="hello")

    assert message.delivery is None
    assert message.delivery_receipts.list() == []

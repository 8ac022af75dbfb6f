from tests.emulator.emulator_server import ACCOUNT, CUSTOMER, OUR_SMS, OUR_WHATSAPP, SERVICE, VISITOR, EmulatorServer
from tests.emulator.webhook_site import WebhookSite

AUTO_CREATED = ("onConversationAdded", "onParticipantAdded", "onMessageAdded")


def test_a_first_message_opens_a_conversation_with_the_customer_in_it(twilio: EmulatorServer) -> None:
    sids = twilio.text("hi")

    conversation = twilio.service.conversations(sids["conversation_sid"]).fetch()
    (participant,) = twilio.service.conversations(conversation.sid).participants.list()
    (message,) = twilio.service.conversations(conversation.sid).messages.list()
    assert conversation.state == "active"
    assert participant.messaging_binding == {"type": "sms", "address": CUSTOMER, "proxy_address": OUR_SMS}
    assert (message.sid, message.body, message.author) == (sids["message_sid"], "hi", CUSTOMER)
    assert (message.index, message.participant_sid) == (0, participant.sid)


def test_the_next_message_goes_into_the_same_conversation(twilio: EmulatorServer) -> None:
    first = twilio.text("hi")

    second = twilio.text("again")

    assert second["conversation_sid"] == first["conversation_sid"]
    messages = twilio.service.conversations(first["conversation_sid"]).messages.list()
    assert [(message.index, message.body) for message in messages] == [(0, "hi"), (1, "again")]


def test_a_message_to_a_closed_conversation_opens_a_new_one(twilio: EmulatorServer) -> None:
    first = twilio.text("hi")
    twilio.service.conversations(first["conversation_sid"]).update(state="closed")

    second = twilio.text("again")

    assert second["conversation_sid"] != first["conversation_sid"]


def test_a_message_to_a_closed_web_chat_opens_a_new_one(twilio: EmulatorServer) -> None:
    first = twilio.text("hi", sender=VISITOR, to="chat")
    twilio.service.conversations(first["conversation_sid"]).update(state="closed")

    second = twilio.text("again", sender=VISITOR, to="chat")

    assert second["conversation_sid"] != first["conversation_sid"]


def test_a_first_message_sends_all_webhooks_in_order_and_signed(twilio: EmulatorServer, site: WebhookSite) -> None:
    sids = twilio.text("hola ñ & + = %")

    *_, message = received = site.wait_for(*AUTO_CREATED)
    assert all(each.is_signed() for each in received)
    assert message.fields["AccountSid"] == ACCOUNT
    assert message.fields["ChatServiceSid"] == SERVICE
    assert message.fields["ConversationSid"] == sids["conversation_sid"]
    assert message.fields["MessageSid"] == sids["message_sid"]
    assert message.fields["Body"] == "hola ñ & + = %"
    assert message.fields["Source"] == "SMS"
    assert len({each.headers["i-twilio-idempotency-token"] for each in received}) == len(received)


def test_a_whatsapp_message_has_the_prefix_on_both_addresses(twilio: EmulatorServer, site: WebhookSite) -> None:
    sids = twilio.text("hi", sender=f"whatsapp:{CUSTOMER}", to=OUR_WHATSAPP)

    (participant,) = twilio.service.conversations(sids["conversation_sid"]).participants.list()
    assert participant.messaging_binding["type"] == "whatsapp"
    assert site.first("onMessageAdded").fields["Author"] == f"whatsapp:{CUSTOMER}"


def test_a_visitors_messages_go_into_one_web_chat(twilio: EmulatorServer, site: WebhookSite) -> None:
    first = twilio.text("hi", sender=VISITOR, to="chat")

    second = twilio.text("again", sender=VISITOR, to="chat")

    assert second["conversation_sid"] == first["conversation_sid"]
    message = site.first("onMessageAdded").fields
    assert (message["Author"], message["ClientIdentity"], message["Source"]) == (VISITOR, VISITOR, "SDK")


def test_a_message_is_refused_if_auto_creation_is_off(twilio: EmulatorServer) -> None:
    configuration = twilio.client.conversations.v1.address_configurations(OUR_SMS).fetch()
    configuration.update(auto_creation_enabled=False)

    answer = twilio.request("POST", "/_emulator/inbound", json={"from": CUSTOMER, "to": OUR_SMS, "body": "hi"})

    assert (answer.status_code, answer.json()["code"]) == (404, 20404)
    assert twilio.service.conversations.list() == []


def test_a_reply_reaches_only_the_customer_of_its_conversation(twilio: EmulatorServer) -> None:
    sids = twilio.text("hi")
    twilio.text("me too", sender="+12025550111")

    reply = twilio.service.conversations(sids["conversation_sid"]).messages.create(author="switchboard", body="hello")

    (arrived,) = twilio.inbox()
    assert arrived.pop("at").endswith("Z")
    assert arrived == {
        "conversation_sid": sids["conversation_sid"],
        "message_sid": reply.sid,
        "body": "hello",
        "author": "switchboard",
        "status": "delivered",
        "media": [],
    }
    assert twilio.inbox("+12025550111") == []


def test_a_reply_in_a_web_chat_reaches_the_visitor(twilio: EmulatorServer) -> None:
    sids = twilio.text("hi", sender=VISITOR, to="chat")

    twilio.service.conversations(sids["conversation_sid"]).messages.create(author="switchboard", body="hello")

    assert [row["body"] for row in twilio.inbox(VISITOR)] == ["hello"]


def test_a_whatsapp_customer_may_send_a_location_a_contact_or_a_sticker_which_have_neither_words_nor_files(
    twilio: EmulatorServer, site: WebhookSite
) -> None:
    sids = twilio.text("", sender=f"whatsapp:{CUSTOMER}", to=OUR_WHATSAPP)

    message = twilio.service.conversations(sids["conversation_sid"]).messages(sids["message_sid"]).fetch()
    assert (message.body, message.media) == (None, None)
    fields = site.first("onMessageAdded").fields
    assert {"Body", "Media"}.isdisjoint(fields)
    refused = twilio.request("POST", "/_emulator/inbound", json={"from": CUSTOMER, "to": OUR_SMS, "body": ""})
    assert refused.json()["code"] == 50503


def test_a_customer_sees_the_files_of_what_they_received(twilio: EmulatorServer) -> None:
    sid = twilio.text("hi", sender=VISITOR, to="chat")["conversation_sid"]
    file = {"content": "iVBORw0KGgA=", "content_type": "image/png", "filename": "car.png"}
    other = "visitor-" + "0" * 31 + "7"
    twilio.service.conversations(sid).participants.create(identity=other)

    twilio.request("POST", "/_emulator/inbound", json={"from": VISITOR, "to": "chat", "body": "look", "media": [file]})

    (arrived,) = twilio.inbox(other)
    (seen,) = arrived["media"]
    assert (seen["content_type"], seen["filename"], seen["size"]) == ("image/png", "car.png", 8)

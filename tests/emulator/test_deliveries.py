import pytest

from tests.emulator.emulator_server import CUSTOMER, OUR_SMS, OUR_WHATSAPP, VISITOR, Served
from tests.emulator.webhook_site import WebhookSite
from tests.waiting import wait_until

WHATSAPP_CUSTOMER = f"whatsapp:{CUSTOMER}"
OTHER_CUSTOMER = "+12025550111"
# Twilio's own (support article 223134027), written down a second time: nobody is to lose one unnoticed.
OPT_OUT_WORDS = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
OPT_IN_WORDS = {"START", "YES", "UNSTOP"}
CARRIERS = [
    21211, 21611, 21612, 21614, 21656, 30001, 30003, 30005, 30006, 30007, 30008, 30022, 30034,
    63001, 63014, 63015, 63018, 63024, 63049,
]  # fmt: skip


def told(site: WebhookSite) -> list[tuple[str, str | None]]:
    """Return what the delivery webhooks told: status and error code."""
    deliveries = [received for received in site.received if received.type == "onDeliveryUpdated"]
    return [(each.fields["Status"], each.fields.get("ErrorCode")) for each in deliveries]


@pytest.mark.parametrize(("sender", "to"), [(CUSTOMER, OUR_SMS), (WHATSAPP_CUSTOMER, OUR_WHATSAPP)])
def test_a_reply_is_sent_then_delivered_and_tells_both_without_any_header(
    twilio: Served, site: WebhookSite, sender: str, to: str
) -> None:
    sid = twilio.text("hi", sender=sender, to=to)["conversation_sid"]

    message = twilio.service.conversations(sid).messages.create(author="switchboard", body="hello")

    (receipt,) = message.delivery_receipts.list()
    assert (receipt.status, receipt.error_code, receipt.participant_sid[:2]) == ("delivered", 0, "MB")
    assert message.delivery_receipts(receipt.sid).fetch().channel_message_sid[:2] == "SM"
    assert message.fetch().delivery == {
        "total": 1,
        "sent": "all",
        "delivered": "all",
        "read": "none",
        "failed": "none",
        "undelivered": "none",
    }
    wait_until(lambda: told(site) == [("sent", None), ("delivered", None)])
    event = site.first("onDeliveryUpdated").fields
    assert (event["MessageSid"], event["DeliveryReceiptSid"]) == (message.sid, receipt.sid)
    assert "Source" not in event


def test_an_opted_out_customer_gets_nothing_until_he_opts_in_again(twilio: Served, site: WebhookSite) -> None:
    conversation = twilio.service.conversations(twilio.text("  stop ")["conversation_sid"])

    refused = conversation.messages.create(author="switchboard", body="hello")
    twilio.text("START")
    conversation.messages.create(author="switchboard", body="welcome back")

    (receipt,) = refused.delivery_receipts.list()
    assert (receipt.status, receipt.error_code) == ("failed", 21610)
    assert [row["body"] for row in twilio.inbox()] == ["welcome back"]
    wait_until(lambda: ("failed", "21610") in told(site))


def test_only_a_single_word_opts_out_and_its_text_is_passed_on(twilio: Served) -> None:
    conversation = twilio.service.conversations(twilio.text("stop please")["conversation_sid"])
    assert conversation.messages.create(author="switchboard", body="hello").delivery["delivered"] == "all"

    twilio.text("STOP")

    assert [message.body for message in conversation.messages.list()] == ["stop please", "hello", "STOP"]


def test_whatsapp_has_no_stop_word(twilio: Served) -> None:
    sid = twilio.text("STOP", sender=WHATSAPP_CUSTOMER, to=OUR_WHATSAPP)["conversation_sid"]

    twilio.service.conversations(sid).messages.create(author="switchboard", body="hello")

    assert [row["body"] for row in twilio.inbox(WHATSAPP_CUSTOMER)] == ["hello"]


def test_whatsapp_takes_free_text_for_24_hours_after_the_customers_last(twilio: Served) -> None:
    sid = twilio.text("hi", sender=WHATSAPP_CUSTOMER, to=OUR_WHATSAPP)["conversation_sid"]
    conversation = twilio.service.conversations(sid)
    twilio.advance_clock(hours=23)
    inside = conversation.messages.create(author="switchboard", body="still there?")
    twilio.advance_clock(hours=2)

    outside = conversation.messages.create(author="switchboard", body="hello?")

    assert inside.delivery["delivered"] == "all"
    (receipt,) = outside.delivery_receipts.list()
    assert (receipt.status, receipt.error_code) == ("failed", 63016)
    twilio.text("back", sender=WHATSAPP_CUSTOMER, to=OUR_WHATSAPP)
    assert conversation.messages.create(author="switchboard", body="good").delivery["delivered"] == "all"


def test_whatsapp_takes_no_free_text_before_the_customers_first(twilio: Served) -> None:
    conversation = twilio.service.conversations.create()
    conversation.participants.create(
        messaging_binding_address=WHATSAPP_CUSTOMER, messaging_binding_proxy_address=OUR_WHATSAPP
    )

    assert conversation.messages.create(author="switchboard", body="hello").delivery["failed"] == "all"


def test_a_text_too_long_for_sms_fails_there_and_reaches_the_chat(twilio: Served) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    conversation.participants.create(identity="alice")

    longest = conversation.messages.create(author="switchboard", body="x" * 1600)
    too_long = conversation.messages.create(author="switchboard", body="x" * 1601)

    assert longest.delivery["delivered"] == "all"
    assert [receipt.error_code for receipt in too_long.delivery_receipts.list()] == [21617]
    assert [len(row["body"]) for row in twilio.inbox("alice")] == [1600, 1601]


@pytest.mark.parametrize("word", sorted(OPT_OUT_WORDS))
def test_each_of_twilios_words_opts_out_in_any_case_and_the_customer_stays_in(twilio: Served, word: str) -> None:
    conversation = twilio.service.conversations(twilio.text(word.title())["conversation_sid"])

    message = conversation.messages.create(author="switchboard", body="hello")

    assert [receipt.error_code for receipt in message.delivery_receipts.list()] == [21610]
    assert len(conversation.participants.list()) == 1


@pytest.mark.parametrize("word", sorted(OPT_IN_WORDS))
def test_each_of_twilios_words_opts_in(twilio: Served, word: str) -> None:
    conversation = twilio.service.conversations(twilio.text("STOP")["conversation_sid"])

    twilio.text(word.lower())

    assert conversation.messages.create(author="switchboard", body="hello").delivery["delivered"] == "all"


@pytest.mark.parametrize("word", ["HELP", "INFO"])
def test_a_word_that_asks_for_help_changes_nothing(twilio: Served, word: str) -> None:
    conversation = twilio.service.conversations(twilio.text(word)["conversation_sid"])

    assert conversation.messages.create(author="switchboard", body="hello").delivery["delivered"] == "all"


def test_an_opt_out_is_from_one_of_our_numbers_alone(twilio: Served) -> None:
    other = twilio.client.incoming_phone_numbers.create(phone_number="+12025550102").phone_number
    twilio.text("STOP")
    conversation = twilio.service.conversations.create()
    conversation.participants.create(messaging_binding_address=CUSTOMER, messaging_binding_proxy_address=other)

    assert conversation.messages.create(author="switchboard", body="hello").delivery["delivered"] == "all"


@pytest.mark.parametrize("code", CARRIERS)
def test_a_carriers_refusal_is_told_and_no_error_of_the_call(twilio: Served, site: WebhookSite, code: int) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    twilio.arm("fail_delivery", on=CUSTOMER, code=code)

    message = twilio.service.conversations(sid).messages.create(author="switchboard", body="hello")

    assert message.delivery["failed"] == "all"
    wait_until(lambda: told(site) == [("failed", str(code))])


@pytest.mark.parametrize(("sender", "to"), [(CUSTOMER, OUR_SMS), (WHATSAPP_CUSTOMER, OUR_WHATSAPP)])
def test_what_the_carrier_does_not_deliver_was_sent_before(
    twilio: Served, site: WebhookSite, sender: str, to: str
) -> None:
    sid = twilio.text("hi", sender=sender, to=to)["conversation_sid"]
    twilio.arm("fail_delivery", on=sender, code=30003, status="undelivered")

    message = twilio.service.conversations(sid).messages.create(author="switchboard", body="hello")

    (receipt,) = message.delivery_receipts.list()
    assert (receipt.status, receipt.error_code) == ("undelivered", 30003)
    assert (message.delivery["undelivered"], message.delivery["failed"]) == ("all", "none")
    wait_until(lambda: told(site) == [("sent", None), ("undelivered", "30003")])
    assert twilio.inbox(sender) == []


def test_a_message_that_reached_some_of_its_recipients_says_so(twilio: Served) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    conversation.participants.create(messaging_binding_address=OTHER_CUSTOMER, messaging_binding_proxy_address=OUR_SMS)
    twilio.arm("fail_delivery", on=OTHER_CUSTOMER, code=30005)

    message = conversation.messages.create(author="switchboard", body="hello")

    assert message.delivery == {
        "total": 2,
        "sent": "some",
        "delivered": "some",
        "read": "none",
        "failed": "some",
        "undelivered": "none",
    }


def test_a_whatsapp_message_that_is_read_says_so_and_an_sms_does_not(twilio: Served, site: WebhookSite) -> None:
    for sender, to in ((WHATSAPP_CUSTOMER, OUR_WHATSAPP), (CUSTOMER, OUR_SMS)):
        sid = twilio.text("hi", sender=sender, to=to)["conversation_sid"]
        twilio.service.conversations(sid).messages.create(author="switchboard", body="hello")

        twilio.request("POST", "/_emulator/read", json={"address": sender})

    wait_until(lambda: len(told(site)) == 5)
    assert told(site).count(("read", None)) == 1
    assert [row["status"] for row in twilio.inbox(WHATSAPP_CUSTOMER)] == ["read"]
    assert [row["status"] for row in twilio.inbox()] == ["delivered"]


def test_a_visitor_who_reads_moves_his_read_horizon(twilio: Served, site: WebhookSite) -> None:
    conversation = twilio.service.conversations(twilio.text("hi", sender=VISITOR, to="chat")["conversation_sid"])
    conversation.messages.create(author="switchboard", body="hello")

    twilio.request("POST", "/_emulator/read", json={"address": VISITOR})

    assert conversation.participants(VISITOR).fetch().last_read_message_index == 1
    assert site.first("onParticipantUpdated").fields["ClientIdentity"] == VISITOR


def test_a_message_on_its_way_arrives_once_its_time_has_come(twilio: Served, site: WebhookSite) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    twilio.emulator.world.delivery_takes = twilio.seconds(30)

    message = conversation.messages.create(author="switchboard", body="hello")

    assert message.delivery["delivered"] == "none"
    assert twilio.inbox() == []
    twilio.advance_clock(seconds=30)
    assert [row["body"] for row in twilio.inbox()] == ["hello"]
    wait_until(lambda: told(site) == [("sent", None), ("delivered", None)])

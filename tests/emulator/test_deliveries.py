from datetime import timedelta

import pytest

from tests.emulator.emulator_server import CUSTOMER, OUR_SMS, OUR_WHATSAPP, VISITOR, EmulatorServer
from tests.emulator.webhook_site import WebhookSite
from tests.waiting import wait_until

WHATSAPP_CUSTOMER = f"whatsapp:{CUSTOMER}"
OTHER_CUSTOMER = "+12025550111"
# Twilio's keywords (support article 223134027), repeated here so that a missing one fails a test.
GOODBYE = "You have successfully been unsubscribed. Reply START to resubscribe."
WELCOME_BACK = "You have successfully been re-subscribed. Reply STOP to unsubscribe."
HOW_TO_STOP = "Reply STOP to unsubscribe."
OPT_OUT_WORDS = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
OPT_IN_WORDS = {"START", "YES", "UNSTOP"}
CARRIER_ERROR_CODES = [
    21211, 21611, 21612, 21614, 21656, 30001, 30003, 30005, 30006, 30007, 30008, 30022, 30034,
    63001, 63014, 63015, 63018, 63024, 63049,
]  # fmt: skip


def delivery_updates(site: WebhookSite) -> list[tuple[str, str | None]]:
    """Return the status and the error code in each delivery webhook."""
    deliveries = [received for received in site.received if received.type == "onDeliveryUpdated"]
    return [(each.fields["Status"], each.fields.get("ErrorCode")) for each in deliveries]


@pytest.mark.parametrize(("sender", "to"), [(CUSTOMER, OUR_SMS), (WHATSAPP_CUSTOMER, OUR_WHATSAPP)])
def test_a_reply_is_sent_then_delivered_with_a_webhook_for_each(
    twilio: EmulatorServer, site: WebhookSite, sender: str, to: str
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
    wait_until(lambda: delivery_updates(site) == [("sent", None), ("delivered", None)])
    event = site.first("onDeliveryUpdated").fields
    assert (event["MessageSid"], event["DeliveryReceiptSid"]) == (message.sid, receipt.sid)
    assert "Source" not in event


def test_an_opted_out_customer_gets_nothing_until_they_opt_in(twilio: EmulatorServer, site: WebhookSite) -> None:
    conversation = twilio.service.conversations(twilio.text("  stop ")["conversation_sid"])

    undeliverable = conversation.messages.create(author="switchboard", body="hello")
    twilio.text("START")
    conversation.messages.create(author="switchboard", body="welcome back")

    (receipt,) = undeliverable.delivery_receipts.list()
    assert (receipt.status, receipt.error_code) == ("failed", 21610)
    assert [(row["body"], row["author"], bool(row["conversation_sid"])) for row in twilio.inbox()] == [
        (GOODBYE, "+12025550100", False),
        (WELCOME_BACK, "+12025550100", False),
        ("welcome back", "switchboard", True),
    ]
    wait_until(lambda: ("failed", "21610") in delivery_updates(site))


def test_only_a_single_word_opts_out_and_its_message_is_added(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations(twilio.text("stop please")["conversation_sid"])
    assert conversation.messages.create(author="switchboard", body="hello").delivery["delivered"] == "all"

    twilio.text("STOP")

    assert [message.body for message in conversation.messages.list()] == ["stop please", "hello", "STOP"]


def test_twilio_answers_a_keyword_where_it_changes_something_and_help_always(twilio: EmulatorServer) -> None:
    for word in ("START", "help", "Stop", "QUIT", "INFO", "unstop", "START"):
        twilio.text(word)

    assert [row["body"] for row in twilio.inbox()] == [HOW_TO_STOP, GOODBYE, HOW_TO_STOP, WELCOME_BACK]


def test_whatsapp_has_no_opt_out_keyword(twilio: EmulatorServer) -> None:
    sid = twilio.text("STOP", sender=WHATSAPP_CUSTOMER, to=OUR_WHATSAPP)["conversation_sid"]

    twilio.service.conversations(sid).messages.create(author="switchboard", body="hello")

    assert [row["body"] for row in twilio.inbox(WHATSAPP_CUSTOMER)] == ["hello"]


def test_whatsapp_accepts_free_text_for_24_hours_after_the_customers_last_message(twilio: EmulatorServer) -> None:
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


def test_whatsapp_accepts_no_free_text_before_the_customers_first_message(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create()
    conversation.participants.create(
        messaging_binding_address=WHATSAPP_CUSTOMER, messaging_binding_proxy_address=OUR_WHATSAPP
    )

    assert conversation.messages.create(author="switchboard", body="hello").delivery["failed"] == "all"


def test_a_message_too_long_for_sms_fails_there_and_reaches_the_web_chat(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    conversation.participants.create(identity="alice")

    longest = conversation.messages.create(author="switchboard", body="x" * 1600)
    too_long = conversation.messages.create(author="switchboard", body="x" * 1601)

    assert longest.delivery["delivered"] == "all"
    assert [receipt.error_code for receipt in too_long.delivery_receipts.list()] == [21617]
    assert [len(row["body"]) for row in twilio.inbox("alice")] == [1600, 1601]


@pytest.mark.parametrize("word", sorted(OPT_OUT_WORDS))
def test_each_opt_out_keyword_opts_out_in_any_case_and_keeps_the_participant(twilio: EmulatorServer, word: str) -> None:
    conversation = twilio.service.conversations(twilio.text(word.title())["conversation_sid"])

    message = conversation.messages.create(author="switchboard", body="hello")

    assert [receipt.error_code for receipt in message.delivery_receipts.list()] == [21610]
    assert len(conversation.participants.list()) == 1


@pytest.mark.parametrize("word", sorted(OPT_IN_WORDS))
def test_each_opt_in_keyword_opts_in(twilio: EmulatorServer, word: str) -> None:
    conversation = twilio.service.conversations(twilio.text("STOP")["conversation_sid"])

    twilio.text(word.lower())

    assert conversation.messages.create(author="switchboard", body="hello").delivery["delivered"] == "all"


@pytest.mark.parametrize("word", ["HELP", "INFO"])
def test_a_help_keyword_changes_nothing(twilio: EmulatorServer, word: str) -> None:
    conversation = twilio.service.conversations(twilio.text(word)["conversation_sid"])

    assert conversation.messages.create(author="switchboard", body="hello").delivery["delivered"] == "all"


def test_an_opt_out_applies_to_one_number_of_the_account_only(twilio: EmulatorServer) -> None:
    other = twilio.client.incoming_phone_numbers.create(phone_number="+12025550102").phone_number
    twilio.text("STOP")
    conversation = twilio.service.conversations.create()
    conversation.participants.create(messaging_binding_address=CUSTOMER, messaging_binding_proxy_address=other)

    assert conversation.messages.create(author="switchboard", body="hello").delivery["delivered"] == "all"


@pytest.mark.parametrize("code", CARRIER_ERROR_CODES)
def test_a_delivery_that_the_carrier_refuses_sends_a_webhook_and_the_call_succeeds(
    twilio: EmulatorServer, site: WebhookSite, code: int
) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    twilio.arm("fail_delivery", on=CUSTOMER, code=code)

    message = twilio.service.conversations(sid).messages.create(author="switchboard", body="hello")

    assert message.delivery["failed"] == "all"
    wait_until(lambda: delivery_updates(site) == [("failed", str(code))])


@pytest.mark.parametrize(("sender", "to"), [(CUSTOMER, OUR_SMS), (WHATSAPP_CUSTOMER, OUR_WHATSAPP)])
def test_an_undelivered_message_was_sent_first(twilio: EmulatorServer, site: WebhookSite, sender: str, to: str) -> None:
    sid = twilio.text("hi", sender=sender, to=to)["conversation_sid"]
    twilio.arm("fail_delivery", on=sender, code=30003, status="undelivered")

    message = twilio.service.conversations(sid).messages.create(author="switchboard", body="hello")

    (receipt,) = message.delivery_receipts.list()
    assert (receipt.status, receipt.error_code) == ("undelivered", 30003)
    assert (message.delivery["undelivered"], message.delivery["failed"]) == ("all", "none")
    wait_until(lambda: delivery_updates(site) == [("sent", None), ("undelivered", "30003")])
    assert twilio.inbox(sender) == []


@pytest.mark.parametrize("status", ["failed", "undelivered"])
@pytest.mark.parametrize(("sender", "to"), [(CUSTOMER, OUR_SMS), (WHATSAPP_CUSTOMER, OUR_WHATSAPP)])
def test_the_next_deliveries_to_one_address_fail_and_the_one_after_them_arrives(
    twilio: EmulatorServer, site: WebhookSite, sender: str, to: str, status: str
) -> None:
    conversation = twilio.service.conversations(twilio.text("hi", sender=sender, to=to)["conversation_sid"])
    conversation.participants.create(messaging_binding_address=OTHER_CUSTOMER, messaging_binding_proxy_address=OUR_SMS)
    twilio.arm("fail_delivery", on=sender, count=2, code=31337, status=status)

    sent = [conversation.messages.create(author="switchboard", body=body) for body in ("one", "two", "three")]

    receipts = [{each.status: each.error_code for each in message.delivery_receipts.list()} for message in sent]
    assert receipts == [{status: 31337, "delivered": 0}, {status: 31337, "delivered": 0}, {"delivered": 0}]
    assert [row["body"] for row in twilio.inbox(sender)] == ["three"]
    assert [row["body"] for row in twilio.inbox(OTHER_CUSTOMER)] == ["one", "two", "three"]
    wait_until(lambda: delivery_updates(site).count(("delivered", None)) == 4)
    assert delivery_updates(site).count((status, "31337")) == 2


def test_every_delivery_to_an_address_fails_until_the_fault_is_removed(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    twilio.arm("fail_delivery", on=CUSTOMER, rate=1, code=30005)
    for body in ("one", "two", "three"):
        conversation.messages.create(author="switchboard", body=body)
    assert twilio.inbox() == []

    twilio.request("DELETE", "/_emulator/faults")
    conversation.messages.create(author="switchboard", body="four")

    assert [row["body"] for row in twilio.inbox()] == ["four"]


def test_a_delivery_that_fails_without_a_code_has_that_of_an_unknown_error(twilio: EmulatorServer) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    twilio.arm("fail_delivery", on=CUSTOMER)

    message = twilio.service.conversations(sid).messages.create(author="switchboard", body="hello")

    assert [receipt.error_code for receipt in message.delivery_receipts.list()] == [30008]


@pytest.mark.parametrize("code", [0, -30003])
def test_a_code_that_would_mean_no_failure_is_refused(twilio: EmulatorServer, code: int) -> None:
    answer = twilio.request("POST", "/_emulator/faults", json={"kind": "fail_delivery", "count": 1, "code": code})

    assert (answer.status_code, answer.json()["code"]) == (400, 20422)


def test_a_message_shows_that_it_reached_some_of_its_recipients(twilio: EmulatorServer) -> None:
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


def test_a_whatsapp_message_reports_that_it_was_read_and_an_sms_does_not(
    twilio: EmulatorServer, site: WebhookSite
) -> None:
    for sender, to in ((WHATSAPP_CUSTOMER, OUR_WHATSAPP), (CUSTOMER, OUR_SMS)):
        sid = twilio.text("hi", sender=sender, to=to)["conversation_sid"]
        twilio.service.conversations(sid).messages.create(author="switchboard", body="hello")

        twilio.request("POST", "/_emulator/read", json={"address": sender})

    wait_until(lambda: len(delivery_updates(site)) == 5)
    assert delivery_updates(site).count(("read", None)) == 1
    assert [row["status"] for row in twilio.inbox(WHATSAPP_CUSTOMER)] == ["read"]
    assert [row["status"] for row in twilio.inbox()] == ["delivered"]


def test_a_visitor_who_reads_changes_their_last_read_message_index(twilio: EmulatorServer, site: WebhookSite) -> None:
    conversation = twilio.service.conversations(twilio.text("hi", sender=VISITOR, to="chat")["conversation_sid"])
    conversation.messages.create(author="switchboard", body="hello")

    twilio.request("POST", "/_emulator/read", json={"address": VISITOR})

    assert conversation.participants(VISITOR).fetch().last_read_message_index == 1
    assert site.first("onParticipantUpdated").fields["ClientIdentity"] == VISITOR


def test_a_message_arrives_after_the_delivery_delay(twilio: EmulatorServer, site: WebhookSite) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    twilio.emulator.backend.delivery_delay = timedelta(seconds=30)

    message = conversation.messages.create(author="switchboard", body="hello")

    assert message.delivery["delivered"] == "none"
    assert twilio.inbox() == []
    twilio.advance_clock(seconds=30)
    assert [row["body"] for row in twilio.inbox()] == ["hello"]
    wait_until(lambda: delivery_updates(site) == [("sent", None), ("delivered", None)])

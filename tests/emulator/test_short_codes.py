"""Short codes: numbers of 3 to 8 digits, as an address of the account or of a customer on SMS."""

import pytest

from tests.emulator.emulator_server import CUSTOMER, OUR_SMS, OUR_WHATSAPP, EmulatorServer, refused
from tests.emulator.webhook_site import WebhookSite
from tests.waiting import wait_until
from twilio_emulator.client import CustomerClient

OURS = "12345"
THEIRS = "68849"


@pytest.fixture
def twilio(twilio: EmulatorServer) -> EmulatorServer:
    """Return an emulator whose account has a short code, with auto-creation."""
    answer = twilio.request("POST", "/_emulator/senders", json={"address": OURS})
    assert (answer.status_code, answer.json()["sid"][:2]) == (201, "SC")
    twilio.client.conversations.v1.address_configurations.create(
        type="sms", address=OURS, address_country="US", auto_creation_enabled=True
    )
    return twilio


def test_a_text_to_our_short_code_opens_a_conversation_and_is_answered(
    twilio: EmulatorServer, site: WebhookSite
) -> None:
    with CustomerClient(twilio.url, CUSTOMER, to=OURS) as customer:
        sid = customer.send("hi").conversation_sid
        message = twilio.service.conversations(sid).messages.create(author="switchboard", body="hello")

        assert [row.body for row in customer.inbox()] == ["hello"]
    assert message.delivery["delivered"] == "all"
    (participant,) = twilio.service.conversations(sid).participants.list()
    assert participant.messaging_binding == {"type": "sms", "address": CUSTOMER, "proxy_address": OURS}
    assert site.first("onMessageAdded").fields["Source"] == "SMS"
    assert site.first("onParticipantAdded").fields["MessagingBinding.Type"] == "SMS"


def test_a_configuration_of_a_short_code_has_its_country(twilio: EmulatorServer) -> None:
    configuration = twilio.client.conversations.v1.address_configurations(OURS).fetch()

    assert (configuration.type, configuration.address, configuration.address_country) == ("sms", OURS, "US")


def test_a_customer_writes_from_a_short_code(twilio: EmulatorServer, site: WebhookSite) -> None:
    with CustomerClient(twilio.url, THEIRS, to=OUR_SMS) as customer:
        sid = customer.send("hi").conversation_sid
        twilio.service.conversations(sid).messages.create(author="switchboard", body="hello")
        customer.read()

        assert [(row.body, row.status) for row in customer.inbox()] == [("hello", "delivered")]
    message = site.first("onMessageAdded").fields
    assert (message["Author"], message["Source"], message["ParticipantSid"][:2]) == (THEIRS, "SMS", "MB")
    assert "ClientIdentity" not in message
    (conversation,) = twilio.service.participant_conversations.list(address=THEIRS)
    assert conversation.conversation_sid == sid


@pytest.mark.parametrize("short_code", ["123", "12345678"])
def test_a_participant_may_have_a_short_code_of_3_to_8_digits(twilio: EmulatorServer, short_code: str) -> None:
    conversation = twilio.service.conversations.create()

    participant = conversation.participants.create(
        messaging_binding_address=short_code, messaging_binding_proxy_address=OUR_SMS
    )

    assert participant.messaging_binding == {"type": "sms", "address": short_code, "proxy_address": OUR_SMS}


@pytest.mark.parametrize(
    ("address", "proxy_address", "code"),
    [
        ("12", OUR_SMS, 50407),
        ("123456789", OUR_SMS, 50407),
        ("+12345", OUR_SMS, 50407),
        (CUSTOMER, "12", 50408),
        (OURS, OURS, 50409),
        (CUSTOMER, "54321", 50413),
        (THEIRS, OUR_WHATSAPP, 50414),
    ],
)
def test_a_pair_with_a_short_code_has_the_errors_of_any_other(
    twilio: EmulatorServer, address: str, proxy_address: str, code: int
) -> None:
    conversation = twilio.service.conversations.create()

    with refused(code=code):
        conversation.participants.create(
            messaging_binding_address=address, messaging_binding_proxy_address=proxy_address
        )


def test_stop_to_a_short_code_opts_out_of_that_short_code_only(twilio: EmulatorServer) -> None:
    with CustomerClient(twilio.url, CUSTOMER, to=OURS) as customer:
        sid = customer.opt_out().conversation_sid
        lost = twilio.service.conversations(sid).messages.create(author="switchboard", body="lost")

        assert [row.author for row in customer.inbox()] == [OURS]
    assert [receipt.error_code for receipt in lost.delivery_receipts.list()] == [21610]
    other = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    assert other.messages.create(author="switchboard", body="hello").delivery["delivered"] == "all"


def test_a_short_code_is_no_phone_number_of_the_account(twilio: EmulatorServer) -> None:
    assert OURS not in [each.phone_number for each in twilio.client.incoming_phone_numbers.list()]
    with refused(code=20422):
        twilio.client.incoming_phone_numbers.create(phone_number="54321")


def test_a_visitor_whose_identity_has_the_digits_of_a_short_code_is_in_a_web_chat(
    twilio: EmulatorServer, site: WebhookSite
) -> None:
    by_sms = twilio.text("by text", sender=THEIRS)["conversation_sid"]

    with CustomerClient(twilio.url, THEIRS) as visitor:
        sent = visitor.send("by chat")
        assert (sent.channel_message_sid, visitor.send("again").conversation_sid) == (None, sent.conversation_sid)
        twilio.service.conversations(sent.conversation_sid).messages.create(author="switchboard", body="hello")
        visitor.read()
        assert [(row.body, row.status) for row in visitor.inbox()] == [("hello", "read")]

    assert sent.conversation_sid != by_sms
    (participant,) = twilio.service.conversations(sent.conversation_sid).participants.list()
    assert (participant.identity, participant.messaging_binding) == (THEIRS, None)
    wait_until(lambda: site.types().count("onMessageAdded") == 3)
    sources = [each.fields["Source"] for each in site.received if each.type == "onMessageAdded"]
    assert sorted(sources) == ["SDK", "SDK", "SMS"]

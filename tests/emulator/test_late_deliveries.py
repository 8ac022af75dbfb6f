"""Messages that a fault lets arrive late, or after those that were sent later."""

import json
from typing import Any

import pytest

from tests.emulator.emulator_server import CUSTOMER, OUR_SMS, EmulatorServer
from tests.emulator.webhook_site import WebhookSite
from tests.waiting import wait_until
from twilio_emulator.client import CustomerClient

OTHER_CUSTOMER = "+12025550111"


def send(conversation: Any, *bodies: str) -> list[Any]:  # noqa: ANN401 -- the package types its resources loosely
    return [conversation.messages.create(author="switchboard", body=body) for body in bodies]


def arrived(twilio: EmulatorServer, address: str = CUSTOMER) -> list[str]:
    return [row["body"] for row in twilio.inbox(address)]


def test_a_text_that_is_overtaken_arrives_after_the_next_one(twilio: EmulatorServer, site: WebhookSite) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    twilio.arm("reorder_delivery", on=CUSTOMER, seconds=3600)

    (first,) = send(conversation, "first")
    assert (first.delivery["sent"], first.delivery["delivered"], arrived(twilio)) == ("all", "none", [])
    (second,) = send(conversation, "second")

    assert arrived(twilio) == ["second", "first"]
    assert [message.body for message in conversation.messages.list()] == ["hi", "first", "second"]
    wait_until(lambda: site.types().count("onDeliveryUpdated") == 4)
    updates = [each.fields for each in site.received if each.type == "onDeliveryUpdated"]
    assert [(each["MessageSid"], each["Status"]) for each in updates] == [
        (first.sid, "sent"),
        (second.sid, "sent"),
        (second.sid, "delivered"),
        (first.sid, "delivered"),
    ]


def test_several_texts_arrive_in_reverse_and_later_ones_in_order(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    with CustomerClient(twilio.url, CUSTOMER) as customer:
        customer.receive_in_reverse(3)

        send(conversation, "one", "two", "three", "four", "five")

        assert [message.body for message in customer.inbox()] == ["three", "two", "one", "four", "five"]
        twilio.advance_clock(days=1)
        assert len(customer.inbox()) == 5


def test_one_text_alone_cannot_arrive_in_reverse(twilio: EmulatorServer) -> None:
    with (
        CustomerClient(twilio.url, CUSTOMER) as customer,
        pytest.raises(ValueError, match="1 is not a valid count"),
    ):
        customer.receive_in_reverse(1)


def test_a_text_that_nothing_overtakes_arrives_after_its_seconds(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    twilio.arm("reorder_delivery", on=CUSTOMER, count=2, seconds=60)
    send(conversation, "one")
    twilio.advance_clock(seconds=30)
    send(conversation, "two")

    twilio.advance_clock(seconds=30)

    assert arrived(twilio) == ["one"]
    send(conversation, "three")
    assert arrived(twilio) == ["one", "three", "two"]


def test_each_text_has_a_delay_of_its_own(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    for seconds in (30, 10, 20):
        twilio.arm("delay_delivery", on=CUSTOMER, seconds=seconds)

    send(conversation, "one", "two", "three", "four")

    assert arrived(twilio) == ["four"]
    for _ in range(3):
        twilio.advance_clock(seconds=10)
    assert arrived(twilio) == ["four", "two", "three", "one"]


def test_a_text_to_one_customer_overtakes_none_to_another(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    conversation.participants.create(messaging_binding_address=OTHER_CUSTOMER, messaging_binding_proxy_address=OUR_SMS)
    twilio.arm("reorder_delivery", on=CUSTOMER, seconds=3600)

    send(conversation, "one")

    assert (arrived(twilio), arrived(twilio, OTHER_CUSTOMER)) == ([], ["one"])
    send(conversation, "two")
    assert (arrived(twilio), arrived(twilio, OTHER_CUSTOMER)) == (["two", "one"], ["one", "two"])


def test_a_text_that_fails_overtakes_nothing(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    twilio.arm("reorder_delivery", on=CUSTOMER, seconds=3600)
    send(conversation, "one")
    twilio.arm("fail_delivery", on=CUSTOMER, code=30003)

    send(conversation, "two")

    assert arrived(twilio) == []
    send(conversation, "three")
    assert arrived(twilio) == ["three", "one"]


def test_a_text_whose_message_was_deleted_does_not_arrive_late(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    twilio.arm("reorder_delivery", on=CUSTOMER, seconds=60)
    (first,) = send(conversation, "one")
    first.delete()

    send(conversation, "two")

    assert arrived(twilio) == ["two"]


def test_a_text_that_waits_is_in_a_snapshot(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    twilio.arm("reorder_delivery", on=CUSTOMER, seconds=3600)
    send(conversation, "one")
    snapshot = twilio.request("GET", "/_emulator/snapshot").content

    twilio.request("POST", "/_emulator/reset")
    twilio.request("PUT", "/_emulator/snapshot", data=snapshot)
    send(conversation, "two")

    assert arrived(twilio) == ["two", "one"]


def test_a_snapshot_of_an_older_version_can_be_restored(twilio: EmulatorServer) -> None:
    sid = twilio.text("hi")["conversation_sid"]
    older = twilio.request("GET", "/_emulator/snapshot").json()
    del older["to_be_overtaken"]

    assert twilio.request("PUT", "/_emulator/snapshot", data=json.dumps(older)).status_code == 204

    send(twilio.service.conversations(sid), "hello")
    assert arrived(twilio) == ["hello"]


@pytest.mark.parametrize("seconds", [-1, 1e300])
def test_a_delay_that_no_clock_can_show_is_refused(twilio: EmulatorServer, seconds: float) -> None:
    fault = {"kind": "delay_delivery", "count": 1, "seconds": seconds}

    answer = twilio.request("POST", "/_emulator/faults", json=fault)

    assert (answer.status_code, answer.json()["code"]) == (400, 20422)

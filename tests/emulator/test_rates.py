from collections.abc import Iterator

import pytest

from local.twilio.models import conversations
from local.twilio.models.events import rest
from tests.emulator.served import SERVICE, Served, refused

STILL = 30  # what Twilio takes in a second


@pytest.fixture
def frozen(twilio: Served) -> Iterator[Served]:
    """Stop the emulator's clock, so that a slow machine counts like a fast one."""
    running = twilio.emulator.clock.source
    moment = running()
    twilio.emulator.clock.source = lambda: moment
    yield twilio
    twilio.emulator.clock.source = running


def test_a_conversation_takes_thirty_writes_a_second(frozen: Served) -> None:
    conversation = frozen.service.conversations.create()
    for number in range(STILL):
        conversation.messages.create(body=str(number))

    with refused(code=50063, status=429):
        conversation.messages.create(body="one more")

    assert len(conversation.messages.list()) == STILL
    frozen.service.conversations.create().messages.create(body="another conversation")
    frozen.advance_clock(seconds=1)
    conversation.messages.create(body="a second later")


def test_a_service_takes_thirty_new_conversations_a_second(frozen: Served) -> None:
    for _ in range(STILL):
        frozen.service.conversations.create()

    with refused(code=50074, status=429):
        frozen.service.conversations.create()

    frozen.advance_clock(seconds=1)
    frozen.service.conversations.create()


def test_reads_and_what_customers_send_are_not_counted(frozen: Served) -> None:
    world = frozen.emulator.world
    sid = conversations.commit(
        world, conversations.draft(world, service_sid=SERVICE), origin=rest(webhook_enabled=False)
    ).sid

    for _ in range(STILL + 1):
        frozen.service.conversations(sid).fetch()
        frozen.text("hi")

    frozen.service.conversations(sid).messages.create(body="hi")

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from tests.emulator.emulator_server import ACCOUNT, SERVICE, TOKEN, EmulatorServer, refused
from twilio_emulator import Emulator
from twilio_emulator.models import conversations
from twilio_emulator.models.events import rest_origin

LIMIT = 30  # writes a second


@pytest.fixture
def frozen(twilio: EmulatorServer) -> Iterator[EmulatorServer]:
    """Stop the emulator's clock, so that a slow machine does not need more than a second."""
    running = twilio.emulator.clock.source
    moment = running()
    twilio.emulator.clock.source = lambda: moment
    yield twilio
    twilio.emulator.clock.source = running


def test_a_conversation_accepts_thirty_writes_a_second(frozen: EmulatorServer) -> None:
    conversation = frozen.service.conversations.create()
    for number in range(LIMIT):
        conversation.messages.create(body=str(number))

    with refused(code=50063, status=429):
        conversation.messages.create(body="one more")

    assert len(conversation.messages.list()) == LIMIT
    frozen.service.conversations.create().messages.create(body="another conversation")
    frozen.advance_clock(seconds=1)
    conversation.messages.create(body="a second later")


def test_a_service_accepts_thirty_new_conversations_a_second(frozen: EmulatorServer) -> None:
    for _ in range(LIMIT):
        frozen.service.conversations.create()

    with refused(code=50074, status=429):
        frozen.service.conversations.create()

    frozen.advance_clock(seconds=1)
    frozen.service.conversations.create()


def test_reads_and_what_customers_send_are_not_counted(frozen: EmulatorServer) -> None:
    backend = frozen.emulator.backend
    sid = conversations.commit(
        backend, conversations.draft(backend, service_sid=SERVICE), origin=rest_origin(webhook_enabled=False)
    ).sid

    for _ in range(LIMIT + 1):
        frozen.service.conversations(sid).fetch()
        frozen.text("hi")

    frozen.service.conversations(sid).messages.create(body="hi")


def test_the_limit_is_the_same_for_every_name_and_path_of_a_conversation(frozen: EmulatorServer) -> None:
    conversation = frozen.service.conversations.create(unique_name="order-17")
    for number in range(LIMIT):
        frozen.service.conversations(("order-17", conversation.sid)[number % 2]).messages.create(body=str(number))
    with refused(code=50063, status=429):
        frozen.client.conversations.v1.conversations("order-17").update(friendly_name="one more")

    for _ in range(LIMIT - 1):
        frozen.service.conversations.create()
    with refused(code=50074, status=429):
        frozen.client.conversations.v1.users.create(identity="alice")


@pytest.mark.parametrize("resource", ["Messages", "Participants", "Conversations", "Users", "Roles"])
def test_each_kind_of_write_is_counted(frozen: EmulatorServer, resource: str) -> None:
    family = f"/v1/Services/{SERVICE}"
    sid = frozen.service.conversations.create().sid
    path = {"Messages": f"/Conversations/{sid}/Messages", "Participants": f"/Conversations/{sid}/Participants"}
    frozen.advance_clock(seconds=1)

    statuses = [
        frozen.request("POST", family + path.get(resource, f"/{resource}"), data=form(resource, number)).status_code
        for number in range(LIMIT + 1)
    ]

    assert statuses == [201] * LIMIT + [429]


def form(resource: str, number: int) -> dict[str, str]:
    return {
        "Messages": {"Body": "hi"},
        "Participants": {"Identity": f"user-{number}"},
        "Conversations": {"FriendlyName": str(number)},
        "Users": {"Identity": f"user-{number}"},
        "Roles": {"FriendlyName": str(number), "Type": "service", "Permission": "sendMessage"},
    }[resource]


def test_deletes_are_counted_too(frozen: EmulatorServer) -> None:
    conversation = frozen.service.conversations.create()
    messages = [conversation.messages.create(body=str(number)) for number in range(LIMIT)]
    frozen.advance_clock(seconds=1)
    for message in messages[1:]:
        message.delete()
    conversation.update(friendly_name="the thirtieth")

    with refused(code=50063, status=429):
        messages[0].delete()


def test_the_limit_can_be_switched_off() -> None:
    assert len(asyncio.run(thirty_one_conversations(Emulator(actions_per_second=None)))) == LIMIT + 1


async def thirty_one_conversations(emulator: Emulator) -> list[str]:
    transport = httpx.ASGITransport(emulator.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://emulator", auth=(ACCOUNT, TOKEN)) as http:
        answers = [await http.post("/v1/Conversations") for _ in range(LIMIT + 1)]
    await emulator.aclose()
    return [answer.json()["sid"] for answer in answers]

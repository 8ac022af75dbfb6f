"""Who owns a conversation, in its attributes at Twilio: over HTTP, at the emulator."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from switchboard.conversation import OwnerChange, owner_change
from switchboard.errors import Permanent
from switchboard.events import ConversationState, Owner
from switchboard.twilio.rest.conversations import Conversations
from switchboard.twilio.rest.services import connect
from tests.builders import NOON, sid
from tests.emulator.webhook_site import WebhookSite
from tests.signing import ACCOUNT, SERVICE, TOKEN
from tests.waiting import wait_until
from twilio_emulator import Emulator
from twilio_emulator.server import Servers, listen


@pytest.fixture
def site() -> Iterator[WebhookSite]:
    with WebhookSite() as site:
        yield site


@pytest.fixture
def conversations(site: WebhookSite) -> Iterator[Conversations]:
    emulator = Emulator()
    emulator.set_webhook(site.url)
    listening = listen("127.0.0.1", 0)
    servers = Servers({listening: emulator.app}, at_end=emulator.aclose)
    service = connect(
        account_sid=ACCOUNT,
        service_sid=SERVICE,
        credentials=(ACCOUNT, TOKEN),
        base_url=f"http://127.0.0.1:{listening.getsockname()[1]}",
    )
    yield Conversations(service=service)
    service.stop()
    servers.close()


def created(conversations: Conversations, attributes: object) -> str:
    return conversations.create_conversation(friendly_name="Talk", attributes=json.dumps(attributes)).sid


def attributes_of(conversations: Conversations, conversation_sid: str) -> Any:  # noqa: ANN401 -- JSON
    return json.loads(conversations.get_conversation(conversation_sid).attributes)


def handed_off(conversation_sid: str) -> OwnerChange:
    return owner_change(conversation_sid, Owner.HUMAN, "handoff", at=NOON)


SHOWN = {"owner": "human", "reason": "handoff", "since": "2026-03-02T12:00:00.000Z"}


def test_an_owner_is_shown_beside_what_others_keep_and_everybody_is_told(
    conversations: Conversations, site: WebhookSite
) -> None:
    conversation_sid = created(conversations, {"crm": {"id": 7}})

    conversations.show_change(handed_off(conversation_sid))

    assert attributes_of(conversations, conversation_sid) == {"crm": {"id": 7}, "switchboard": SHOWN}
    wait_until(lambda: "onConversationUpdated" in site.types(), what="a webhook")


def test_what_is_shown_already_is_not_written_again(conversations: Conversations, site: WebhookSite) -> None:
    conversation_sid = created(conversations, {"switchboard": SHOWN})

    conversations.show_change(handed_off(conversation_sid))
    conversations.show_change(owner_change(conversation_sid, Owner.ASSISTANT, "by_human", at=NOON))

    wait_until(lambda: "onConversationUpdated" in site.types(), what="a webhook")
    assert site.types().count("onConversationUpdated") == 1


def test_a_decision_that_is_newer_than_the_change_is_left_to_its_webhook(conversations: Conversations) -> None:
    decision = {"owner": "assistant", "at": "2026-03-02T12:00:00.001Z"}
    conversation_sid = created(conversations, {"switchboard": decision})

    conversations.show_change(handed_off(conversation_sid))

    assert attributes_of(conversations, conversation_sid) == {"switchboard": decision}


@pytest.mark.parametrize(
    "before",
    [
        {"owner": "assistant", "at": "2026-03-02T12:00:00.000Z"},
        {"owner": "assistant", "at": "2026-03-02T11:59:59Z"},
        {"owner": "assistant", "at": "2026-03-02T12:00:00.000499Z"},  # the table has rounded it to noon
        {"owner": "bot"},
        {"owner": "human", "at": "tomorrow"},
        "human",
        None,
    ],
)
def test_a_decision_that_was_followed_and_a_mistake_are_replaced(conversations: Conversations, before: object) -> None:
    conversation_sid = created(conversations, {"switchboard": before})

    conversations.show_change(handed_off(conversation_sid))

    assert attributes_of(conversations, conversation_sid) == {"switchboard": SHOWN}


def test_the_human_whom_a_program_named_stays_named_until_the_hand_back(conversations: Conversations) -> None:
    conversation_sid = created(conversations, {})
    taken = owner_change(conversation_sid, Owner.HUMAN, "attribute", at=NOON)
    conversations.show_decision(taken, human="robin")

    conversations.show_change(taken)
    named = attributes_of(conversations, conversation_sid)["switchboard"]
    conversations.show_change(
        owner_change(conversation_sid, Owner.ASSISTANT, "by_time", at=NOON + timedelta(seconds=1))
    )

    assert named == {**SHOWN, "reason": "attribute", "human": "robin"}
    assert attributes_of(conversations, conversation_sid)["switchboard"] == {
        "owner": "assistant",
        "reason": "by_time",
        "since": "2026-03-02T12:00:01.000Z",
    }


def test_attributes_that_are_not_an_object_are_left_alone(conversations: Conversations) -> None:
    conversation_sid = created(conversations, [7])

    with pytest.raises(Permanent, match="not a JSON object"):
        conversations.show_change(handed_off(conversation_sid))

    assert attributes_of(conversations, conversation_sid) == [7]


def test_a_conversation_that_is_closed_or_gone_is_not_asked_again(conversations: Conversations) -> None:
    closed = created(conversations, {})
    conversations.update_state(closed, ConversationState.CLOSED)

    for conversation_sid in (closed, sid("CH", 99)):
        with pytest.raises(Permanent):
            conversations.show_change(handed_off(conversation_sid))

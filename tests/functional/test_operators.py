"""The operators' calls over the real adapters: the table on moto, Twilio over HTTP at the emulator."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from switchboard.author import AuthorRules
from switchboard.errors import Misconfigured, SendRefused
from switchboard.events import ConversationState, Event, MessageAdded, Owner, OwnerSet
from switchboard.operators import Operators, Outcome
from switchboard.twilio.rest.conversations import Conversations
from switchboard.twilio.rest.messages import Messages
from switchboard.twilio.rest.services import connect
from switchboard.twilio.webhook.parse import ExpectedAccount, parse
from switchboard.twilio.webhook.verify import Form
from tests.builders import NOON, Clock, sid
from tests.dynamodb import OwnedStore, stores_of, table_on_moto
from tests.emulator.webhook_site import WebhookSite
from tests.signing import ACCOUNT, SERVICE, TOKEN
from tests.waiting import wait_until
from twilio_emulator import Emulator
from twilio_emulator.server import Servers, listen

OURS = ExpectedAccount(account_sid=ACCOUNT, service_sid=SERVICE, author_rules=AuthorRules())
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """Operators, and what they reach: the table, Twilio, and the site that Twilio tells."""

    operators: Operators
    store: OwnedStore
    conversations: Conversations
    messages: Messages
    site: WebhookSite
    clock: Clock

    def told(self, event_type: str) -> Event:
        """Return the event of the latest webhook of a type, once it has come."""
        wait_until(lambda: event_type in self.site.types(), what=event_type)
        received = next(each for each in reversed(self.site.received) if each.type == event_type)
        return parse(Form({name: (value,) for name, value in received.pairs}), expected=OURS)


class Requeued:
    """A queue that takes everything."""

    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:
        """Take them."""


@pytest.fixture
def deployed() -> Iterator[Deployed]:
    emulator = Emulator()
    listening = listen("127.0.0.1", 0)
    servers = Servers({listening: emulator.app}, at_end=emulator.aclose)
    service = connect(
        account_sid=ACCOUNT,
        service_sid=SERVICE,
        credentials=(ACCOUNT, TOKEN),
        base_url=f"http://127.0.0.1:{listening.getsockname()[1]}",
    )
    conversations = Conversations(service=service)
    messages = Messages(service=service, author_rules=AuthorRules())
    # Microseconds: the item and the attributes keep milliseconds, and must agree.
    clock = Clock(NOON.replace(microsecond=123_999))
    with WebhookSite() as site, table_on_moto() as table:
        emulator.set_webhook(site.url)
        store = stores_of(table)
        yield Deployed(
            operators=Operators(
                conversations=store,
                owners=store,
                messenger=messages,
                display=conversations,
                requeue=Requeued(),
                author_rules=AuthorRules(),
                clock=clock,
            ),
            store=store,
            conversations=conversations,
            messages=messages,
            site=site,
            clock=clock,
        )
    service.stop()
    servers.close()


def test_a_human_speaks_as_themselves_and_everybody_is_told(deployed: Deployed) -> None:
    conversation = deployed.conversations.create_conversation(friendly_name="Talk").sid

    sent = deployed.operators.say(conversation, human="robin", text="I take this")

    (listed,) = deployed.messages.list_messages(conversation)
    assert (listed.message_sid, listed.author, listed.author_role, listed.body) == (
        sent.message_sid,
        "robin",
        "human",
        "I take this",
    )
    told = deployed.told("onMessageAdded")
    assert isinstance(told, MessageAdded)
    assert told.message_sid == sent.message_sid
    assert [each.conversation_sid for each in deployed.operators.waiting()] == [conversation]


def test_a_closed_conversation_takes_no_word_and_closing_it_again_is_no_error(deployed: Deployed) -> None:
    conversation = deployed.conversations.create_conversation(friendly_name="Talk").sid
    deployed.operators.take(conversation, human="robin")

    deployed.operators.close(conversation)
    deployed.operators.close(conversation)

    assert deployed.conversations.get_conversation(conversation).state == ConversationState.CLOSED
    assert deployed.told("onConversationStateUpdated").state is ConversationState.CLOSED  # type: ignore[union-attr]
    assert deployed.operators.waiting() == ()
    with pytest.raises(SendRefused, match="closed"):
        deployed.operators.say(conversation, human="robin", text="One more thing")


def test_a_conversation_that_twilio_has_removed_can_be_closed(deployed: Deployed) -> None:
    conversation = deployed.conversations.create_conversation(friendly_name="Talk").sid
    deployed.operators.take(conversation, human="robin")
    deployed.conversations.service.resource.conversations(conversation).delete()

    deployed.operators.close(conversation)

    assert deployed.operators.waiting() == ()


def test_a_service_that_twilio_does_not_know_closes_nothing(deployed: Deployed) -> None:
    conversation = deployed.conversations.create_conversation(friendly_name="Talk").sid
    deployed.operators.take(conversation, human="robin")
    elsewhere = Conversations(service=replace(deployed.conversations.service, service_sid=sid("IS", 9)))

    with pytest.raises(Misconfigured):
        replace(deployed.operators, display=elsewhere).close(conversation)

    assert [each.conversation_sid for each in deployed.operators.waiting()] == [conversation]


def test_take_and_hand_back_are_shown_beside_what_other_programs_keep_and_come_back_harmlessly(
    deployed: Deployed,
) -> None:
    conversation = deployed.conversations.create_conversation(friendly_name="Talk", attributes='{"crm": 7}').sid

    taken = deployed.operators.take(conversation, human="robin")

    shown = json.loads(deployed.conversations.get_conversation(conversation).attributes)
    assert taken is Outcome.APPLIED
    assert shown == {
        "crm": 7,
        "switchboard": {
            "owner": "human",
            "reason": "attribute",
            "since": "2026-03-02T12:00:00.123Z",
            "at": "2026-03-02T12:00:00.123Z",
            "human": "robin",
        },
    }
    told = deployed.told("onConversationUpdated")
    assert told == OwnerSet(conversation_sid=conversation, owner=Owner.HUMAN, at=NOON.replace(microsecond=123_000))
    before = deployed.store.read_fencing_token(conversation)
    deployed.store.take_over(conversation, index=None, at=told.at)
    assert deployed.store.read_fencing_token(conversation) == before

    deployed.clock.move(seconds=1)
    (handed_back,) = deployed.operators.hand_back_all()

    shown = json.loads(deployed.conversations.get_conversation(conversation).attributes)
    assert handed_back.outcome is Outcome.APPLIED
    at = "2026-03-02T12:00:01.123Z"
    assert shown == {"crm": 7, "switchboard": {"owner": "assistant", "reason": "by_human", "since": at, "at": at}}
    assert deployed.operators.waiting() == ()


def test_attributes_that_are_not_an_object_are_left_alone(deployed: Deployed) -> None:
    conversation = deployed.conversations.create_conversation(friendly_name="Talk", attributes="[7]").sid

    assert deployed.operators.take(conversation, human="robin") is Outcome.NOT_SHOWN
    assert deployed.conversations.get_conversation(conversation).attributes == "[7]"
    assert [each.conversation_sid for each in deployed.operators.waiting()] == [conversation]


def test_a_list_of_several_pages_is_whole(deployed: Deployed) -> None:
    for number in range(120):
        deployed.store.take_over(sid("CH", number), index=None, at=NOON + number * SECOND)

    assert len(deployed.operators.waiting(limit=1000)) == 120
    assert [each.conversation_sid for each in deployed.operators.waiting(limit=2)] == [sid("CH", 0), sid("CH", 1)]

"""What operators do to conversations, over a table in memory and a Twilio that a test tells how to misbehave."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from switchboard.author import AuthorRules
from switchboard.channels.channel import Channel
from switchboard.consent import ConsentChange
from switchboard.content import Content
from switchboard.conversation import Conversation, OwnerChange, OwnerReason
from switchboard.errors import NotSent, Permanent, SendRefused, Transient, Unknown, WindowClosed
from switchboard.events import MessageAdded, Owner, Sent
from switchboard.operators import HandedBack, Operators, Outcome
from switchboard.ports import OwnedByHuman
from switchboard.stores.memory import ConversationsInMemory
from tests.builders import CONVERSATION, NOON, Clock, message_added, sid
from tests.dynamodb import claim
from tests.fakes.twilio import TwilioInMemory

SECOND, THIRD = sid("CH", 2), sid("CH", 3)


@dataclass
class Desk:
    """Operators and all they work with. `fails` says which call raises what, for which conversation.

    `last_words` are the times at which customers on WhatsApp wrote last, None of one who never did.
    """

    conversations: ConversationsInMemory = field(default_factory=ConversationsInMemory)
    clock: Clock = field(default_factory=Clock)
    fails: dict[tuple[str, str], Exception] = field(default_factory=dict)
    happened: list[tuple[str, ...]] = field(default_factory=list)
    queued: list[MessageAdded] = field(default_factory=list)
    reasons: dict[str, OwnerReason] = field(default_factory=dict)
    last_words: list[datetime | None] = field(default_factory=list)
    twilio: TwilioInMemory = field(init=False)
    operators: Operators = field(init=False)

    def __post_init__(self) -> None:
        self.twilio = TwilioInMemory(clock=self.clock)
        self.operators = Operators(
            conversations=self.conversations,
            owners=self,
            messenger=self,
            display=self,
            requeue=self,
            author_rules=AuthorRules(),
            clock=self.clock,
        )

    def owned_by_humans(self) -> list[str]:
        return self.conversations.owned_by_humans()

    def read_owned(self, conversation_sid: str) -> OwnedByHuman | None:
        self._may_fail("read", conversation_sid)
        owned = self.conversations.read_owned(conversation_sid)
        return owned and replace(owned, reason=self.reasons.get(conversation_sid, OwnerReason.MESSAGE))

    def has_silent_customer(self, conversation_sid: str, *, channel: Channel, since: datetime) -> bool:
        assert channel is Channel.WHATSAPP
        self._may_fail("look", conversation_sid)
        return any(wrote_at is None or wrote_at <= since for wrote_at in self.last_words)

    def send_as_human(self, conversation_sid: str, *, human: str, body: str, content: Content | None = None) -> Sent:
        said = content.sid if content else body
        self.happened.append(("say", conversation_sid, human, said, self.owner(conversation_sid)))
        self._may_fail("say", conversation_sid)
        return Sent(message_sid=sid("IM", 7), index=7)

    def list_messages(self, conversation_sid: str, *, from_index: int) -> tuple[MessageAdded, ...]:
        self._may_fail("list", conversation_sid)
        return self.twilio.list_messages(conversation_sid, from_index=from_index)

    def show_decision(self, change: OwnerChange, *, human: str | None) -> None:
        self._may_fail("show", change.conversation_sid)
        self.happened.append(
            ("show", change.conversation_sid, change.owner, change.at.isoformat(), human or "", change.reason)
        )

    def ensure_closed(self, conversation_sid: str) -> None:
        self._may_fail("close", conversation_sid)
        self.happened.append(("close", conversation_sid))

    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:
        assert since
        self.queued += messages

    def item(self, conversation_sid: str = CONVERSATION) -> Conversation:
        return self.conversations.items.get(conversation_sid, Conversation(sid=conversation_sid))

    def owner(self, conversation_sid: str = CONVERSATION) -> Owner:
        return self.item(conversation_sid).owner

    def owned(self, *sids: str, reason: OwnerReason = OwnerReason.MESSAGE, left: Sequence[int] = ()) -> None:
        """Have a human own conversations, each a second after the one before."""
        for conversation_sid in sids:
            self.conversations.take_over(conversation_sid, index=None, at=self.clock())
            self.conversations.items[conversation_sid] = replace(
                self.item(conversation_sid), left_to_human=frozenset(left)
            )
            self.reasons[conversation_sid] = reason
            self.clock.move(seconds=1)

    def _may_fail(self, what: str, conversation_sid: str) -> None:
        if error := self.fails.get((what, conversation_sid)):
            raise error


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_who_waits_is_listed_with_the_reason_the_time_and_what_is_left_the_longest_first(desk: Desk) -> None:
    desk.owned(SECOND, reason=OwnerReason.FAILURE, left=[4, 5])
    desk.owned(CONVERSATION, THIRD)

    assert desk.operators.waiting(limit=2) == (
        OwnedByHuman(conversation_sid=SECOND, reason=OwnerReason.FAILURE, since=NOON, messages_left=2),
        OwnedByHuman(
            conversation_sid=CONVERSATION,
            reason=OwnerReason.MESSAGE,
            since=NOON + timedelta(seconds=1),
            messages_left=0,
        ),
    )
    assert [each.conversation_sid for each in desk.operators.waiting(reason=OwnerReason.MESSAGE)] == [
        CONVERSATION,
        THIRD,
    ]


def test_who_was_handed_back_or_closed_does_not_wait(desk: Desk) -> None:
    desk.owned(CONVERSATION, SECOND, THIRD)

    desk.operators.hand_back(CONVERSATION)
    desk.operators.close(SECOND)

    assert [each.conversation_sid for each in desk.operators.waiting()] == [THIRD]


def test_who_takes_a_conversation_silences_a_thinking_assistant_and_is_shown_at_twilio(desk: Desk) -> None:
    claimed = claim(desk.conversations)
    desk.clock.move(seconds=5)

    outcome = desk.operators.take(CONVERSATION, human="robin")

    assert outcome is Outcome.APPLIED
    assert desk.owner() is Owner.HUMAN
    assert desk.item().fencing_token > claimed.fencing_token
    assert desk.happened == [("show", CONVERSATION, "human", "2026-03-02T12:00:05+00:00", "robin", "attribute")]


def test_a_human_writes_nothing_through_us_to_a_customer_who_has_opted_out(desk: Desk) -> None:
    desk.conversations.change_consent(CONVERSATION, ConsentChange(opted_out=True, at=NOON, index=1))

    with pytest.raises(
        SendRefused, match=f"^{CONVERSATION}: the customer has opted out: nothing is sent to them until"
    ):
        desk.operators.say(CONVERSATION, human="robin", text="hello")

    assert desk.happened == []
    assert desk.conversations.items[CONVERSATION].owner is Owner.ASSISTANT


@pytest.mark.parametrize(
    "last_words",
    [[NOON - timedelta(hours=24)], [None], [NOON, NOON - timedelta(days=3)]],
    ids=["24 hours ago", "never", "one of two, three days ago"],
)
def test_a_human_writes_no_text_that_whatsapp_would_not_take(desk: Desk, last_words: list[datetime | None]) -> None:
    desk.last_words = last_words

    with pytest.raises(WindowClosed, match=f"^{CONVERSATION}: a customer on WhatsApp has not written in the last 24"):
        desk.operators.say(CONVERSATION, human="robin", text="hello")

    assert desk.happened == []
    assert desk.owner() is Owner.ASSISTANT


def test_a_human_writes_to_whoever_wrote_on_whatsapp_less_than_24_hours_ago(desk: Desk) -> None:
    desk.last_words = [NOON - timedelta(hours=24) + timedelta(milliseconds=1)]

    desk.operators.say(CONVERSATION, human="robin", text="hello")

    assert desk.happened == [("say", CONVERSATION, "robin", "hello", "human")]


def test_a_human_sends_a_template_where_whatsapp_takes_no_text(desk: Desk) -> None:
    desk.last_words = [None]
    template = Content(sid=sid("HX", 7))

    desk.operators.say(CONVERSATION, human="robin", content=template)

    assert desk.happened == [("say", CONVERSATION, "robin", template.sid, "human")]


def test_where_nobody_knows_whether_whatsapp_takes_a_text_nothing_is_sent_and_the_owner_stays(desk: Desk) -> None:
    desk.fails["look", CONVERSATION] = NotSent("503")

    with pytest.raises(NotSent):
        desk.operators.say(CONVERSATION, human="robin", text="hello")

    assert desk.happened == []
    assert desk.owner() is Owner.ASSISTANT


def test_what_a_human_says_is_a_takeover_before_it_is_sent(desk: Desk) -> None:
    sent = desk.operators.say(CONVERSATION, human="robin", text="I take this")

    assert sent == Sent(message_sid=sid("IM", 7), index=7)
    assert desk.happened == [("say", CONVERSATION, "robin", "I take this", "human")]


@pytest.mark.parametrize("error", [SendRefused("closed"), NotSent("429"), Unknown("timed out")])
def test_a_text_that_failed_says_whether_it_may_have_been_sent_and_leaves_the_human_the_owner(
    desk: Desk, error: Exception
) -> None:
    desk.fails["say", CONVERSATION] = error

    with pytest.raises(type(error)) as raised:
        desk.operators.say(CONVERSATION, human="robin", text="I take this")

    assert raised.value is error
    assert desk.owner() is Owner.HUMAN


@pytest.mark.parametrize("human", ["switchboard", "system", "+12025550110", "user:4711", "4711", ""])
@pytest.mark.parametrize("call", ["say", "take"])
def test_nobody_takes_or_speaks_under_a_name_that_is_not_a_humans(desk: Desk, call: str, human: str) -> None:
    arguments: dict[str, Any] = {"human": human} | ({"text": "hi"} if call == "say" else {})

    with pytest.raises(Permanent, match="not a human's") as refused:
        getattr(desk.operators, call)(CONVERSATION, **arguments)

    assert "2025550110" not in str(refused.value)
    assert desk.happened == []
    assert desk.owner() is Owner.ASSISTANT


def test_a_hand_back_has_what_was_left_answered(desk: Desk) -> None:
    said = message_added(index=4)
    desk.twilio.add(message_added(index=3), said, message_added(index=5))
    desk.owned(CONVERSATION, left=[4])

    assert desk.operators.hand_back(CONVERSATION) is Outcome.APPLIED

    assert desk.owner() is Owner.ASSISTANT
    assert desk.queued == [said]
    assert desk.happened == [("show", CONVERSATION, "assistant", "2026-03-02T12:00:01+00:00", "", "by_human")]


@pytest.mark.parametrize("error", [Transient("429"), Permanent("the attributes are not a JSON object")])
def test_an_owner_that_twilio_does_not_show_is_the_owner_all_the_same(desk: Desk, error: Exception) -> None:
    desk.fails["show", CONVERSATION] = error

    taken = desk.operators.take(CONVERSATION, human="robin")
    owner = desk.owner()
    desk.clock.move(seconds=1)
    handed_back = desk.operators.hand_back(CONVERSATION)

    assert (taken, owner) == (Outcome.NOT_SHOWN, Owner.HUMAN)
    assert (handed_back, desk.owner()) == (Outcome.NOT_SHOWN, Owner.ASSISTANT)


def test_an_operator_whose_clock_is_behind_a_newer_word_changes_and_shows_nothing(desk: Desk) -> None:
    desk.owned(CONVERSATION)
    desk.clock.move(seconds=-2)

    assert desk.operators.hand_back(CONVERSATION) is Outcome.OUTDATED
    assert desk.operators.take(CONVERSATION, human="robin") is Outcome.OUTDATED
    assert desk.owner() is Owner.HUMAN
    assert desk.happened == []


def test_a_repeated_call_changes_nothing_more(desk: Desk) -> None:
    desk.operators.take(CONVERSATION, human="robin")
    taken = desk.item()

    assert desk.operators.take(CONVERSATION, human="robin") is Outcome.APPLIED
    assert desk.item() == taken


@pytest.mark.parametrize("where", ["read", "list"])
@pytest.mark.parametrize(
    ("error", "detail"), [(Transient("CH…: throttled"), "CH…: throttled"), (KeyError("kim@example.com"), "KeyError")]
)
def test_one_hand_back_that_fails_stops_no_other(desk: Desk, where: str, error: Exception, detail: str) -> None:
    desk.owned(CONVERSATION, SECOND, THIRD, left=[0])
    desk.fails[where, SECOND] = error

    results = desk.operators.hand_back_all()

    assert results == (
        HandedBack(conversation_sid=CONVERSATION, outcome=Outcome.APPLIED),
        HandedBack(conversation_sid=SECOND, outcome=Outcome.FAILED, detail=detail),
        HandedBack(conversation_sid=THIRD, outcome=Outcome.APPLIED),
    )
    assert {desk.owner(CONVERSATION), desk.owner(THIRD)} == {Owner.ASSISTANT}


def test_only_conversations_of_the_named_reason_are_handed_back(desk: Desk) -> None:
    desk.owned(CONVERSATION, THIRD, reason=OwnerReason.FAILURE)
    desk.owned(SECOND)

    results = desk.operators.hand_back_all(reason=OwnerReason.FAILURE)

    assert [result.conversation_sid for result in results] == [CONVERSATION, THIRD]
    assert desk.owner(SECOND) is Owner.HUMAN


def test_a_human_who_speaks_while_all_are_handed_back_keeps_their_conversation(desk: Desk) -> None:
    desk.owned(CONVERSATION, SECOND)
    show = desk.show_decision

    def somebody_speaks(change: OwnerChange, *, human: str | None) -> None:
        desk.clock.move(seconds=1)
        desk.conversations.take_over(SECOND, index=9, at=desk.clock())
        desk.clock.move(seconds=1)
        show(change, human=human)

    vars(desk)["show_decision"] = somebody_speaks

    results = desk.operators.hand_back_all()

    assert [result.outcome for result in results] == [Outcome.APPLIED, Outcome.OUTDATED]
    assert desk.owner(SECOND) is Owner.HUMAN


def test_a_closed_conversation_is_closed_at_twilio_and_in_its_item_however_often(desk: Desk) -> None:
    desk.operators.close(CONVERSATION)
    closed = desk.item()
    desk.operators.close(CONVERSATION)

    assert closed.closed
    assert desk.item() == closed
    assert desk.happened == [("close", CONVERSATION)] * 2


def test_what_twilio_does_not_close_stays_open_here(desk: Desk) -> None:
    desk.fails["close", CONVERSATION] = Transient("429")

    with pytest.raises(Transient):
        desk.operators.close(CONVERSATION)

    assert not desk.item().closed

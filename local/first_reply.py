"""The first reply of a conversation, as its customer reads it: a whole turn, over the store in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from switchboard.agent import Agent, Answer, Question
from switchboard.author import AuthorRole
from switchboard.budgets import Budget
from switchboard.channels.sms import SmsSettings
from switchboard.content import Content
from switchboard.disclosure import SENTENCES, Disclosure
from switchboard.errors import Permanent, SwitchboardError
from switchboard.events import Marker, MessageAdded, Sent
from switchboard.stores.memory import ConversationsInMemory
from switchboard.turn.context import TurnPorts, TurnSettings
from switchboard.turn.take_turn import take_turn

CONVERSATION = "CH00000000000000000000000000000001"
_SETTINGS = TurnSettings(
    disclosure=Disclosure(sentences=SENTENCES),
    sms=SmsSettings(max_segments=10, smart_encoding=True),
    fallback_sentence="",
    budget=Budget(turns_by_customer=1, turns_by_all=1, sentence=""),
    answer_within=timedelta(minutes=5),
    max_attempts=1,
    max_event_age=timedelta(days=1),
    turns_per_ten_minutes=10,
    trial_addresses=(),
)


@dataclass(frozen=True, slots=True)
class FirstReply:
    """An agent that is asked in a turn of its own: its text is what the turn sends, with the disclosure before it."""

    agent: Agent

    def answer(self, question: Question) -> Answer:
        """Return the answer to a question without a history; raise as the agent does."""
        twilio, asked = _Twilio(), _Asked(self.agent, question)
        twilio.messages = [_message(index, body) for index, body in enumerate(question.messages)]
        store, ids = ConversationsInMemory(), count()
        take_turn(
            twilio.messages,
            lease_until=datetime.now(UTC) + timedelta(seconds=60),
            ports=TurnPorts(
                agent=asked,
                conversations=store,
                takeovers=store,
                budgets=store,
                messenger=twilio,
                dead_letters=twilio,
                clock=lambda: datetime.now(UTC),
                customer_secret=b"evals",
            ),
            settings=_SETTINGS,
            new_id=lambda: f"{question.turn}-{next(ids)}",
        )
        if asked.error is not None:
            raise asked.error
        return replace(asked.answered, text="".join(twilio.sent))


@dataclass(slots=True)
class _Asked:
    """Asks the agent the question of a case, which has its words and its time, and keeps what it answers or raises."""

    agent: Agent
    question: Question
    answered: Answer = field(default_factory=Answer)
    error: SwitchboardError | None = None

    def answer(self, _question: Question) -> Answer:
        try:
            self.answered = self.agent.answer(self.question)
        except SwitchboardError as error:
            self.error = error
            raise Permanent("see `error`") from None
        return self.answered


@dataclass(slots=True)
class _Twilio:
    """A conversation's messages, and what is sent to it."""

    messages: list[MessageAdded] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def list_messages(self, _conversation_sid: str, *, from_index: int) -> tuple[MessageAdded, ...]:
        return tuple(message for message in self.messages if message.index >= from_index)

    def is_settled(self, conversation_sid: str, message_sid: str) -> bool:
        """Tell of nothing: nobody waits for a delivery here."""
        raise NotImplementedError

    def upload(self, *, content: bytes, content_type: str, filename: str) -> str:
        """Keep nothing: the answer has no file."""
        raise NotImplementedError

    def send_message(
        self,
        _conversation_sid: str,
        *,
        body: str,
        marker: Marker,
        content: Content | None = None,
        media_sid: str = "",
    ) -> Sent:
        del marker, content, media_sid
        self.sent.append(body)
        index = len(self.messages) + len(self.sent) - 1
        return Sent(message_sid=f"IM{index:032}", index=index)

    def copy(self, messages: Sequence[MessageAdded], *, turn: str) -> None:
        """Nobody reads dead letters here."""


def _message(index: int, body: str) -> MessageAdded:
    return MessageAdded(
        conversation_sid=CONVERSATION,
        message_sid=f"IM{index:032}",
        index=index,
        author_role=AuthorRole.CUSTOMER,
        author="visitor",
        body=body,
        at=datetime.now(UTC),
    )

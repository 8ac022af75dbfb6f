"""One conversation, with fakes at the ports of a turn, and workers that deliver its messages to `take_turn`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from switchboard.agent import Answer, Question
from switchboard.content import Content
from switchboard.conversation import Conversation, TurnRecord
from switchboard.events import MessageAdded
from switchboard.files import FilesFolder
from switchboard.ports import FileFetcher
from switchboard.stores.memory import ConversationsInMemory
from switchboard.turn.context import Step, StepTaken, TurnPorts
from switchboard.turn.result import TurnResult
from switchboard.turn.take_turn import take_turn
from tests.builders import CONVERSATION, SECRET, Clock, message_added, turn_settings
from tests.fakes.twilio import TwilioInMemory


@dataclass
class EchoAgent:
    """Says the next of `texts`, else `text`, else repeats what it was asked.

    `while_thinking` is called before it answers, or raises the next of `errors`.
    """

    questions: list[Question] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    while_thinking: Callable[[], object] = lambda: None
    text: str = ""
    texts: list[str] = field(default_factory=list)
    handoff: bool = False
    no_reply: bool = False
    opt_out: bool = False
    calls: tuple[str, ...] = ()
    summary: str = ""
    content: Content | None = None
    files: tuple[str, ...] = ()

    def answer(self, question: Question) -> Answer:
        self.questions.append(question)
        self.while_thinking()
        if self.errors:
            raise self.errors.pop(0)
        if self.no_reply or self.opt_out:
            return Answer(no_reply=self.no_reply, opt_out=self.opt_out, calls=self.calls)
        if self.texts:
            return Answer(text=self.texts.pop(0))
        text = self.text or f"You said: {' | '.join(question.messages)}"
        return Answer(
            text=text,
            handoff=self.handoff,
            calls=self.calls,
            summary=self.summary,
            content=self.content,
            files=self.files,
        )


@dataclass
class DeadLetterList:
    messages: list[MessageAdded] = field(default_factory=list)

    turns: set[str] = field(default_factory=set)

    def copy(self, messages: Sequence[MessageAdded], *, turn: str) -> None:
        self.messages += [] if turn in self.turns else messages
        self.turns.add(turn)


def copies_of(*messages: MessageAdded) -> list[MessageAdded]:
    """Return messages as they stand on the dead-letter queue, and as a redrive puts them back."""
    return [replace(message, again=True) for message in messages]


class Harness:
    """One conversation and its workers. `crashes_after` is the step after which the next worker dies."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.twilio = TwilioInMemory(clock=self.clock)
        self.conversations = ConversationsInMemory()
        self.agent: Any = EchoAgent()
        self.dead_letters = DeadLetterList()
        self.ids = (f"id{number}" for number in count())
        self.steps: list[Step] = []
        self.steps_taken: list[StepTaken] = []
        self.crashes_after: Step | None = None
        self.settings = turn_settings()
        self.done_within_seconds: float = 60
        self.pauses: list[float] = []
        self.while_pausing: Callable[[], object] = lambda: None
        self.files = FilesFolder()
        self.fetcher: FileFetcher | None = None

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.move(seconds=seconds)
        self.while_pausing()

    def customer_writes(self, *bodies: str, at: datetime | None = None) -> list[MessageAdded]:
        existing = self.twilio.messages.setdefault(CONVERSATION, [])
        messages = [
            message_added(index=len(existing) + n, body=body, at=at or self.clock()) for n, body in enumerate(bodies)
        ]
        self.twilio.add(*messages)
        return messages

    def says(self, *bodies: str) -> TurnResult:
        """Let the customer write, two seconds after whatever came before, and a worker take a turn with it."""
        self.clock.move(seconds=2)
        return self.deliver(*self.customer_writes(*bodies))

    def deliver(self, *messages: MessageAdded, lease_seconds: float = 60) -> TurnResult:
        """Let a worker with so much time take a turn with these messages."""
        return take_turn(
            messages,
            lease_until=self.clock() + timedelta(seconds=lease_seconds),
            done_by=self.clock() + timedelta(seconds=self.done_within_seconds),
            ports=TurnPorts(
                agent=self.agent,
                conversations=self.conversations,
                takeovers=self.conversations,
                budgets=self.conversations,
                messenger=self.twilio,
                dead_letters=self.dead_letters,
                clock=self.clock,
                customer_secret=SECRET,
                read_media=self.twilio.read_media,
                pause=self._pause,
                files=self.files,
                fetcher=self.fetcher,
                observe=self._observe,
            ),
            settings=self.settings,
            new_id=lambda: next(self.ids),
        )

    def deliver_and_crash(self, *messages: MessageAdded, after: Step) -> None:
        """Let a worker take a turn and die right after a step."""
        self.crashes_after = after
        with pytest.raises(KeyboardInterrupt):
            self.deliver(*messages)

    def deliver_repeatedly(self, *messages: MessageAdded, times: int) -> list[TurnResult]:
        """Deliver the messages so many times, 31 s apart."""
        results = []
        for _ in range(times):
            results.append(self.deliver(*messages))
            self.clock.move(seconds=31)
        return results

    def deliver_until_it_ends(
        self, *messages: MessageAdded, within: timedelta = timedelta(hours=3)
    ) -> list[TurnResult]:
        """Deliver the messages again, each time as late as the turn says, until all are acknowledged."""
        results, end = [self.deliver(*messages)], self.clock() + within
        while self.clock() < end and len(results[-1].acknowledged) < len(messages):
            self.clock.move(seconds=max(1, results[-1].retry_after_seconds))
            results.append(self.deliver(*messages))
        return results

    def deliver_and_crash_repeatedly(self, *messages: MessageAdded, after: Step, times: int) -> None:
        """Let so many workers die, each right after a step, and each after the lease of the one before."""
        for _ in range(times):
            self.deliver_and_crash(*messages, after=after)
            self.clock.move(seconds=121)

    def history(self) -> list[tuple[str, str]]:
        """Return the history that the agent was shown last: who spoke, or what it is, and the text."""
        return [(entry.role.value, entry.text) for entry in self.agent.questions[-1].history]

    @property
    def messages(self) -> list[MessageAdded]:
        """The messages of the conversation at Twilio."""
        return self.twilio.messages[CONVERSATION]

    @property
    def replies(self) -> list[str]:
        return self.twilio.replies(CONVERSATION)

    @property
    def item(self) -> Conversation:
        return self.conversations.items[CONVERSATION]

    @property
    def records(self) -> list[TurnRecord]:
        return list(self.conversations.records.get(CONVERSATION, {}).values())

    def _observe(self, taken: StepTaken) -> None:
        self.steps.append(taken.step)
        self.steps_taken.append(taken)
        if taken.step is self.crashes_after:
            self.crashes_after = None
            raise KeyboardInterrupt(taken.step)

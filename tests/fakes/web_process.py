"""A web process on virtual time: its worker, its store, and Twilio in memory. It may crash at any call of either."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from switchboard.agent import Agent
from switchboard.answer_settings import AnswerSettings
from switchboard.conversation import OwnerChange, OwnerReason
from switchboard.events import LifecycleEvent, MessageAdded, Owner
from switchboard.notices import Notice
from switchboard.ports import MessagePage
from switchboard.stores.sqlite import in_sqlite
from switchboard.stores.store import Store, in_memory
from switchboard.worker import Worker
from tests.builders import CONVERSATION, Clock, message_added
from tests.fakes.twilio import TwilioInMemory


class Crash(BaseException):
    """The process is gone."""


class InThisThread(Executor):
    """Runs what it is given at once."""

    def submit[T, **P](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class TwilioService(TwilioInMemory):
    """Twilio in memory, with what the sweep and the owner attribute need of it."""

    def __init__(self, clock: Clock) -> None:
        TwilioInMemory.__init__(self, clock=clock)
        self.shown: list[OwnerChange] = []

    def human_owner_since(self, sid: str) -> datetime | None:
        last = next((change for change in reversed(self.shown) if change.conversation_sid == sid), None)
        is_human = last is not None and last.owner is Owner.HUMAN and last.reason != OwnerReason.FAILURE
        return last.since if last and is_human else None

    def message_pages(self, conversation_sid: str, *, from_index: int) -> Iterator[MessagePage]:
        yield MessagePage(messages=self.list_messages(conversation_sid, from_index=from_index), is_last=True)

    def new_conversations(self, *, since: datetime, limit: int) -> Sequence[str]:
        young = [sid for sid, messages in self.messages.items() if messages and messages[0].at >= since]
        return young[:limit]

    def show_change(self, change: OwnerChange) -> None:
        self.shown.append(change)


@dataclass
class Calls:
    """Counts the calls of the store and of Twilio. The process dies before the call `crash_at`."""

    count: int = 0
    crash_at: int | None = None

    def through[T](self, part: T) -> T:
        return cast("T", _Counted(part, self))


class _Counted:
    def __init__(self, part: object, calls: Calls) -> None:
        self._part = part
        self._calls = calls

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the part has
        method = getattr(self._part, name)

        if name == "due_at":  # it only says when: a crash there is one before the next call
            return method

        def call(*arguments: object, **named: object) -> object:
            self._calls.count += 1
            if self._calls.count == self._calls.crash_at:
                raise Crash
            return method(*arguments, **named)

        return call


@dataclass
class WebProcess:
    """Starts a process on a store, again after a crash. Without a file, a crash loses the store."""

    agent: Agent
    file: Path | None = None
    settings: AnswerSettings = field(default_factory=AnswerSettings)
    clock: Clock = field(default_factory=Clock)
    calls: Calls = field(default_factory=Calls)
    notices: list[Notice] = field(default_factory=list)
    crashes: int = 0

    def __post_init__(self) -> None:
        self.twilio = TwilioService(self.clock)
        self.start()

    def start(self) -> None:
        self.store = in_sqlite(self.file, clock=self.clock) if self.file else in_memory(clock=self.clock)
        counted = {
            part.name: self.calls.through(getattr(self.store, part.name))
            for part in fields(Store)
            if part.name not in {"close", "customer_secret"}
        }
        twilio = self.calls.through(self.twilio)
        self.worker = Worker(
            store=replace(self.store, **counted),
            agent=self.agent,
            messages=twilio,
            conversations=twilio,
            settings=self.settings,
            on_notice=self.notices.append,
            threads=InThisThread(),
            clock=self.clock,
        )

    def stop(self) -> None:
        self.store.close()

    def writes(self, *bodies: str, webhook: bool = True) -> list[MessageAdded]:
        """Let the customer write; Twilio tells the process, or the webhook is lost."""
        index = len(self.twilio.messages.get(CONVERSATION, ()))
        messages = [message_added(index=index + n, body=body, at=self.clock()) for n, body in enumerate(bodies)]
        self.twilio.add(*messages)
        if webhook:
            for message in messages:
                self.accept(message)
        return messages

    def accept(self, event: LifecycleEvent) -> None:
        self.run(lambda: self.worker.accept(event))

    def run(self, what: Callable[[], object]) -> None:
        """Do something in the process. If it crashes, another one is started, on the same file."""
        try:
            what()
        except Crash:
            self.crashes += 1
            self.calls.crash_at = None
            self.stop()
            self.start()

    def run_for(self, *, minutes: float) -> None:
        """Let the process do whatever becomes due."""
        end = self.clock() + timedelta(minutes=minutes)
        while self.clock() < end:
            self.run(self.worker.run_due)
            self.run(lambda: self._wait(until=end))

    def _wait(self, *, until: datetime) -> None:
        self.clock.now = min(until, max(self.clock() + timedelta(seconds=1), self.worker.next_due()))

    def replies(self) -> list[str]:
        return self.twilio.replies(CONVERSATION)

    def next_post_is_lost_after_its_commit(self) -> None:
        self.twilio.post_ends.append("response_lost")

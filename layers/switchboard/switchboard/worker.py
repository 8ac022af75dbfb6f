"""The flows in a web process: what was accepted waits in the store, and threads of this process handle it.

The turn, the lifecycle and the sweep are those of the deployment. In the place of its queues are two inboxes of the
store: in each, what comes later in a conversation waits behind what came first.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from threading import Event as Flag
from threading import RLock, Thread
from typing import Protocol
from uuid import uuid4

from switchboard.agent import Agent
from switchboard.answer_settings import AnswerSettings
from switchboard.author import AuthorRole
from switchboard.consent import opts_out
from switchboard.conversation import TurnOutcome
from switchboard.cost import facts_of_cost
from switchboard.errors import Permanent, Transient
from switchboard.events import LifecycleEvent, MessageAdded, event_id
from switchboard.files import FilesFolder
from switchboard.lifecycle import CHANGES_OWNER, TOLD, Effect, apply
from switchboard.media import Media
from switchboard.notices import Notice, facts_of
from switchboard.owner_updates import OwnerAttribute, OwnerUpdates
from switchboard.ports import Clock, MessagePages, Messenger, NewConversations
from switchboard.publisher import Publisher
from switchboard.stores.inbox import Inbox, Waiting
from switchboard.stores.store import Store, now
from switchboard.sweeper import HandBackRule, sweep
from switchboard.turn.context import TurnPorts
from switchboard.turn.result import RetryReason, TurnResult
from switchboard.turn.take_turn import take_turn

LEASE = timedelta(seconds=60)  # of a turn: it sends nothing after that
SWEEP_INTERVAL = timedelta(minutes=1)
TIME_FOR_OWNERS = timedelta(seconds=30)  # of a sweep's minute
AFTER_A_FAULT_OF_OURS = timedelta(minutes=2)
MAX_BACKOFF = timedelta(seconds=60)
FAILED = frozenset(
    {
        RetryReason.RETRY,
        RetryReason.MODEL_REFUSED_US,
        TurnOutcome.FELL_BACK,
        TurnOutcome.EXPIRED,
        TurnOutcome.UNSURE,
    }
)

logger = logging.getLogger("switchboard")


class Messages(Messenger, MessagePages, Protocol):
    """Twilio's messages, as the flows use them."""

    def read_media(self, media: Media, max_bytes: int) -> bytes:
        """Return a file. Raise `Permanent` where it is gone or larger, `Transient` where Twilio is away."""
        ...


class Conversations(NewConversations, OwnerAttribute, Protocol):
    """Twilio's conversations, as the flows use them."""

    def human_owner_since(self, sid: str) -> datetime | None:
        """Return since when Twilio's attributes say that a human owns the conversation; None if they do not."""
        ...


@dataclass(slots=True, kw_only=True)
class Worker:
    """Handles what waits in a store. `on_notice` is told what people must be told of, once or, after a crash, twice.

    `threads` handle conversations side by side; each conversation's events are handled one after the other.
    """

    store: Store
    agent: Agent
    messages: Messages
    conversations: Conversations
    settings: AnswerSettings
    on_notice: Callable[[Notice], None]
    threads: Executor
    clock: Clock = now
    _thread: Thread | None = None
    _wake: Flag = field(default_factory=Flag)
    _stopped: bool = False
    _busy: set[tuple[str, str]] = field(default_factory=set)
    _lock: RLock = field(default_factory=RLock)
    _next_sweep: datetime = field(init=False)

    def __post_init__(self) -> None:
        self._next_sweep = self.clock()

    def accept(self, event: LifecycleEvent) -> None:
        """Keep an event until it was handled. A repeat of it, while it waits, changes nothing."""
        is_question = isinstance(event, MessageAdded) and event.author_role is AuthorRole.CUSTOMER
        # It may not wait behind a turn that thinks, or a reply that is tried again.
        if opts_out(event):
            self.store.lifecycle_events.put(event, id=event_id(event), due=self.clock())
        inbox = self.store.messages if is_question else self.store.lifecycle_events
        wait = timedelta(seconds=self.settings.coalesce_seconds) if is_question else timedelta(0)
        inbox.put(event, id=event_id(event), due=self.clock() + wait)
        self._wake.set()

    def redrive(self) -> int:
        """Have the dead letters answered that still need an answer, and return how many there were."""
        letters = self.store.dead_letters.all()
        for key, message in letters.items():
            again = replace(message, again=True)
            self.store.messages.put(again, id=f"{event_id(again)}-again", due=self.clock())
            self.store.dead_letters.remove(key)
        self._wake.set()
        return len(letters)

    def start(self) -> None:
        """Begin to handle what waits, in threads of this process."""
        with self._lock:
            if self._thread is None and not self._stopped:
                self._thread = Thread(target=self._serve, name="switchboard", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Begin nothing more, and return when what was begun has ended: after a minute at the latest."""
        self._stopped = True
        self._wake.set()
        if self._thread:
            self._thread.join()
        self.threads.shutdown(cancel_futures=True)

    def run_due(self) -> list[Future[None]]:
        """Begin whatever is due, and return it. What is begun in a conversation ends before more of it begins."""
        begun: list[Future[None]] = []
        now = self.clock()
        for kind, inbox, handle in (
            ("lifecycle", self.store.lifecycle_events, self._apply),
            ("messages", self.store.messages, self._answer),
        ):
            for sid, due in inbox.due_at().items():
                if due <= now and self._takes(kind, sid):
                    begun.append(self._begin((kind, sid), partial(self._handle, inbox, handle, sid)))
        if now >= self._next_sweep and self._takes("sweep", ""):
            self._next_sweep = now + SWEEP_INTERVAL
            begun.append(self._begin(("sweep", ""), self._sweep))
        return begun

    def next_due(self) -> datetime:
        """Return when `run_due` has something to begin, as far as is known now."""
        waiting = (("lifecycle", self.store.lifecycle_events), ("messages", self.store.messages))
        due = [at for kind, inbox in waiting for sid, at in inbox.due_at().items() if (kind, sid) not in self._busy]
        return min([*due, self._next_sweep])

    def _serve(self) -> None:
        while not self._stopped:
            seconds = 1.0
            try:
                self._wake.clear()
                self.run_due()
                seconds = (self.next_due() - self.clock()).total_seconds()
            except Exception:
                logger.exception("the store cannot be read")
            self._wake.wait(max(0.0, seconds))

    def _takes(self, kind: str, sid: str) -> bool:
        with self._lock:
            is_free = (kind, sid) not in self._busy
            self._busy.add((kind, sid))
            return is_free

    def _begin(self, key: tuple[str, str], handle: Callable[[], None]) -> Future[None]:
        def run() -> None:
            try:
                handle()
            except Exception:
                logger.exception("%s failed", " ".join(key))
            finally:
                with self._lock:
                    self._busy.discard(key)
                self._wake.set()

        return self.threads.submit(run)

    def _handle(self, inbox: Inbox, handle: Callable[[str, Sequence[Waiting]], None], sid: str) -> None:
        waiting = inbox.of(sid)
        try:
            handle(sid, waiting)
        except Exception as error:
            is_passing = isinstance(error, Transient)
            logger.log(logging.WARNING if is_passing else logging.ERROR, "%s: %s", sid, error, exc_info=not is_passing)
            tries = min(each.tries for each in waiting)
            wait = min(MAX_BACKOFF, timedelta(seconds=2 << min(tries, 10))) if is_passing else AFTER_A_FAULT_OF_OURS
            inbox.put_off(inbox.of(sid), until=self.clock() + wait)

    def _answer(self, sid: str, waiting: Sequence[Waiting]) -> None:
        """Take a turn with all that waits in the conversation."""
        self._recall_owner(sid)
        delivered = [each.event for each in waiting if isinstance(each.event, MessageAdded)]
        lease_until = self.clock() + LEASE
        result = take_turn(
            delivered,
            lease_until=lease_until,
            ports=self._ports(),
            settings=self.settings.for_turns(),
            new_id=lambda: uuid4().hex,
        )
        level = logging.WARNING if result.outcome in FAILED else logging.INFO
        facts = facts_of_cost(result.cost) if result.cost else None  # for whoever formats logs as JSON
        logger.log(level, "%s: %s%s", sid, result.outcome, f": {result.cause}" if result.cause else "", extra=facts)
        done = [
            each for each, event in zip(waiting, delivered, strict=True) if event.message_sid in result.acknowledged
        ]
        self.store.messages.remove(done)
        again = [each for each in waiting if each not in done]
        self.store.messages.put_off(again, until=self.clock() + timedelta(seconds=result.retry_after_seconds))
        self._tell(sid, result, until=lease_until)

    def _recall_owner(self, sid: str) -> None:
        """Have a human own a conversation that the store does not know, if Twilio's attributes say that one does.

        So it is after a restart with an empty store: nobody answers over a human.
        """
        if self.store.turns.read_unclaimed(sid).has_a_customer():
            return
        try:
            since = self.conversations.human_owner_since(sid)
        except Permanent:  # it is gone at Twilio; the turn finds that out
            return
        if since:
            self.store.lifecycle.take_over(sid, index=None, at=since)

    def _tell(self, sid: str, result: TurnResult, *, until: datetime) -> None:
        """Tell what a turn has decided. Where that fails, a sweep does it."""
        if result.notice:
            notice = result.notice
            self._try(lambda: self._log_told(self._publisher().publish([notice])))
        if result.owner_changed:
            self._try(lambda: self._owner_updates().show_of([sid], until))

    def _apply(self, sid: str, waiting: Sequence[Waiting]) -> None:
        """Apply the conversation's lifecycle events, in order."""
        effects: set[Effect] = set()
        for each in waiting:
            effect = apply(
                each.event,
                conversations=self.store.lifecycle,
                messages=self.messages,
                requeue=_Again(self.store.messages, self.clock),
                customer_secret=self.store.customer_secret,
            )
            self.store.lifecycle_events.remove([each])
            logger.info("%s: %s", sid, effect)
            effects.add(effect)
        if effects & TOLD:
            self._try(lambda: self._log_told(self._publisher().publish_of([sid])))
        if effects & CHANGES_OWNER:
            self._try(lambda: self._owner_updates().show_of([sid], self.clock() + LEASE))

    def _sweep(self) -> None:
        """Find what webhooks lost, and tell what a worker that died did not."""
        deadline = self.clock() + SWEEP_INTERVAL
        after = timedelta(minutes=self.settings.hand_back_after_minutes)
        self._try(lambda: self._log_told(self._publisher().publish_due()))
        self._try(lambda: self._owner_updates().show_due(deadline - TIME_FOR_OWNERS))
        result = sweep(
            checks=self.store.checks,
            conversations=self.conversations,
            messages=self.messages,
            messages_queue=_Again(self.store.messages, self.clock),
            lifecycle_queue=_Again(self.store.lifecycle_events, self.clock),
            takeovers=self.store.lifecycle,
            clock=self.clock,
            max_event_age=timedelta(minutes=self.settings.max_event_age_minutes),
            max_requests=self.settings.sweep_requests,
            deadline=deadline,
            hand_back_rule=HandBackRule(conversations=self.store.lifecycle, after=after) if after else None,
        )
        for failure in result.failures:
            logger.warning("sweep: %s", failure.error)
        if result.found:
            logger.info("sweep: found %d messages whose webhooks were lost", result.found)

    def _try(self, tell: Callable[[], None]) -> None:
        try:
            tell()
        except Exception as error:  # noqa: BLE001 -- a sweep tells it
            logger.warning("not told yet: %s", error)

    def _log_told(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            logger.info("notified: %s", facts_of(notice))

    def _publisher(self) -> Publisher:
        return Publisher(notices=self.store.notices, bus=_Callback(self.on_notice), clock=self.clock)

    def _owner_updates(self) -> OwnerUpdates:
        return OwnerUpdates(
            changes=self.store.owner_changes,
            owners=self.store.owners,
            attribute=self.conversations,
            clock=self.clock,
        )

    def _ports(self) -> TurnPorts:
        return TurnPorts(
            agent=self.agent,
            conversations=self.store.turns,
            takeovers=self.store.lifecycle,
            budgets=self.store.budgets,
            messenger=self.messages,
            dead_letters=self.store.dead_letters,
            clock=self.clock,
            customer_secret=self.store.customer_secret,
            read_media=self.messages.read_media,
            files=FilesFolder(self.settings.files_folder),
        )


@dataclass(frozen=True, slots=True)
class _Again:
    """An inbox as the queue for what may have been delivered before."""

    inbox: Inbox
    clock: Clock

    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:
        for message in messages:
            self.inbox.put(message, id=f"{event_id(message)}-{since.timestamp():.3f}", due=self.clock())


@dataclass(frozen=True, slots=True)
class _Callback:
    """A function as the bus of notices."""

    on_notice: Callable[[Notice], None]

    def publish(self, notices: Sequence[Notice], /) -> Sequence[Notice]:
        for notice in notices:
            self.on_notice(notice)
        return notices

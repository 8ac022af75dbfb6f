"""Many conversations, many workers, every fault at once: one seeded schedule under a virtual clock.

Each worker runs `take_turn`, plain synchronous code, in a greenlet that gives control back at every call of a port,
before and after the call, so that the schedule decides who goes on, who dies, and what happens in between.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

from greenlet import greenlet

from switchboard import lifecycle
from switchboard.author import AuthorRole
from switchboard.budgets import Budget
from switchboard.conversation import Conversation
from switchboard.errors import Transient
from switchboard.events import (
    ConversationState,
    ConversationStateUpdated,
    LifecycleEvent,
    MessageAdded,
    Owner,
    OwnerSet,
)
from switchboard.ports import MessagePage
from switchboard.sweeper import sweep
from switchboard.turn.context import TurnPorts
from switchboard.turn.result import TurnResult
from switchboard.turn.take_turn import take_turn
from tests.builders import PLENTY, sid, turn_settings
from tests.fakes.conversations import ConversationsInMemory
from tests.simulation.checks import Checks
from tests.simulation.invariants import (
    FALLBACK,
    LIMIT,
    Evidence,
    Licence,
    budgets_are_exceeded_by_at_most_the_turns_in_flight,
    check,
    checks_go_on_for_a_day,
    every_check_that_is_due_is_made,
)
from tests.simulation.models import MAX_EVENT_AGE, Clock, FifoQueue, Receipt, Twilio
from tests.simulation.ports import Ports

LEASE = timedelta(seconds=60)
SMALL_BUDGET = Budget(turns_by_customer=2, turns_by_all=3, sentence=LIMIT)


class Crash(BaseException):
    """The worker's process is gone."""


@dataclass(slots=True)
class Worker:
    """One invocation at work on one conversation's records."""

    number: int
    receipts: Sequence[Receipt]
    lease_until: datetime
    thread: greenlet


@dataclass(slots=True)
class World:
    """Everything of one schedule; `step()` does one thing that the seed chooses."""

    seed: int
    conversations: int = 3
    messages: int = 8
    faults: int = 12
    window_faults: bool = False
    trace: list[str] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)
    store: ConversationsInMemory = field(default_factory=ConversationsInMemory)
    webhooks: list[LifecycleEvent] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    thoughts: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    licences: dict[str, list[Licence]] = field(default_factory=dict)
    takings: dict[str, int] = field(default_factory=dict)
    frozen_in: dict[str, int] = field(default_factory=dict)
    spoken: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    handed_back: set[str] = field(default_factory=set)
    owners: dict[str, list[OwnerSet]] = field(default_factory=dict)
    history: dict[str, int] = field(default_factory=dict)
    most_in_flight: int = 0
    budget: Budget = PLENTY
    numbers: "count[int]" = field(default_factory=count)
    chance: random.Random = field(init=False)
    twilio: Twilio = field(init=False)
    queue: FifoQueue = field(init=False)
    lifecycle: list[LifecycleEvent] = field(default_factory=list)
    dead_letters: FifoQueue = field(init=False)
    checks: Checks = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311 -- a schedule, not a secret
        self.twilio = Twilio(clock=self.clock)
        self.queue = FifoQueue(clock=self.clock)
        self.dead_letters = FifoQueue(clock=self.clock)
        self.checks = Checks(clock=self.clock, store=self.store)
        if self.chance.random() < 0.2:
            self.budget = SMALL_BUDGET
        if self.chance.random() < 0.2:
            self._a_conversation_is_older_than_we_are()

    # ── the schedule ─────────────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Do things until everything was said and every fault spent, then let all come to rest, and judge."""
        while self.messages or self.webhooks or self.chance.random() < 0.8:
            self._something()
        self.faults = 0
        self.twilio.list_lag = timedelta(0)
        self._come_to_rest()
        for conversation_sid in self.twilio.messages:
            check(self._evidence(conversation_sid))
        records = [record for turns in self.store.records.values() for record in turns.values()]
        budgets_are_exceeded_by_at_most_the_turns_in_flight(records, self.budget, in_flight=self.most_in_flight)

    def _something(self) -> None:
        choices: list[tuple[float, Callable[[], None]]] = [(1, self._time_passes)]
        if self.messages:
            choices.append((3, self._a_customer_writes))
        if self.webhooks:
            choices.append((4, self._a_webhook_arrives))
        if self.lifecycle:
            choices.append((3, self._a_lifecycle_event_is_applied))
        if self.queue.ready():
            choices.append((4, self._a_worker_starts))
        if self.workers:
            choices.append((12, self._a_worker_goes_on))
        if self.twilio.messages:
            choices += [(0.15, self._a_colleague_writes), (0.15, self._a_desk_hands_back), (0.05, self._it_is_closed)]
        choices.append((0.3, self._a_sweep))
        if self.faults > 0:
            choices.append((1.5, self._a_fault))
        weights, things = zip(*choices, strict=True)
        self.chance.choices(things, weights)[0]()

    def _come_to_rest(self) -> None:
        """Without faults: webhooks arrive, workers end, the sweeper comes every minute, until nothing is left to do.

        One schedule in ten goes on until no check is left: a day after the last activity.
        """
        a_day, began = self.chance.random() < 0.1, self.clock()
        self._a_sweep()
        for _ in range(2000):
            while self.webhooks or self.lifecycle or self.workers:
                if self.webhooks:
                    self._a_webhook_arrives()
                elif self.lifecycle:
                    self._a_lifecycle_event_is_applied()
                else:
                    self._a_worker_goes_on()
            while self.queue.ready():
                self._a_worker_starts()
                while self.workers:
                    self._a_worker_goes_on()
            next_check = self.checks.next_due()
            if (
                self.queue.is_empty()
                and not self.twilio.late
                and (next_check is None or (not a_day and self._is_quiet()))
            ):
                if a_day:
                    last_activity = {sid: tracked.activity for sid, tracked in self.checks.tracked.items()}
                    checks_go_on_for_a_day(self.checks.made, last_activity, since=began)
                return
            idle_until = min(
                [late.at for late in self.twilio.late]
                + [moment for moment in (next_check, self.queue.next_ready()) if moment is not None]
            )
            self.clock.now = max(self.clock() + timedelta(minutes=1), idle_until)
            self.twilio.arrive()
            self._a_sweep()
        raise AssertionError("it never comes to rest")

    def _is_quiet(self) -> bool:
        """Tell whether every conversation has had five checks since its last activity."""
        return all(tracked.checks >= 5 for tracked in self.checks.tracked.values())

    # ── what happens outside ─────────────────────────────────────────────────────────────────────────────────────

    def _a_conversation_is_older_than_we_are(self) -> None:
        """Let a conversation have messages from long before its first webhook: history, not work."""
        conversation_sid = sid("CH", 1)
        for _ in range(self.chance.randint(1, 3)):
            self._says_its_index(self.twilio.say(conversation_sid, ""))
        self.history[conversation_sid] = len(self.twilio.messages[conversation_sid])
        self.clock.now += 2 * MAX_EVENT_AGE

    def _a_customer_writes(self) -> None:
        self.messages -= 1
        conversation_sid = sid("CH", self.chance.randrange(1, self.conversations + 1))
        if conversation_sid in self.closed:
            return
        message = self._says_its_index(self.twilio.say(conversation_sid, ""))
        self.webhooks.append(message)
        self._note(f"customer writes {message.index} in {conversation_sid[-1]}")

    def _says_its_index(self, message: MessageAdded) -> MessageAdded:
        """Let a message say its own index, which is what the agent of the proofs repeats."""
        said = replace(message, body=str(message.index))
        self.twilio.messages[message.conversation_sid][-1] = said
        return said

    def _a_webhook_arrives(self) -> None:
        event = self.webhooks.pop(self.chance.randrange(len(self.webhooks)))
        self._note(f"webhook: {_named(event)}")
        if isinstance(event, MessageAdded) and event.author_role is AuthorRole.CUSTOMER:
            self.queue.send(event)
        else:
            self.lifecycle.append(event)

    def _a_lifecycle_event_is_applied(self) -> None:
        event = self.lifecycle.pop(self.chance.randrange(len(self.lifecycle)))
        self._note(f"applied: {_named(event)}")
        conversation_sid = event.conversation_sid
        if isinstance(event, OwnerSet | MessageAdded):
            owner = event.owner if isinstance(event, OwnerSet) else Owner.HUMAN
            wish = OwnerSet(conversation_sid=conversation_sid, owner=owner, at=event.at)
            self.owners.setdefault(conversation_sid, []).append(wish)
        self.takes(
            conversation_sid,
            lambda: lifecycle.apply(event, conversations=self.store, messages=self.twilio, requeue=self.queue),
        )

    def takes(self, conversation_sid: str, what: Callable[[], object]) -> None:
        """Do what may raise the era; but for a hand back, that is a taking."""
        before = self.item(conversation_sid)
        what()
        self.checks.is_active(conversation_sid)
        after = self.item(conversation_sid)
        if after.ownership_epoch != before.ownership_epoch and (after.closed or after.owner is Owner.HUMAN):
            self.takings[conversation_sid] = self.takings.get(conversation_sid, 0) + 1

    def _a_colleague_writes(self) -> None:
        conversation_sid = self.chance.choice(list(self.twilio.messages))
        if conversation_sid in self.closed:
            return
        self.clock.move(0.01)
        self.spoken.add(conversation_sid)
        self.webhooks.append(self.twilio.say(conversation_sid, "I take this", author_role=AuthorRole.HUMAN))
        self._note(f"colleague writes in {conversation_sid[-1]}")

    def _a_desk_hands_back(self) -> None:
        conversation_sid = self.chance.choice(list(self.twilio.messages))
        self.clock.move(0.01)
        self._note(f"hand back of {conversation_sid[-1]}")
        self.handed_back.add(conversation_sid)
        self.webhooks.append(OwnerSet(conversation_sid=conversation_sid, owner=Owner.ASSISTANT, at=self.clock()))

    def _it_is_closed(self) -> None:
        conversation_sid = self.chance.choice(list(self.twilio.messages))
        self.closed.add(conversation_sid)
        self.twilio.closed.add(conversation_sid)
        self._note(f"close of {conversation_sid[-1]}")
        self.webhooks.append(
            ConversationStateUpdated(conversation_sid=conversation_sid, state=ConversationState.CLOSED, at=self.clock())
        )

    def _time_passes(self) -> None:
        self.clock.move(self.chance.choice([0.1, 1, 3, 10, 31, 61, 95, 125]))
        self.twilio.arrive()
        self._note(f"time passes, {self.clock.now:%H:%M:%S}")

    def _a_fault(self) -> None:
        self.faults -= 1
        faults: list[Callable[[], None]] = [self._early_visibility]
        if self.webhooks:
            faults += [self._webhook_lost, self._webhook_doubled]
        if self.workers:
            faults += [self._worker_dies, self._worker_dies]
        if self.window_faults:
            faults.append(self._lists_lag)
        self.chance.choice(faults)()

    def _webhook_lost(self) -> None:
        lost = self.webhooks.pop(self.chance.randrange(len(self.webhooks)))
        self._note(f"lost: webhook of {_named(lost)}")

    def _webhook_doubled(self) -> None:
        self.webhooks.append(self.chance.choice(self.webhooks))

    def _early_visibility(self) -> None:
        self._note("records in flight become visible")
        for records in self.queue.records.values():
            for record in records:
                record.visible_at = min(record.visible_at, self.clock())

    def _lists_lag(self) -> None:
        self.twilio.list_lag = timedelta(seconds=self.chance.choice([0, 5, 60]))

    # ── the workers ──────────────────────────────────────────────────────────────────────────────────────────────

    def _a_worker_starts(self) -> None:
        most = self.chance.choice([1, 2, 10])  # SQS need not give all that waits, nor the same again
        receipts = self.queue.receive(self.chance.choice(self.queue.ready()), most=most)
        if not receipts:
            return
        lease_until = self.clock() + LEASE
        number = next(self.numbers)
        worker = Worker(number, receipts, lease_until, greenlet(self._work))
        self.workers.append(worker)
        indices = [receipt.message.index for receipt in receipts]
        self._note(f"worker {number} gets {indices} of {receipts[0].message.conversation_sid[-1]}")
        self._resume(worker, worker)

    def _a_worker_goes_on(self) -> None:
        self._resume(self.chance.choice(self.workers))

    def _worker_dies(self) -> None:
        worker = self.chance.choice(self.workers)
        self._note(f"worker {worker.number} dies")
        self.workers.remove(worker)
        worker.thread.throw(Crash)

    def _resume(self, worker: Worker, *arguments: object) -> None:
        worker.thread.switch(*arguments)
        if worker.thread.dead and worker in self.workers:
            self.workers.remove(worker)

    def _work(self, worker: Worker) -> None:
        ports = Ports(self, worker)
        try:
            outcome = take_turn(
                [receipt.message for receipt in worker.receipts],
                lease_until=worker.lease_until,
                ports=TurnPorts(
                    agent=ports,
                    conversations=ports,
                    takeovers=ports,
                    budgets=ports,
                    messenger=ports,
                    dead_letters=ports,
                    clock=self.clock,
                ),
                settings=turn_settings(fallback_sentence=FALLBACK, budget=self.budget, max_event_age=MAX_EVENT_AGE),
                new_id=lambda: f"id{next(self.numbers)}",
            )
        except Crash:
            return
        except Transient:
            outcome = TurnResult(outcome="failed", retry_after_seconds=2)
        self._note(f"worker {worker.number}: {outcome.outcome} {outcome.cause} +{outcome.retry_after_seconds}s")
        self.queue.settle(worker.receipts, outcome.acknowledged, outcome.retry_after_seconds)

    def note_licence(self, name: str, conversation_sid: str, *, saw_a_colleague: bool) -> None:
        """Take down what a write found after which a draft may be posted."""
        item = self.item(conversation_sid)
        taken = self.takings.get(conversation_sid, 0)
        if name == "freeze":
            self.frozen_in[item.turn] = taken
        self.licences.setdefault(conversation_sid, []).append(
            Licence(
                turn=item.turn,
                owner=item.owner,
                closed=item.closed,
                taken_since_frozen=self.frozen_in[item.turn] != taken,
                saw_a_colleague=saw_a_colleague,
            )
        )

    # ── the sweeper ──────────────────────────────────────────────────────────────────────────────────────────────

    def _a_sweep(self) -> None:
        report = sweep(
            checks=self.checks,
            conversations=self,
            messages=self,
            messages_queue=self.queue,
            lifecycle_queue=self,
            clock=self.clock,
            max_event_age=MAX_EVENT_AGE,
            max_requests=50,
            deadline=self.clock() + timedelta(minutes=1),
        )
        self._note(f"sweep: {report}")
        every_check_that_is_due_is_made(self.checks.due(now=self.clock(), limit=50))

    def new_conversations(self, *, since: datetime, limit: int) -> list[str]:  # noqa: ARG002 -- the port's
        return list(self.twilio.messages)[:limit]

    def message_pages(self, conversation_sid: str, *, from_index: int) -> Iterator[MessagePage]:
        yield MessagePage(messages=self.list_messages(conversation_sid, from_index=from_index), is_last=True)

    def list_messages(self, conversation_sid: str, *, from_index: int) -> tuple[MessageAdded, ...]:
        return self.twilio.list_messages(conversation_sid, from_index=from_index)

    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:  # noqa: ARG002 -- the port's
        self.lifecycle += messages

    # ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────

    def item(self, conversation_sid: str) -> Conversation:
        """Return what stands in the table."""
        return self.store.items.get(conversation_sid, Conversation(sid=conversation_sid))

    def _evidence(self, conversation_sid: str) -> Evidence:
        dead = [record.message for records in self.dead_letters.records.values() for record in records]
        return Evidence(
            messages=self.twilio.messages[conversation_sid],
            dead_letters=[m for m in [*dead, *self.queue.dead] if m.conversation_sid == conversation_sid],
            item=self.item(conversation_sid),
            records=list(self.store.records.get(conversation_sid, {}).values()),
            a_human_spoke=conversation_sid in self.spoken,
            was_closed=conversation_sid in self.closed,
            was_handed_back=conversation_sid in self.handed_back,
            licences=self.licences.get(conversation_sid, []),
            thoughts=self.thoughts.get(conversation_sid, {}),
            owners=self.owners.get(conversation_sid, []),
            history=self.history.get(conversation_sid, 0),
            copies_allowed=2 if self.window_faults else 1,
        )

    def _note(self, what: str) -> None:
        self.trace.append(what)


def _named(event: LifecycleEvent) -> str:
    what = f"message {event.index}" if isinstance(event, MessageAdded) else type(event).__name__
    return f"{what} in {event.conversation_sid[-1]}"

"""A schedule: several conversations and workers under a virtual clock, with faults, in an order that a seed chooses.

Each worker of a process runs the real `take_turn` in a greenlet (`processes.py`). It gives control back before and
after each call of a port, so that the schedule decides which worker goes on, which process dies, and what happens in
between.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

from switchboard import lifecycle
from switchboard.author import AuthorRole
from switchboard.budgets import Budget
from switchboard.consent import ConsentChange, opts_out
from switchboard.conversation import UNIX_EPOCH, Conversation, Note, OwnerChange, ReplyKind
from switchboard.errors import Permanent, Transient
from switchboard.events import (
    ConversationState,
    ConversationStateUpdated,
    LifecycleEvent,
    MessageAdded,
    Owner,
    OwnerSet,
)
from switchboard.notices import Notice
from switchboard.owner_updates import OwnerUpdates
from switchboard.ports import MessagePage, Takeover
from switchboard.publisher import Publisher
from switchboard.sweeper import HandBackRule, sweep
from tests.builders import PLENTY, SECRET, sid
from tests.simulation.bursts import Burst, left_out, plan_burst
from tests.simulation.bus import (
    Bus,
    a_notice_that_is_due_is_published,
    no_notice_outlasts_a_sweep,
    the_attributes_show_who_owns,
)
from tests.simulation.effects import Bookings, check_bookings, plan_bookings
from tests.simulation.habits import CHATTER, FEW_TURNS, MAX_ANSWERS, body_of, plan_consent, plan_habit
from tests.simulation.hand_backs import HandBacksByTime, plan_hand_back
from tests.simulation.invariants import (
    LIMIT,
    Asked,
    Evidence,
    SendPermit,
    a_redriven_letter_ends,
    budgets_are_exceeded_by_at_most_the_turns_in_flight,
    check,
    checks_go_on_for_a_day,
    confirms_opt_out,
    every_check_that_is_due_is_made,
    no_record_is_received_too_often,
    require,
    wants_no_messages,
)
from tests.simulation.models import (
    ANSWER_WITHIN,
    MAX_EVENT_AGE,
    Clock,
    FifoQueue,
    Receipt,
    ThrottledError,
    Twilio,
)
from tests.simulation.outages import Outage, OutageKind, plan_outage
from tests.simulation.people import CUSTOMER, HUMANS, PROGRAM, has_webhook, in_truth, is_human
from tests.simulation.poison import Charges, Poison, plan_poison
from tests.simulation.ports import Worker
from tests.simulation.processes import Process
from tests.simulation.quiet import days_pass, plan_quiet
from tests.simulation.watched import WatchedChecks, WatchedConversations

LIFECYCLE_VISIBILITY_TIMEOUT = timedelta(minutes=2)
SMALL_BUDGET = Budget(turns_by_customer=2, turns_by_all=3, sentence=LIMIT)


@dataclass(slots=True)
class World:
    """One schedule. `run()` does one thing after another, as the seed chooses, and checks every invariant at the end.

    What is kept for the invariants stands by conversation: `turns_by_message` the turns in which the assistant was
    asked about each message, `takeovers` how often a human or a close took the conversation, `takeovers_at_freeze` how
    many of them a turn's reply had seen when it was frozen, `shown_words` the human words, by index, that were applied
    or that a list of the sweeper has shown, `told_at` when a webhook of it came, `old_messages` how many
    are older than our first webhook, `written_after_outage` the index of the message that tries whether anybody answers
    after an outage, `habits` what the customer answers each reply of ours with, at once. `consent_words` is what the
    customer of one says of consent, by the messages that are left to write.
    """

    seed: int
    conversations: int = 3
    messages: int = 8
    faults: int = 12
    window_faults: bool = False
    handoff_rate: float = 0.03
    trace: list[str] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)
    store: WatchedConversations = field(default_factory=WatchedConversations)
    webhooks: list[LifecycleEvent] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    turns_by_message: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    asked: dict[str, list[Asked]] = field(default_factory=dict)
    send_permits: dict[str, list[SendPermit]] = field(default_factory=dict)
    takeovers: dict[str, int] = field(default_factory=dict)
    takeovers_at_freeze: dict[str, int] = field(default_factory=dict)
    shown_words: dict[str, dict[int, datetime]] = field(default_factory=dict)
    told_at: dict[str, list[datetime]] = field(default_factory=dict)
    last_hand_back: dict[str, datetime] = field(default_factory=dict)
    unseen: dict[str, frozenset[int]] = field(default_factory=dict)
    handed_back_too_early: set[str] = field(default_factory=set)
    humans_wrote_in: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    handed_back: set[str] = field(default_factory=set)
    owner_events: dict[str, list[OwnerSet]] = field(default_factory=dict)
    old_messages: dict[str, int] = field(default_factory=dict)
    written_after_outage: dict[str, int] = field(default_factory=dict)
    habits: dict[str, str] = field(default_factory=dict)
    speaks_of_consent: int = field(init=False)
    consent_words: dict[int, str] = field(init=False)
    turns_per_ten_minutes: int | None = None
    letters: list[MessageAdded] = field(default_factory=list)
    redriven: set[str] = field(default_factory=set)
    left_out: dict[str, set[int]] = field(default_factory=dict)
    burst: Burst | None = field(init=False)
    max_in_flight: int = 0
    budget: Budget = PLENTY
    numbers: "count[int]" = field(default_factory=count)
    chance: random.Random = field(init=False)
    twilio: Twilio = field(init=False)
    queue: FifoQueue = field(init=False)
    lifecycle: list[LifecycleEvent] = field(default_factory=list)
    failed_lifecycle: list[tuple[datetime, LifecycleEvent]] = field(default_factory=list)
    outage: Outage | None = field(init=False)
    poison: Poison | None = field(init=False)
    charges: Charges = field(default_factory=Charges)
    hand_back_after: timedelta | None = field(init=False)
    quiet_at: int | None = field(init=False)
    happened: Counter[str] = field(default_factory=Counter)
    dead_letters: FifoQueue = field(init=False)
    checks: WatchedChecks = field(init=False)
    bus: Bus = field(init=False)
    bookings: Bookings = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311 -- a schedule, not a secret
        self.twilio = Twilio(clock=self.clock)
        self.queue = FifoQueue(clock=self.clock, is_away=lambda: self.is_away(OutageKind.QUEUES_ARE_AWAY))
        self.dead_letters = FifoQueue(clock=self.clock, is_away=self.queue.is_away)
        self.checks = WatchedChecks(clock=self.clock, store=self.store)
        self.bus = Bus.planned(self.seed, clock=self.clock)
        self.outage = plan_outage(self.seed, messages=max(self.messages, 1))
        self.poison = plan_poison(self.seed, messages=max(self.messages, 1), outage=self.outage)
        self.hand_back_after = plan_hand_back(self.seed)
        self.quiet_at = plan_quiet(self.seed, messages=max(self.messages, 1))
        self.burst = plan_burst(self.seed, messages=max(self.messages, 1))
        checked = () if self.has_only_fault() else plan_bookings(self.seed)
        self.bookings = Bookings(clock=self.clock, checked=checked, faults=min(self.faults, 6))
        if self.has_only_fault():
            self.faults = 0
        if self.poison:
            self.conversations *= 2
            self.messages *= 2
        if self.chance.random() < 0.2:
            self.budget = SMALL_BUDGET
        if self.chance.random() < 0.2:
            self._add_old_messages()
        self.twilio.on_reply = self._the_customer_answers_at_once
        self.speaks_of_consent, self.consent_words = plan_consent(
            self.seed, conversations=self.conversations, messages=self.messages
        )
        if (planned := plan_habit(self.seed, conversations=self.conversations)) and not self.poison:
            number, habit = planned
            self.habits[sid("CH", number)] = habit
            self.turns_per_ten_minutes = FEW_TURNS if habit == CHATTER and self.outage is None else None

    # ── the schedule ──────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Do things until every message is written; then run without faults until nothing is left to do, and check."""
        while self.messages or self.webhooks or self.chance.random() < 0.8:
            self._do_something()
        self.faults = 0
        self.twilio.list_lag = timedelta(0)
        self.run_until_idle(a_day=self.chance.random() < 0.1)
        self._check_each_conversation()
        if self.burst and self.burst.is_for_human and self.burst.conversation_sid:
            self._hand_back(self.burst.conversation_sid)
            self.run_until_idle(a_day=False)
            self._check_each_conversation()
        self.bookings.faults = 0  # from now on nothing fails: whoever writes is answered, and no letter comes back
        if self.outage and self.outage.began and self.budget is PLENTY:
            self._every_customer_writes_once_more()
            self.run_until_idle(a_day=False)
            self._check_each_conversation()
        if not self.dead_letters.is_empty():
            if self.poison:
                self.poison.is_mended = True  # as whoever redrives does first
            self._a_redrive()
            self.run_until_idle(a_day=False)
            self._check_each_conversation()
            require(a_redriven_letter_ends, self.dead_letters.is_empty())
        require(no_record_is_received_too_often, self.queue.dead)
        every_record = [record for turns in self.store.records.values() for record in turns.values()]
        check_bookings(self.bookings, every_record, begun_by_zombies=self.store.begun_by_zombies)
        require(a_notice_that_is_due_is_published, self.store.due, self.bus.published)
        open_items = [item for item in self.store.items.values() if item.sid not in self.twilio.closed]
        require(the_attributes_show_who_owns, self.bus.shown, open_items)
        records = [  # of a message that killed its workers the fallback sentence is said, whatever was spent
            record
            for sid, turns in self.store.records.items()
            for record in turns.values()
            if record.kind is not ReplyKind.FALLBACK or sid not in self.charges.out_of_attempts
        ]
        require(budgets_are_exceeded_by_at_most_the_turns_in_flight, records, self.budget, in_flight=self.max_in_flight)

    def _check_each_conversation(self) -> None:
        for conversation_sid in self.twilio.messages:
            check(self._evidence(conversation_sid))

    def _do_something(self) -> None:
        choices: list[tuple[float, Callable[[], None]]] = [(1, self._time_passes)]
        if self.messages:
            choices.append((3, self._a_customer_writes))
        if self.webhooks:
            choices.append((4, self._a_webhook_arrives))
        if self.lifecycle:
            choices.append((3, self._a_lifecycle_event_is_applied))
        if self.queue.ready():
            choices.append((0.5 if self.poison else 4, self._a_process_starts))  # late: with more conversations
        if self.workers:
            choices.append((12, self._a_worker_goes_on))
        if self.twilio.messages:
            choices += [
                (0.15, self._a_human_writes),
                (0.05, self._a_program_writes),
                (0.05, self._a_human_takes),
                (0.15, self._a_human_hands_back),
                (0.05, self._a_conversation_is_closed),
            ]
        choices.append((0.3, self._a_sweep))
        if not self.dead_letters.is_empty() and not self.has_only_fault() and not self.queue.is_away():
            choices.append((0.5, self._a_redrive))
        if self.faults > 0:
            choices.append((1.5, self._a_fault))
        weights, actions = zip(*choices, strict=True)
        self.chance.choices(actions, weights)[0]()

    def run_until_idle(self, *, a_day: bool) -> None:
        """Let webhooks arrive, workers end and the sweeper run every minute, until nothing is left to do.

        With `a_day` until no check is left: a day after the last activity.
        """
        began = max(self.clock(), (self.outage and self.outage.ends) or self.clock())
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
                self._a_process_starts()
                while self.workers:
                    self._a_worker_goes_on()
            next_check = None if self.is_away(OutageKind.TABLE_IS_AWAY) else self.checks.next_due()
            outage_ends = self.outage.ends if self.outage and self.outage.is_on(self.clock()) else None
            if (
                self.queue.is_empty()
                and not self.twilio.late
                and not self.failed_lifecycle
                and not self.store.notices
                and not self.store.owner_changes
                and not outage_ends
                and (next_check is None or (not a_day and self._is_quiet() and not self._waits_for_hand_back()))
            ):
                if a_day:
                    last_activity = {sid: tracked.activity for sid, tracked in self.checks.tracked.items()}
                    require(checks_go_on_for_a_day, self.checks.made, last_activity, since=began)
                return
            idle_until = min(
                ([self.clock() + timedelta(minutes=1)] if self.store.notices or self.store.owner_changes else [])
                + [late.at for late in self.twilio.late]
                + [at for at, _ in self.failed_lifecycle]
                + [moment for moment in (next_check, self.queue.next_ready(), outage_ends) if moment is not None]
            )
            step = timedelta(seconds=1) if outage_ends else timedelta(minutes=1)
            self.clock.now = max(self.clock() + step, idle_until)
            self._what_is_late_comes()
            self._a_sweep()
        raise AssertionError("after 2,000 sweeps without faults, there is still something to do")

    def _is_quiet(self) -> bool:
        """Tell whether each conversation had five checks since its last activity, and one since its last message."""
        return all(
            tracked.checks >= 5
            and (tracked.next_check is None or self.checks.made[sid][-1] >= self.twilio.messages[sid][-1].at)
            for sid, tracked in self.checks.tracked.items()
        )

    def _waits_for_hand_back(self) -> bool:
        """Tell whether the sweeper will hand a conversation back."""
        return bool(self.hand_back_after) and any(item.quiet_since for item in self.store.items.values())

    # ── customers, humans, webhooks and faults ────────────────────────────────────────────────────────────────────────

    def _add_old_messages(self) -> None:
        """Give a conversation messages from long before its first webhook. They get no answer."""
        conversation_sid = sid("CH", 1)
        for _ in range(self.chance.randint(1, 3)):
            self._with_index_as_body(self.twilio.say(conversation_sid, ""))
        self.old_messages[conversation_sid] = len(self.twilio.messages[conversation_sid])
        self.clock.now += 2 * MAX_EVENT_AGE

    def _a_customer_writes(self) -> None:
        self.messages -= 1
        if self.messages == self.quiet_at and self.twilio.messages:
            days_pass(self)
        if self.outage and self.outage.began is None and self.messages <= self.outage.messages_left:
            self.outage.began = self.clock()
            self._note(f"{self.outage.kind} for {self.outage.length}")
            self.happened[f"outage: {self.outage.kind}"] += 1
        conversation_sid = sid("CH", self.chance.randrange(1, self.conversations + 1))
        word = self.consent_words.get(self.messages, "")
        if word:
            conversation_sid = sid("CH", self.speaks_of_consent)
        if conversation_sid in self.closed:
            return
        message = self._write(conversation_sid, habit=word)
        if self.poison and self.poison.message is None and self.messages <= self.poison.messages_left:
            self.poison.message = message
            self._note("it is poisonous")
        if self.burst and not self.burst.conversation_sid and self.messages <= self.burst.messages_left:
            self._a_burst_comes(self.burst, conversation_sid)

    def _a_burst_comes(self, burst: Burst, conversation_sid: str) -> None:
        burst.conversation_sid = conversation_sid
        if burst.is_for_human:
            self._take_over(conversation_sid)
        for _ in range(burst.size):
            self._write(conversation_sid)

    def _the_customer_answers_at_once(self, conversation_sid: str) -> None:
        """Let a customer answer a reply of ours, at the moment at which it comes, if that is a habit of theirs."""
        habit = self.habits.get(conversation_sid)
        said = [message for message in self.twilio.messages[conversation_sid] if habit and habit in message.body]
        if habit and len(said) < MAX_ANSWERS and conversation_sid not in self.closed:
            self._write(conversation_sid, habit=habit)

    def _write(self, conversation_sid: str, *, habit: str = "") -> MessageAdded:
        message = self._with_index_as_body(self.twilio.say(conversation_sid, ""), habit=habit)
        self.webhooks.append(message)
        self._note(f"customer writes {message.index} in {conversation_sid[-1]}")
        return message

    def _every_customer_writes_once_more(self) -> None:
        for conversation_sid in self.twilio.messages.keys() - self.closed:
            self.written_after_outage[conversation_sid] = self._write(conversation_sid).index

    def _with_index_as_body(self, message: MessageAdded, *, habit: str = "") -> MessageAdded:
        """Make the newest message say its own index: the proofs' agent repeats the indices that it answers."""
        numbered = replace(message, body=body_of(message.index, habit=habit))
        self.twilio.messages[message.conversation_sid][-1] = numbered
        return numbered

    def _a_webhook_arrives(self) -> None:
        event = self.webhooks.pop(self.chance.randrange(len(self.webhooks)))
        if self.is_away(OutageKind.QUEUES_ARE_AWAY):  # Twilio does not tell it again
            self._note(f"lost, because SQS is away: webhook of {_describe(event)}")
            return
        self._note(f"webhook: {_describe(event)}")
        if not (isinstance(event, MessageAdded) and event.author_role is AuthorRole.SYSTEM):
            self.told_at.setdefault(event.conversation_sid, []).append(self.clock())  # a program's word opens nothing
        if isinstance(event, MessageAdded) and event.author_role is AuthorRole.CUSTOMER:
            self.queue.send(event)
            if opts_out(event):
                self.lifecycle.append(event)
        else:
            self.lifecycle.append(event)

    def _a_lifecycle_event_is_applied(self) -> None:
        """Apply an event; where Twilio or the table is away, it comes back like an SQS record."""
        event = self.lifecycle.pop(self.chance.randrange(len(self.lifecycle)))
        self._note(f"applied: {_describe(event)}")
        try:
            self._apply_event(event)
        finally:
            if not self.bus.happens(0.3):  # else the function dies before it publishes
                self._publish(lambda publisher: publisher.publish_of([event.conversation_sid]))
                self._show_owners(lambda updates, until: updates.show_of([event.conversation_sid], until))

    def _apply_event(self, event: LifecycleEvent) -> None:
        conversation_sid = event.conversation_sid
        is_word = isinstance(event, MessageAdded) and is_human(event)
        if isinstance(event, OwnerSet) or is_word:
            owner = event.owner if isinstance(event, OwnerSet) else Owner.HUMAN
            owner_set = OwnerSet(conversation_sid=conversation_sid, owner=owner, at=event.at)
            self.owner_events.setdefault(conversation_sid, []).append(owner_set)
        try:
            self.apply_change(conversation_sid, lambda: self._apply(event))
            if isinstance(event, MessageAdded):
                self.note_shown([event])
        except Transient:
            self._note("applying it failed")
            self.failed_lifecycle.append((self.clock() + LIFECYCLE_VISIBILITY_TIMEOUT, event))

    def _apply(self, event: LifecycleEvent) -> None:
        if self.is_away(OutageKind.TABLE_IS_AWAY):
            raise ThrottledError
        try:
            effect = lifecycle.apply(
                event, conversations=self.store, messages=self, requeue=self.queue, customer_secret=SECRET
            )
            self.happened[f"lifecycle: {effect}"] += 1
        finally:  # it is handed back although nothing could be queued: the event comes again for that
            is_hand_back = isinstance(event, OwnerSet) and event.owner is Owner.ASSISTANT
            if is_hand_back and self.item(event.conversation_sid).owner_event_at == event.at:
                self.note_hand_back(event.conversation_sid, at=event.at)

    def apply_change(self, conversation_sid: str, change: Callable[[], object]) -> None:
        """Apply a change that may raise the ownership epoch; count it as a takeover, unless it is a hand back."""
        before = self.item(conversation_sid)
        try:
            change()
        finally:
            self._note_change(conversation_sid, before)

    def keep_notes(self, sid: str, notes: Sequence[Note]) -> None:
        """Keep a human's word that a list has shown."""
        self.store.keep_notes(sid, notes)

    def take_over(self, sid: str, *, index: int | None, at: datetime) -> Takeover:
        """Apply a human's word that a list has shown."""
        applied: list[Takeover] = []
        self.apply_change(sid, lambda: applied.append(self.store.take_over(sid, index=index, at=at)))
        if index is not None:
            self.shown_words.setdefault(sid, {})[index] = at
        takeover = OwnerSet(conversation_sid=sid, owner=Owner.HUMAN, at=at)
        self.owner_events.setdefault(sid, []).append(takeover)
        return applied[0]

    def change_consent(self, sid: str, change: ConsentChange) -> bool:
        """Apply what a customer says of consent, as a turn found it."""
        is_changed = self.store.change_consent(sid, change)
        if is_changed:
            self.checks.is_active(sid)
            self.happened["opted out" if change.opted_out else "opted in"] += 1
        return is_changed

    def _note_change(self, conversation_sid: str, before: Conversation) -> None:
        if self.item(conversation_sid).first_seen_at > UNIX_EPOCH:  # else the table refused the write, or keeps a note
            self.checks.is_active(conversation_sid)
        after = self.item(conversation_sid)
        if after.ownership_epoch != before.ownership_epoch and (after.closed or after.owner is Owner.HUMAN):
            self.takeovers[conversation_sid] = self.takeovers.get(conversation_sid, 0) + 1

    def _a_human_writes(self) -> None:
        conversation_sid = self.chance.choice(list(self.twilio.messages))
        if conversation_sid not in self.closed:
            self._take_over(conversation_sid)

    def _take_over(self, conversation_sid: str) -> None:
        self.clock.move(0.01)
        self.humans_wrote_in.add(conversation_sid)
        self._somebody_writes(self.chance.choice(HUMANS), conversation_sid)

    def _a_program_writes(self) -> None:
        self._somebody_writes(PROGRAM, self.chance.choice(list(self.twilio.messages)))

    def _somebody_writes(self, author: str, conversation_sid: str) -> None:
        message = self._with_index_as_body(self.twilio.say(conversation_sid, "", author=author))
        self._note(f"{author} writes {message.index} in {conversation_sid[-1]}")
        self.happened[f"{author} writes"] += 1
        if has_webhook(author, self.chance):
            self.webhooks.append(message)

    def _a_human_takes(self) -> None:
        conversation_sid = self.chance.choice(list(self.twilio.messages))
        self.clock.move(0.01)
        self._note(f"take of {conversation_sid[-1]} by attribute")
        self.webhooks.append(OwnerSet(conversation_sid=conversation_sid, owner=Owner.HUMAN, at=self.clock()))

    def _a_human_hands_back(self) -> None:
        self._hand_back(self.chance.choice(list(self.twilio.messages)))

    def _hand_back(self, conversation_sid: str) -> None:
        self.clock.move(0.01)
        self._note(f"hand back of {conversation_sid[-1]}")
        self.handed_back.add(conversation_sid)
        self.webhooks.append(OwnerSet(conversation_sid=conversation_sid, owner=Owner.ASSISTANT, at=self.clock()))

    def _a_conversation_is_closed(self) -> None:
        conversation_sid = self.chance.choice(list(self.twilio.messages))
        self.closed.add(conversation_sid)
        self.twilio.closed.add(conversation_sid)
        self._note(f"close of {conversation_sid[-1]}")
        self.webhooks.append(
            ConversationStateUpdated(conversation_sid=conversation_sid, state=ConversationState.CLOSED, at=self.clock())
        )

    def _a_redrive(self) -> None:
        """Put every dead letter back on the queue, as an operator does, at any time."""
        moved = self.dead_letters.redrive_to(self.queue)
        self.redriven |= {message.message_sid for message in moved}
        self._note(f"redrive: {', '.join(map(_describe, moved))}")

    def has_only_fault(self) -> bool:
        """Tell whether nothing goes wrong but an outage, or a poisonous message."""
        return any(only.is_only_fault for only in (self.outage, self.poison) if only)

    def is_away(self, kind: OutageKind) -> bool:
        """Tell whether there is an outage of this kind now."""
        return self.outage is not None and self.outage.kind is kind and self.outage.is_on(self.clock())

    def twilio_is_away(self) -> bool:
        """Tell whether each request to Twilio fails now."""
        return self.outage is not None and self.outage.is_of_twilio and self.outage.is_on(self.clock())

    def _time_passes(self) -> None:
        steps = [0.1, 1, 3, 10, 31, 61, 95, 125]
        if self.has_only_fault() and self.workers:
            steps = steps[:3]  # no worker is so slow that its lease ends
        elif self.outage and self.outage.length > timedelta(minutes=10) and self.outage.is_on(self.clock()):
            steps = [*steps, 300, 900]
        self.clock.move(self.chance.choice(steps))
        self._what_is_late_comes()
        self._note(f"time passes, {self.clock.now:%H:%M:%S}")

    def _what_is_late_comes(self) -> None:
        self.twilio.commit_late_posts()
        self.lifecycle += [event for at, event in self.failed_lifecycle if at <= self.clock()]
        self.failed_lifecycle = [failed for failed in self.failed_lifecycle if failed[0] > self.clock()]

    def _a_fault(self) -> None:
        self.faults -= 1
        faults: list[Callable[[], None]] = [self._early_visibility]
        if self.webhooks:
            faults += [self._webhook_lost, self._webhook_doubled]
        if self.processes:
            faults += [self._a_process_dies, self._a_process_dies]
        if self.window_faults:
            faults.append(self._lists_lag)
        self.chance.choice(faults)()

    def _webhook_lost(self) -> None:
        lost = self.webhooks.pop(self.chance.randrange(len(self.webhooks)))
        sids = {sid for process in self.processes for sid in process.received}
        self.happened["webhook lost while a turn is open"] += lost.conversation_sid in sids
        self.happened["a human's webhook lost"] += isinstance(lost, MessageAdded) and is_human(lost)
        self._note(f"lost: webhook of {_describe(lost)}")

    def _webhook_doubled(self) -> None:
        self.webhooks.append(self.chance.choice(self.webhooks))

    def _early_visibility(self) -> None:
        self._note("records in flight become visible")
        for records in self.queue.records.values():
            for record in records:
                record.visible_at = min(record.visible_at, self.clock())

    def _lists_lag(self) -> None:
        self.twilio.list_lag = timedelta(seconds=self.chance.choice([0, 5, 60]))

    # ── the workers ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def workers(self) -> list[Worker]:
        """The workers of all processes."""
        return [worker for process in self.processes for worker in process.workers]

    def _a_process_starts(self) -> None:
        """Let a process receive records of some groups, and take their turns."""
        # SQS may give fewer records than wait, and others the next time.
        max_records = 10 if self.poison else self.chance.choice([1, 2, 10])
        ready = self.queue.ready()
        received: dict[str, list[Receipt]] = {}
        for group in self.chance.sample(ready, k=self.chance.randint(1, len(ready))):
            if max_records > 0 and (receipts := self.queue.receive(group, max_records=max_records)):
                received[group] = receipts
                max_records -= len(receipts)
        if received:
            process = Process(world=self, number=next(self.numbers), received=received)
            self.processes.append(process)
            gets = {group[-1]: [receipt.message.index for receipt in receipts] for group, receipts in received.items()}
            self._note(f"process {process.number} gets {gets}")
            process.start()

    def _a_worker_goes_on(self) -> None:
        worker = self.chance.choice(self.workers)
        next(process for process in self.processes if worker in process.workers).let_go_on(worker)

    def _a_process_dies(self) -> None:
        process = self.chance.choice(self.processes)
        self._note(f"process {process.number} dies")
        self.happened["a process dies"] += 1
        self.charges.disturbed |= process.received.keys()
        process.die()

    def note_shown(self, messages: Sequence[MessageAdded]) -> None:
        """Keep which human words we have been shown, but for those that are history."""
        for message in self._words(messages):
            self.shown_words.setdefault(message.conversation_sid, {})[message.index] = message.at

    def _words(self, messages: Sequence[MessageAdded]) -> Iterator[MessageAdded]:
        """Yield the human words, but for those that are history."""
        for message in filter(is_human, messages):
            if not self.item(message.conversation_sid).is_history(message, max_event_age=MAX_EVENT_AGE):
                yield message

    def note_unseen(self, conversation_sid: str, indices: Iterable[int]) -> None:
        """Keep the indices of what a list has hidden, or of what an overdue turn went on without."""
        self.unseen[conversation_sid] = self.unseen.get(conversation_sid, frozenset()).union(indices)

    def note_hand_back(self, conversation_sid: str, *, at: datetime) -> None:
        """Keep when a conversation was handed back last."""
        self.handed_back.add(conversation_sid)
        self.last_hand_back[conversation_sid] = max(at, self.last_hand_back.get(conversation_sid, at))

    def note_send_permit(self, name: str, conversation_sid: str, *, listed: Sequence[MessageAdded]) -> None:
        """Keep what the item held when a write allowed the POSTs of a pending reply.

        `listed` is what this worker's list has shown. What another's has shown counts once it is applied.
        """
        item = self.item(conversation_sid)
        takeovers = self.takeovers.get(conversation_sid, 0)
        if name == "freeze":
            self.takeovers_at_freeze[item.turn] = takeovers
        shown = self.shown_words.get(conversation_sid, {}) | {word.index: word.at for word in self._words(listed)}
        handed_back_at = self.last_hand_back.get(conversation_sid)
        first = min(item.pending_reply.covers) if item.pending_reply else 0
        self.send_permits.setdefault(conversation_sid, []).append(
            SendPermit(
                turn=item.turn,
                owner=item.owner,
                closed=item.closed,
                taken_over_since_freeze=self.takeovers_at_freeze[item.turn] != takeovers,
                human_wrote_since_freeze=any(index > first for index in shown),
                wants_no_messages=wants_no_messages(item, listed),
                confirms_opt_out=confirms_opt_out(item),
                saw_a_human=any(handed_back_at is None or handed_back_at <= spoke_at for spoke_at in shown.values()),
            )
        )

    def note_left_out(self, conversation_sid: str, *, records: int, listed: Sequence[MessageAdded] | None) -> None:
        """Keep what waits beside a frozen answer, and should be part of its turn."""
        if not self.is_overdue(conversation_sid):
            at_twilio = (listed or ()) if self.window_faults else self.twilio.messages[conversation_sid]
            left = left_out(self.item(conversation_sid), records=records, listed=listed, at_twilio=at_twilio)
            self.left_out.setdefault(conversation_sid, set()).update(left)

    # ── the sweeper ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _a_sweep(self) -> None:
        if self.is_away(OutageKind.TABLE_IS_AWAY):
            return
        self._publish(Publisher.publish_due)
        self._show_owners(OwnerUpdates.show_due)
        if not self.bus.is_away:
            require(no_notice_outlasts_a_sweep, self.store.notices.values(), now=self.clock())
        result = sweep(
            checks=self.checks,
            conversations=self,
            messages=self,
            messages_queue=self.queue,
            lifecycle_queue=self,
            takeovers=self,
            clock=self.clock,
            max_event_age=MAX_EVENT_AGE,
            max_requests=50,
            deadline=self.clock() + timedelta(minutes=1),
            hand_back_rule=self._hand_back_rule(),
        )
        self._note(f"sweep: {result}")
        self.happened["messages found by sweeps"] += result.found
        self.happened["handed back by time"] += len(result.handed_back)
        bugs = [failure for failure in result.failures if not isinstance(failure.error, Transient)]
        assert not bugs, f"a sweep fails: {bugs}"
        still_due = self.checks.due(now=self.clock(), limit=50)
        # A conversation that changes while it is checked comes again.
        left = [check for check in still_due if self.checks.tracked[check.conversation_sid].activity < self.clock()]
        require(every_check_that_is_due_is_made, left)

    def _publish(self, publish: Callable[[Publisher], Sequence[Notice]]) -> None:
        if self.is_away(OutageKind.TABLE_IS_AWAY):
            return
        try:
            notices = publish(Publisher(notices=self.store, bus=self.bus, clock=self.clock))
        except Transient:
            self._note("publishing failed")
        else:
            for notice in notices:
                self.happened[f"told: {notice.type} {notice.reason}"] += 1

    def _show_owners(self, show: Callable[[OwnerUpdates, datetime], None]) -> None:
        if self.is_away(OutageKind.TABLE_IS_AWAY):
            return
        updates = OwnerUpdates(changes=self.store, owners=self.store, attribute=self, clock=self.clock)
        try:
            show(updates, self.clock() + timedelta(minutes=1))
        except (Transient, Permanent) as error:
            self._note(f"showing an owner failed: {type(error).__name__}")

    def show_change(self, change: OwnerChange) -> None:
        """Show an owner in a conversation's attributes."""
        if self.twilio_is_away() or self.bus.happens(0.1):
            raise ThrottledError
        if change.conversation_sid in self.twilio.closed:
            raise Permanent("closed")
        self.bus.shown[change.conversation_sid] = change

    def _hand_back_rule(self) -> HandBackRule | None:
        after = self.hand_back_after
        return HandBackRule(conversations=HandBacksByTime(self, after), after=after) if after else None

    def new_conversations(self, *, since: datetime, limit: int) -> list[str]:
        if self.twilio_is_away():
            raise ThrottledError
        return self.twilio.new_conversations(since=since, limit=limit)

    def message_pages(self, conversation_sid: str, *, from_index: int) -> Iterator[MessagePage]:
        """Yield what the sweeper sees at Twilio."""
        if self.twilio_is_away():
            raise ThrottledError
        listed = self.twilio.list_messages(conversation_sid, from_index=from_index)
        self.note_shown(listed)
        yield MessagePage(messages=listed, is_last=True)

    def list_messages(self, conversation_sid: str, *, from_index: int) -> tuple[MessageAdded, ...]:
        """Return what a hand back sees at Twilio."""
        if self.twilio_is_away():
            raise ThrottledError
        listed = self.twilio.list_messages(conversation_sid, from_index=from_index)
        self.note_shown(listed)
        return listed

    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:  # noqa: ARG002 -- the port's
        """Queue lifecycle events that the sweeper found."""
        if messages and self.is_away(OutageKind.QUEUES_ARE_AWAY):
            raise ThrottledError
        self.lifecycle += messages

    # ── the evidence ──────────────────────────────────────────────────────────────────────────────────────────────────

    def is_overdue(self, conversation_sid: str) -> bool:
        return self.clock() - self.item(conversation_sid).turn_started_at >= ANSWER_WITHIN

    def item(self, conversation_sid: str) -> Conversation:
        """Return a conversation's item as it is now."""
        return self.store.items.get(conversation_sid, Conversation(sid=conversation_sid))

    def _evidence(self, conversation_sid: str) -> Evidence:
        copied = [record.message for records in self.dead_letters.records.values() for record in records]
        return Evidence(
            messages=[in_truth(message) for message in self.twilio.messages[conversation_sid]],
            dead_letters=[m for m in [*copied, *self.queue.dead] if m.conversation_sid == conversation_sid],
            letters=[m for m in [*self.letters, *self.queue.dead] if m.conversation_sid == conversation_sid],
            redriven={m.index for m in self.twilio.messages[conversation_sid] if m.message_sid in self.redriven},
            item=self.item(conversation_sid),
            records=list(self.store.records.get(conversation_sid, {}).values()),
            human_wrote=conversation_sid in self.humans_wrote_in,
            was_closed=conversation_sid in self.closed,
            was_handed_back=conversation_sid in self.handed_back,
            send_permits=self.send_permits.get(conversation_sid, []),
            turns_by_message=self.turns_by_message.get(conversation_sid, {}),
            asked=self.asked.get(conversation_sid, []),
            owner_events=self.owner_events.get(conversation_sid, []),
            left_out=self.left_out.get(conversation_sid, set()),
            old_messages=self.old_messages.get(conversation_sid, 0),
            hidden=self._hidden(conversation_sid),
            may_be_late=self.unseen.get(conversation_sid, frozenset()),
            blind_looks=self.twilio.blind_looks if self.window_faults else {},
            written_in_short_outage=self._written_in_short_outage(conversation_sid),
            written_after_outage=self.written_after_outage.get(conversation_sid),
            crashes=self.charges.of(
                conversation_sid, self.poison, outage=self.outage, has_plenty=self.budget is PLENTY
            ),
            unsent=self.store.unsent,
            cut_short=self.store.cut_short,
            was_handed_back_too_early=conversation_sid in self.handed_back_too_early,
            was_failed_over_a_human=conversation_sid in self.store.failed_over_a_human,
            turns_per_ten_minutes=self.turns_per_ten_minutes,
        )

    def _hidden(self, conversation_sid: str) -> frozenset[int]:
        """Return the indices of what nobody could know of: no webhook came, and no sweep looked, in time."""
        messages = self.twilio.messages[conversation_sid]
        looks = [*self.told_at.get(conversation_sid, ()), *self.checks.made.get(conversation_sid, ())]
        looks += [self.checks.tracked_at[conversation_sid]] if conversation_sid in self.checks.tracked_at else []
        if not looks:
            return frozenset(message.index for message in messages)
        first, last = min(looks) - MAX_EVENT_AGE, max(looks)
        return frozenset(message.index for message in messages if not first <= message.at <= last)

    def _written_in_short_outage(self, conversation_sid: str) -> frozenset[int]:
        """Return the indices of what a customer wrote during an outage that may cost nobody an answer."""
        outage = self.outage
        if outage is None or not outage.is_only_fault or outage.length >= ANSWER_WITHIN or self.budget is not PLENTY:
            return frozenset()
        messages = self.twilio.messages[conversation_sid]
        written = frozenset(
            m.index for m in messages if m.author == CUSTOMER and m.body == body_of(m.index) and outage.is_on(m.at)
        )
        return written - self._hidden(conversation_sid)

    def _note(self, what: str) -> None:
        self.trace.append(what)


def _describe(event: LifecycleEvent) -> str:
    what = f"message {event.index}" if isinstance(event, MessageAdded) else type(event).__name__
    return f"{what} in {event.conversation_sid[-1]}"

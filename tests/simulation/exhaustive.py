"""Every plan: all ways in which a few deliveries can go wrong, against the real `take_turn`.

A *plan* says what happens at which call of a port: the worker crashes before or after it, a second worker starts, a
human takes over or hands back, the conversation is closed, the response to the write is lost; or how the POST ends.
`explore` runs every plan of at most so many events, and checks every invariant.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from switchboard import lifecycle
from switchboard.agent import Answer, Question
from switchboard.budgets import Budget
from switchboard.content import Content
from switchboard.conversation import Conversation
from switchboard.errors import NotSent, Permanent, SendRefused, Transient
from switchboard.events import LifecycleEvent, Marker, MessageAdded, Sent
from switchboard.files import FetchedFile, FilesFolder
from switchboard.memory import extract
from switchboard.notices import Notice
from switchboard.publisher import FAILURES_TOGETHER, Publisher
from switchboard.turn.context import TurnPorts
from switchboard.turn.result import RetryReason
from switchboard.turn.take_turn import take_turn
from tests.builders import CONVERSATION, PLENTY, SECRET, turn_settings
from tests.fakes.event_bus import EventBusInMemory
from tests.simulation.bus import a_notice_that_is_due_is_published
from tests.simulation.effects import BOOKING_ENDS, Bookings, check_bookings
from tests.simulation.habits import START, STOP, body_of, index_of
from tests.simulation.invariants import (
    DISCLOSURE,
    FALLBACK,
    REPLY,
    Asked,
    Evidence,
    SendPermit,
    budgets_are_exceeded_by_at_most_the_turns_in_flight,
    check,
    confirms_opt_out,
    handled_at_claim,
    require,
    wants_no_messages,
)
from tests.simulation.models import SHORT_MEMORY, WRITES_OF_A_TURN, Clock, FifoQueue, Receipt, ThrottledError, Twilio
from tests.simulation.people import DESK
from tests.simulation.watched import WatchedConversations

CRASHES = ("crash_before", "crash_after")
OTHER_EVENTS = (
    "second_worker",
    "take_over",
    "hand_back",
    "close",
    "redrive",
    "write_response_lost",
    "write_repeated",  # by the SDK, where a response is lost
    "throttled",
    "model_unavailable",
    "model_fails",
    "slow",
    "stale",
)
CONSENT_EVENTS = ("opt_out", "opt_out_told_late", "opt_out_not_told", "opt_in")
POST_ENDS = ("request_lost", "response_lost", "late", "late_then_gone", "not_sent", "refused")
UPLOAD_ENDS = ("upload_not_sent", "upload_refused")
FETCH_ENDS = ("fetch_failed",)
ENDS = {"post": POST_ENDS, "upload": UPLOAD_ENDS, "fetch": FETCH_ENDS, "book": BOOKING_ENDS}  # of these calls
CALLS_OF_EVENT = {
    "write_response_lost": WRITES_OF_A_TURN,
    "write_repeated": WRITES_OF_A_TURN,
    "throttled": WRITES_OF_A_TURN,
    "model_unavailable": {"think"},
    "model_fails": {"word"},
    "slow": {"think", "begin_effect", "word", "upload", "fetch"},
    "stale": {"list"},
}
ANSWER_WITHIN = timedelta(seconds=5)  # a few tries: each is more points for a plan
FILLS_A_PART = 1520  # characters: with a number before it, ten segments
CHECKED_WITHIN = timedelta(minutes=3)  # with effects: long enough for a look at one
MENU = Path(__file__).parents[1] / "bakery" / "files" / "menu.pdf"
URL = "https://example.com/menu.pdf"
SLOW_SECONDS = 59  # of the lease's 60

type Plan = tuple[tuple[int, str], ...]


class ModelUnavailableError(Transient):
    """The model does not answer."""


class Crash(BaseException):
    """The worker's process is gone."""


@dataclass(slots=True)
class Harness:
    """One conversation, its queue, and workers that a plan interrupts. `points` are the calls of ports so far.

    `habits` are what the customer answers our replies with, one after another, two seconds after each. In each turn the
    assistant makes as many bookings as `checked` has entries.
    """

    plan: dict[int, str]
    bodies: Sequence[str]
    parts: int = 1
    budget: Budget = PLENTY
    max_attempts: int = 3
    habits: Sequence[str] = ()
    checked: Sequence[bool] = ()
    speaks_of_consent: bool = False
    sends_file: bool = False
    sends_url: bool = False
    max_event_age: timedelta = timedelta(hours=100)
    clock: Clock = field(default_factory=Clock)
    store: WatchedConversations = field(default_factory=WatchedConversations)
    bus: EventBusInMemory = field(default_factory=EventBusInMemory)
    uploaded: set[str] = field(default_factory=set)  # and in no message yet
    untold: list[MessageAdded] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    human_wrote: bool = False
    was_closed: bool = False
    depth: int = 0
    send_permits: list[SendPermit] = field(default_factory=list)
    permitted_at: int = 0
    takeovers_at_freeze: dict[str, int] = field(default_factory=dict)
    takeovers: list[int] = field(default_factory=list)
    turns_by_message: dict[int, set[str]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    claimed: dict[int, tuple[set[int], bool]] = field(default_factory=dict)  # what a worker found, by its depth
    listed: dict[int, tuple[MessageAdded, ...]] = field(default_factory=dict)  # what a worker has read, by its depth
    model_is_unavailable: bool = False
    is_broken: bool = False
    letters: list[MessageAdded] = field(default_factory=list)
    redriven: set[int] = field(default_factory=set)
    points_with_letters: set[int] = field(default_factory=set)
    lease_is_orphaned: bool = False
    sent_after_takeover: bool = False
    busy_without_worker: bool = False
    ids: Iterator[int] = field(default_factory=count)
    twilio: Twilio = field(init=False)
    queue: FifoQueue = field(init=False)
    dead_letters: FifoQueue = field(init=False)
    bookings: Bookings = field(init=False)

    def __post_init__(self) -> None:
        self.bookings = Bookings(clock=self.clock, checked=self.checked)
        self.twilio = Twilio(clock=self.clock)
        self.queue = FifoQueue(clock=self.clock)
        self.dead_letters = FifoQueue(clock=self.clock)

    def run(self, order: Sequence[int]) -> None:
        """Let the customer write everything and the webhooks arrive in `order`; work until the queue is empty."""
        written = [self.twilio.say(CONVERSATION, body) for body in self.bodies]
        for position in order:
            self.queue.send(written[position])
            if position == order[0]:
                self.work()
        self._work_until_idle()
        if self.is_broken:
            self.is_broken = False
            self._redrive()
            self._work_until_idle()
        self.clock.move(300)
        self.twilio.commit_late_posts()
        self.bookings.commit_late()
        self.clock.move(FAILURES_TOGETHER.total_seconds())
        Publisher(notices=self.store, bus=self.bus, clock=self.clock).publish_due()

    def _work_until_idle(self) -> None:
        habits = list(self.habits)
        for _ in range(40 * (1 + len(habits))):
            if not self.queue.is_empty():
                self._wait()
            elif habits and self.twilio.messages[CONVERSATION][-1].marker:
                self._answer_the_reply(habits.pop(0))
            elif self.untold:
                self._apply(self.untold[0])
                self.queue.send(self.untold.pop())
            else:
                break
            self.work()

    def _answer_the_reply(self, habit: str) -> None:
        self.clock.move(2)
        index = self.twilio.messages[CONVERSATION][-1].index + 1
        self.queue.send(self.twilio.say(CONVERSATION, body_of(index, habit=habit)))

    def work(self) -> None:
        """Receive what is visible, take a turn, and delete or return the records as it says; a crash does neither."""
        for receipts in (self.queue.receive(group) for group in self.queue.ready()):
            if receipts:
                try:
                    self._take_turn(receipts)
                except Crash:
                    self.lease_is_orphaned = True
                    self.trace.append("  (crashed)")
                except Transient as error:
                    self.queue.settle(receipts, frozenset(), 2)
                    self.trace.append(f"  {type(error).__name__}")

    def _take_turn(self, receipts: Sequence[Receipt]) -> None:
        self.depth += 1
        store = Interrupted(self.store, self)
        try:
            result = take_turn(
                [receipt.message for receipt in receipts],
                lease_until=self.clock() + timedelta(seconds=60),
                ports=TurnPorts(
                    agent=self,
                    conversations=store,
                    takeovers=store,
                    budgets=store,
                    messenger=self,
                    dead_letters=self,
                    clock=self.clock,
                    customer_secret=SECRET,
                    files=FilesFolder(MENU.parent),
                    fetcher=self,
                ),
                settings=turn_settings(
                    disclosure=DISCLOSURE,
                    fallback_sentence=FALLBACK,
                    budget=self.budget,
                    answer_within=CHECKED_WITHIN if self.checked else ANSWER_WITHIN,
                    max_attempts=self.max_attempts,
                    max_event_age=self.max_event_age,
                    memory=SHORT_MEMORY,
                ),
                new_id=lambda: f"id{next(self.ids)}",
            )
        finally:
            self.depth -= 1
        if result.outcome == RetryReason.BUSY and self.depth == 0 and not self.lease_is_orphaned:
            self.busy_without_worker = True
        self.trace.append(f"  {result.outcome} {result.cause} +{result.retry_after_seconds}s")
        self.queue.settle(receipts, result.acknowledged, result.retry_after_seconds)
        if result.notice:
            Publisher(notices=self, bus=self, clock=self.clock).publish([result.notice])

    # ── the ports: each call is a point of the plan ───────────────────────────────────────────────────────────────────

    def answer(self, question: Question) -> Answer:
        def think() -> Answer:
            handled, wants_no_messages = self.claimed[self.depth]
            self.asked.append(Asked(question=question, handled=handled, wants_no_messages=wants_no_messages))
            for index in map(index_of, question.messages):
                self.turns_by_message.setdefault(index, set()).add(question.turn)
            if self.is_broken:
                raise Permanent("a bug")
            if self.model_is_unavailable:
                raise ModelUnavailableError
            filling = " and" + f"\n\n{'.' * FILLS_A_PART}" * (self.parts - 1) if self.parts > 1 else ""
            text = " ".join([REPLY, *(str(index_of(body)) for body in question.messages)]) + filling
            return Answer(text=text, summary=extract(question.to_summarize), files=self._files())

        answer: Answer = self.at("think", think)
        words = self.bookings.words(question, at=self._book)
        if words:
            self.at("word", self._word)
        return replace(answer, text=" ".join([answer.text, *words]))

    def _word(self) -> None:
        if self.plan.get(len(self.points) - 1) == "model_fails":
            raise ModelUnavailableError

    def _book(self, book: Callable[[str], str]) -> str:
        end = self.plan.get(len(self.points), "sent")

        def call() -> str:
            try:
                return book(end)
            finally:
                if end == "late_then_gone":
                    raise Crash

        booked: str = self.at("book", call)
        return booked

    def _files(self) -> tuple[str, ...]:
        return (*(MENU.name,) * self.sends_file, *(URL,) * self.sends_url)

    def may_fetch(self, url: str) -> bool:
        return url == URL

    def fetch(self, url: str, *, max_bytes: int) -> FetchedFile:
        end = self.plan.get(len(self.points), "sent")

        def fetch() -> FetchedFile:
            if end == "fetch_failed":
                raise Transient(f"{url}: 503, where at most {max_bytes} bytes are wanted")
            return FetchedFile(content=b"%PDF-", content_type="application/pdf")

        fetched: FetchedFile = self.at("fetch", fetch)
        return fetched

    def is_settled(self, conversation_sid: str, message_sid: str) -> bool:
        raise NotImplementedError

    def upload(self, *, content: bytes, content_type: str, filename: str) -> str:  # noqa: ARG002 -- what is in it
        end = self.plan.get(len(self.points), "sent")

        def upload() -> str:
            if end == "upload_not_sent":
                raise NotSent("503")
            if end == "upload_refused":
                raise SendRefused("415", code=20422)
            self.uploaded.add(media_sid := f"ME{next(self.ids)}")
            return media_sid

        media_sid: str = self.at("upload", upload)
        return media_sid

    def send_message(
        self,
        conversation_sid: str,
        *,
        body: str,
        marker: Marker,
        content: Content | None = None,  # noqa: ARG002 -- no agent of the proofs has any
        media_sid: str = "",
    ) -> Sent:
        if media_sid:
            self.uploaded.remove(media_sid)  # Twilio takes each for one message
        end = self.plan.get(len(self.points), "sent")
        if marker.part > 0:
            self.sent_after_takeover |= any(self.permitted_at < at < len(self.points) for at in self.takeovers)

        def post() -> Sent:
            try:
                return self.twilio.post(
                    conversation_sid, body, marker, end=end.removesuffix("_then_gone") if end in POST_ENDS else "sent"
                )
            finally:
                if end == "late_then_gone":
                    raise Crash

        sent: Sent = self.at("post", post)
        return sent

    def list_messages(self, conversation_sid: str, *, from_index: int) -> tuple[MessageAdded, ...]:
        is_stale = self.plan.get(len(self.points)) == "stale"
        listed: tuple[MessageAdded, ...] = self.at(
            "list", lambda: () if is_stale else self.twilio.list_messages(conversation_sid, from_index=from_index)
        )
        return listed

    def copy(self, messages: Sequence[MessageAdded], *, turn: str) -> None:
        def send_each() -> None:
            self.letters += messages
            for message in messages:
                self.dead_letters.send(message, deduplication_id=f"{message.message_sid}-{turn}")

        self.at("copy", send_each)

    def publish(self, notices: Sequence[Notice], /) -> Sequence[Notice]:
        published: Sequence[Notice] = self.at("put_events", lambda: self.bus.publish(notices))
        return published

    def due_notices(self, *, before: datetime, limit: int) -> Sequence[Notice]:
        return self.store.due_notices(before=before, limit=limit)

    def due_failures(self, *, before: datetime, limit: int) -> Sequence[Notice]:
        return self.store.due_failures(before=before, limit=limit)

    def lead_failures(self, notice: Notice, *, now: datetime, since: datetime) -> str:
        return self.store.lead_failures(notice, now=now, since=since)

    def remove_notices(self, notices: Sequence[Notice]) -> None:
        self.at("remove_notices", lambda: self.store.remove_notices(notices))

    def at(self, name: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401 -- whatever the port returns
        """Call a port, with the event that the plan has for this point."""
        event = self.plan.get(len(self.points), "")
        if not self.dead_letters.is_empty():
            self.points_with_letters.add(len(self.points))
        self.points.append(name)
        self.trace.append(f"{len(self.points) - 1:3} {'  ' * (self.depth - 1)}{name} {event}")
        if event and event in self.actions:
            self.actions[event]()
        result = call()
        if event == "write_repeated":
            result = call()
        if name in {"freeze", "record_resend"}:
            self._note_send_permit(name)
        if name == "claim" and isinstance(result, Conversation):
            messages = self.twilio.messages[CONVERSATION]
            handled = handled_at_claim(result, messages, max_event_age=self.max_event_age)
            self.claimed[self.depth] = handled, result.consent.opted_out
            self.listed[self.depth] = ()
        if name == "list":
            self.listed[self.depth] = result
        if event == "crash_after":
            raise Crash
        if event == "write_response_lost":
            self.lease_is_orphaned = True  # where it was a claim, no worker has the lease
            raise ThrottledError
        return result

    # ── the events of a plan ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def actions(self) -> dict[str, Callable[[], None]]:
        """What an event does before the call, by its name."""
        return {
            "crash_before": self._crash,
            "throttled": self._throttle_write,
            "model_unavailable": self._make_model_unavailable,
            "slow": lambda: self.clock.move(SLOW_SECONDS),
            "second_worker": self._second_worker,
            "take_over": self._take_over,
            "hand_back": self._hand_back,
            "close": self._close,
            "opt_out": self._opt_out,
            "opt_out_not_told": self._opt_out_untold,
            "opt_out_told_late": lambda: self.queue.send(self._say_of_consent(STOP)),
            "opt_in": lambda: self.queue.send(self._say_of_consent(START)),
            "redrive": self._redrive,
        }

    def _crash(self) -> None:
        raise Crash

    def _throttle_write(self) -> None:
        self.lease_is_orphaned = True  # where it was the give back, no worker has the lease
        raise ThrottledError

    def _make_model_unavailable(self) -> None:
        self.model_is_unavailable = True

    def _take_over(self) -> None:
        self.human_wrote = True
        self.takeovers.append(len(self.points) - 1)
        index = str(len(self.twilio.messages[CONVERSATION]))
        message = self.twilio.say(CONVERSATION, index, author=DESK)
        self._apply(message)

    def _apply(self, event: LifecycleEvent) -> None:
        lifecycle.apply(
            event, conversations=self.store, messages=self.twilio, requeue=self.queue, customer_secret=SECRET
        )

    def _opt_out(self) -> None:
        """Let the customer say STOP, and both queues be told; the lifecycle function is the quicker one."""
        message = self._say_of_consent(STOP)
        self._apply(message)
        self.queue.send(message)

    def _opt_out_untold(self) -> None:
        """Let the customer say STOP, and its webhook be lost: the sweeper finds it when all else is done."""
        self.untold.append(self._say_of_consent(STOP))

    def _say_of_consent(self, word: str) -> MessageAdded:
        self.clock.move(1)
        index = len(self.twilio.messages[CONVERSATION])
        return self.twilio.say(CONVERSATION, body_of(index, habit=word))

    def _close(self) -> None:
        self.was_closed = True
        self.takeovers.append(len(self.points) - 1)
        self.store.close(CONVERSATION, at=self.clock())

    def _note_send_permit(self, name: str) -> None:
        self.permitted_at = len(self.points) - 1
        item = self.store.items[CONVERSATION]
        if name == "freeze":
            self.takeovers_at_freeze[item.turn] = len(self.takeovers)
        self.send_permits.append(
            SendPermit(
                turn=item.turn,
                owner=item.owner,
                closed=item.closed,
                wants_no_messages=wants_no_messages(item, self.listed.get(self.depth, ())),
                confirms_opt_out=confirms_opt_out(item),
                taken_over_since_freeze=self.takeovers_at_freeze[item.turn] != len(self.takeovers),
            )
        )

    def _second_worker(self) -> None:
        """Let SQS deliver the records in flight again, too early, to another worker."""
        if self.depth > 1:
            return
        for records in self.queue.records.values():
            for record in records:
                record.visible_at = self.clock()
        self.work()

    def _redrive(self) -> None:
        """Put every dead letter back on the queue."""
        self.redriven |= {message.index for message in self.dead_letters.redrive_to(self.queue)}

    def _hand_back(self) -> None:
        self.clock.move(1)
        requeued = self.store.hand_back(CONVERSATION, at=self.clock()) or frozenset()
        again = [m for m in self.twilio.messages[CONVERSATION] if m.index in requeued]
        self.queue.send_again(again, since=self.clock())

    def _wait(self) -> None:
        visible = self.queue.next_ready()
        if visible is not None and visible > self.clock():
            self.clock.now = visible

    def evidence(self) -> Evidence:
        is_stale = "stale" in self.plan.values()
        return Evidence(
            messages=self.twilio.messages[CONVERSATION],
            dead_letters=[record.message for records in self.dead_letters.records.values() for record in records]
            + self.queue.dead,
            letters=self.letters,
            redriven=self.redriven,
            item=self.store.items[CONVERSATION],
            records=list(self.store.records.get(CONVERSATION, {}).values()),
            human_wrote=self.human_wrote,
            was_closed=self.was_closed,
            was_handed_back="hand_back" in self.plan.values(),
            send_permits=self.send_permits,
            turns_by_message=self.turns_by_message,
            asked=self.asked,
            sent_after_takeover=self.sent_after_takeover,
            busy_without_worker=self.busy_without_worker,
            unsent=self.store.unsent,
            cut_short=self.store.cut_short,
            was_failed_over_a_human=CONVERSATION in self.store.failed_over_a_human,
            max_copies=2 if is_stale else 1,
            may_be_late=frozenset(range(len(self.bodies))) if is_stale else frozenset(),  # what a list hid
        )


class Interrupted:
    """The store: each call of a method is a point of the plan."""

    def __init__(self, store: WatchedConversations, harness: Harness) -> None:
        self._store = store
        self._harness = harness

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._store, name)
        return lambda *args, **kwargs: self._harness.at(name, lambda: method(*args, **kwargs))


def run(
    plan: Plan,
    *,
    messages: int,
    order: Sequence[int],
    parts: int = 1,
    budget: Budget = PLENTY,
    max_attempts: int = 3,
    habits: Sequence[str] = (),
    checked: Sequence[bool] = (),
    is_broken: bool = False,
    speaks_of_consent: bool = False,
    sends_file: bool = False,
    sends_url: bool = False,
) -> Harness:
    """Run one plan to its end, and check every invariant.

    With `is_broken` the assistant has a bug, until every message has failed; then it is mended, and the dead letters
    are redriven. With `speaks_of_consent` the customer opts out, and in again, where a plan says so. With `sends_file`
    each answer brings a file of the folder, with `sends_url` one of another host.
    """
    harness = Harness(
        plan=dict(plan),
        bodies=[body_of(index) for index in range(messages)],
        parts=parts,
        budget=budget,
        max_attempts=max_attempts,
        habits=habits,
        checked=checked,
        is_broken=is_broken,
        speaks_of_consent=speaks_of_consent,
        sends_file=sends_file,
        sends_url=sends_url,
    )
    harness.run(order)
    check(harness.evidence())
    require(a_notice_that_is_due_is_published, harness.store.due, harness.bus.published)
    records = [*harness.store.records.get(CONVERSATION, {}).values()]
    budgets_are_exceeded_by_at_most_the_turns_in_flight(records, budget, in_flight=1)
    check_bookings(harness.bookings, records, begun_by_zombies=harness.store.begun_by_zombies)
    assert harness.queue.is_empty(), "a record is never acknowledged"
    assert all(count <= 1 + len(plan) for count in harness.twilio.posts.values()), (
        "more POSTs of a part than went wrong"
    )
    return harness


def explore(
    *,
    messages: int,
    order: Sequence[int],
    events: int,
    crashes: int,
    parts: int = 1,
    budget: Budget = PLENTY,
    max_attempts: int = 3,
    habits: Sequence[str] = (),
    checked: Sequence[bool] = (),
    is_broken: bool = False,
    speaks_of_consent: bool = False,
    sends_file: bool = False,
    sends_url: bool = False,
    plan: Plan = (),
) -> Iterator[tuple[Plan, Harness | AssertionError]]:
    """Run every plan that extends `plan` by at most `events` events, of which at most `crashes` are crashes."""
    try:
        harness = run(
            plan,
            messages=messages,
            order=order,
            parts=parts,
            budget=budget,
            max_attempts=max_attempts,
            habits=habits,
            checked=checked,
            is_broken=is_broken,
            speaks_of_consent=speaks_of_consent,
            sends_file=sends_file,
            sends_url=sends_url,
        )
    except AssertionError as error:
        yield plan, error
        return
    yield plan, harness
    if events == 0:
        return
    first = plan[-1][0] + 1 if plan else 0
    happened = Counter(event for _, event in plan)
    for point in range(first, len(harness.points)):
        for event in _possible(harness, point, happened, crashes):
            is_crash = event in CRASHES
            yield from explore(
                messages=messages,
                order=order,
                events=events - 1,
                crashes=crashes - is_crash,
                parts=parts,
                budget=budget,
                max_attempts=max_attempts,
                habits=habits,
                checked=checked,
                is_broken=is_broken,
                speaks_of_consent=speaks_of_consent,
                sends_file=sends_file,
                sends_url=sends_url,
                plan=(*plan, (point, event)),
            )


def _possible(harness: Harness, point: int, happened: Counter[str], crashes: int) -> Iterator[str]:
    name = harness.points[point]
    if crashes:
        yield from CRASHES
    for event in OTHER_EVENTS:
        if name not in CALLS_OF_EVENT.get(event, {name}):
            continue
        if event == "hand_back" and not happened["take_over"] and not harness.letters:
            continue
        if event == "redrive" and point not in harness.points_with_letters:
            continue
        if not happened[event]:
            yield event
    if harness.speaks_of_consent:
        yield from (event for event in CONSENT_EVENTS if not happened[event])
    yield from ENDS.get(name, ())

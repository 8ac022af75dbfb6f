"""A worker and its ports: each call gives control to the schedule, and may fail."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from greenlet import greenlet

from switchboard.agent import Answer, Question
from switchboard.consent import Consent
from switchboard.content import Content
from switchboard.conversation import Conversation, OwnerChange, ReplyKind
from switchboard.errors import ModelMisconfigured
from switchboard.events import Marker, MessageAdded, Sent
from switchboard.memory import extract
from switchboard.notices import Notice
from switchboard.ports import Busy, OwnedByHuman
from tests.simulation.effects import BOOKING_ENDS
from tests.simulation.habits import index_of
from tests.simulation.invariants import REPLY, Asked, handled_at_claim
from tests.simulation.models import MAX_ATTEMPTS, MAX_EVENT_AGE, WRITES_OF_A_TURN, ThrottledError
from tests.simulation.outages import POST_ENDS as OUTAGE_POST_ENDS
from tests.simulation.outages import OutageKind

if TYPE_CHECKING:
    from tests.simulation.processes import Process
    from tests.simulation.world import World

POST_ENDS = ("request_lost", "response_lost", "late", "not_sent", "refused")
WRITES = WRITES_OF_A_TURN | {"let_go_first"}
READS = ("read_unclaimed", "read_consent")


class Crash(BaseException):
    """The worker's process is gone."""


@dataclass(slots=True, eq=False)
class Worker:
    """A thread of a process. `claimed` is the conversation as its claim left it; `took_a_suspect` as it found it."""

    number: int
    process: "Process"
    thread: greenlet
    claimed: Conversation | None = None
    took_a_suspect: bool = False


class Ports:
    """All ports of one worker. A call of the store pauses before and after."""

    def __init__(self, world: "World", worker: Worker) -> None:
        self._world = world
        self._worker = worker
        self._listed: tuple[MessageAdded, ...] | None = None

    def answer(self, question: Question) -> Answer:
        ends = self._world.clock() + timedelta(seconds=question.timeout_seconds)
        self._pause()
        assert self._worker.claimed is not None
        conversation_sid = self._worker.claimed.sid
        if self._world.poison and self._world.poison.is_in(conversation_sid, question.messages):
            self._worker.process.note_kill(self._worker)
            raise Crash
        messages = self._world.twilio.messages[conversation_sid]
        handled = handled_at_claim(self._worker.claimed, messages, max_event_age=MAX_EVENT_AGE)
        self._world.asked.setdefault(conversation_sid, []).append(
            Asked(question=question, handled=handled, wants_no_messages=self._worker.claimed.consent.opted_out)
        )
        turns_by_message = self._world.turns_by_message.setdefault(conversation_sid, {})
        if self._world.is_overdue(conversation_sid):  # it goes on with what it has; what it leaves gets another turn
            shown = frozenset(map(index_of, question.messages))
            self._world.note_unseen(conversation_sid, frozenset(range(max(shown))) - shown)
            for index in turns_by_message.keys() - shown:
                turns_by_message[index].discard(question.turn)
        for index in map(index_of, question.messages):
            turns_by_message.setdefault(index, set()).add(question.turn)
        if self._world.is_away(OutageKind.MODEL_REFUSES_US):
            raise ModelMisconfigured("the model refuses our key")
        is_late = self._world.clock() > ends
        if is_late or self._world.is_away(OutageKind.MODEL_IS_AWAY) or self._fails(0.05):
            raise ThrottledError
        if self._fails(0.03):
            self._note("the assistant says nothing")
            return Answer(no_reply=True)
        booked = self._world.bookings.words(question, at=self._book)
        if booked and self._booking_fails():
            self._note("the model fails after a booking")
            raise ThrottledError
        text = " ".join([REPLY, *(str(index_of(body)) for body in question.messages), *booked])
        handoff = self._world.chance.random() < self._world.handoff_rate
        return Answer(text=text, handoff=handoff, summary=self._summary(question))

    def _summary(self, question: Question) -> str:
        if not question.to_summarize or self._world.chance.random() < 0.3:
            return ""
        self._world.happened["a summary"] += 1
        return extract(question.to_summarize)

    def _book(self, book: Callable[[str], str]) -> str:
        # No pause before, as before a POST.
        end = self._world.chance.choice(BOOKING_ENDS) if self._booking_fails() else "sent"
        self._note(f"booking: {end}")
        self._world.happened[f"booking: {end}"] += 1
        try:
            return book(end)
        finally:
            if end == "late_then_gone":
                self._worker.process.is_dead = True
            self._pause()

    def _booking_fails(self) -> bool:
        bookings, claimed = self._world.bookings, self._worker.claimed
        if bookings.faults == 0 or self._world.chance.random() < 0.5:
            return False
        bookings.faults -= 1
        if claimed:
            self._world.charges.disturbed.add(claimed.sid)
        return True

    def is_settled(self, conversation_sid: str, message_sid: str) -> bool:
        raise NotImplementedError

    def upload(self, *, content: bytes, content_type: str, filename: str) -> str:
        raise NotImplementedError

    def send_message(
        self,
        conversation_sid: str,
        *,
        body: str,
        marker: Marker,
        content: Content | None = None,  # noqa: ARG002 -- no agent of the proofs has any
        media_sid: str = "",  # noqa: ARG002 -- nor files, in the schedules
    ) -> Sent:
        # No pause before: a thread that stops between its look at the clock and its POST is the window that
        # docs/guarantees.md describes.
        end = self._world.chance.choice(POST_ENDS) if self._fails(0.3) else "sent"
        if self._world.window_faults and end == "late":
            end = self._world.chance.choice(["late", "very_late"])
        if self._world.outage and self._world.twilio_is_away():
            end = OUTAGE_POST_ENDS[self._world.outage.kind]
        self._note(f"POST {marker.turn}/{marker.part}: {end}")
        try:
            return self._world.twilio.post(conversation_sid, body, marker, end=end)
        finally:
            self._pause()

    def list_messages(self, conversation_sid: str, *, from_index: int) -> tuple[MessageAdded, ...]:
        self._pause()
        if self._world.is_away(OutageKind.LISTS_KILL):
            self._note("the list kills its reader")
            raise Crash
        if self._world.twilio_is_away() or self._fails(0.1):
            raise ThrottledError
        listed = self._world.twilio.list_messages(conversation_sid, from_index=from_index)
        self._listed = listed
        self._world.twilio.note_look(conversation_sid, listed)
        there = {m.index for m in self._world.twilio.messages[conversation_sid] if m.index >= from_index}
        self._world.note_unseen(conversation_sid, there.difference(message.index for message in listed))
        return listed

    def copy(self, messages: Sequence[MessageAdded], *, turn: str) -> None:
        self._pause()
        self._world.letters += messages
        for message in messages:
            self._world.dead_letters.send(message, deduplication_id=f"{message.message_sid}-{turn}")

    def publish(self, notices: Sequence[Notice], /) -> Sequence[Notice]:
        self._pause()
        if self._world.bus.happens(0.1):
            raise ThrottledError
        taken = self._world.bus.publish(notices)
        self._note(f"published: {', '.join(notice.type for notice in taken)}")
        self._pause()
        return taken

    def due_notices(self, *, before: datetime, limit: int) -> Sequence[Notice]:
        return self._world.store.due_notices(before=before, limit=limit)

    def due_failures(self, *, before: datetime, limit: int) -> Sequence[Notice]:
        return self._world.store.due_failures(before=before, limit=limit)

    def lead_failures(self, notice: Notice, *, now: datetime, since: datetime) -> str:
        self._pause()
        if self._world.is_away(OutageKind.TABLE_IS_AWAY) or self._world.bus.happens(0.1):
            raise ThrottledError
        leader = self._world.store.lead_failures(notice, now=now, since=since)
        self._pause()
        return leader

    def remove_notices(self, notices: Sequence[Notice]) -> None:
        self._pause()
        if self._world.is_away(OutageKind.TABLE_IS_AWAY) or self._world.bus.happens(0.1):
            raise ThrottledError
        self._world.store.remove_notices(notices)
        self._pause()

    def due_owner_changes(self, *, before: datetime, limit: int) -> Sequence[OwnerChange]:
        return self._world.store.due_owner_changes(before=before, limit=limit)

    def owned_by_humans(self) -> Sequence[str]:
        return self._world.store.owned_by_humans()

    def read_owned(self, sid: str) -> OwnedByHuman | None:
        self._pause()
        owned = self._world.store.read_owned(sid)
        self._pause()
        return owned

    def show_change(self, change: OwnerChange) -> None:
        self._world.show_change(change)
        self._note(f"shown: {change.owner} {change.reason}")
        self._pause()

    def mark_shown(self, changes: Sequence[OwnerChange], *, at: datetime) -> None:
        self._pause()
        if self._world.is_away(OutageKind.TABLE_IS_AWAY) or self._world.bus.happens(0.1):
            raise ThrottledError
        self._world.store.mark_shown(changes, at=at)

    def remove_owner_changes(self, changes: Sequence[OwnerChange]) -> None:
        self._pause()
        if self._world.is_away(OutageKind.TABLE_IS_AWAY) or self._world.bus.happens(0.1):
            raise ThrottledError
        self._world.store.remove_owner_changes(changes)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 -- any of the store's methods
            self._pause()
            is_away = self._world.is_away(OutageKind.TABLE_IS_AWAY) and name in {*WRITES, "take_over", *READS}
            if is_away or (name in {*WRITES, *READS} and self._fails(0.04)):
                self._note(f"{name} is throttled")
                raise ThrottledError
            result = self._call(name, arguments, named)
            if name in WRITES and self._fails(0.04):
                self._note(f"the response to {name} is lost, and the SDK repeats it")
                result = self._call(name, arguments, named)
            self._pause()
            if name in WRITES and self._fails(0.04):
                self._note(f"the response to {name} is lost")
                raise ThrottledError
            return result

        return call

    def _call(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:  # noqa: ANN401 -- see above
        conversation_sid = arguments[0] if isinstance(arguments[0], str) else arguments[0].sid
        method = getattr(self._world.store, name)
        if name == "take_over":
            self._world.take_over(conversation_sid, **named)
            self._world.happened["a human's word found in a turn's list"] += 1
            return None
        if name == "spent":
            open_turns = sum(bool(item.turn) for item in self._world.store.items.values())
            self._world.max_in_flight = max(self._world.max_in_flight, open_turns)
        if name == "read_consent":  # each conversation has a customer of its own, although all write from one number
            return Consent()
        if name == "change_consent":
            return self._world.change_consent(*arguments)
        before = self._world.item(conversation_sid)
        self._world.happened["a failure returns"] += name == "freeze" and before.has_failed
        result = method(*arguments, **named)
        if name == "claim":
            self._world.checks.is_active(conversation_sid)
            self._note_claim(before, result)
        if name == "freeze" and arguments[1].kind is ReplyKind.FALLBACK and before.attempts > MAX_ATTEMPTS:
            self._world.charges.out_of_attempts.add(conversation_sid)
        if name in {"freeze", "record_resend"}:
            self._world.note_send_permit(name, conversation_sid, listed=self._listed or ())
        if name == "freeze":
            records = len(self._worker.process.received[conversation_sid])
            self._world.note_left_out(conversation_sid, records=records, listed=self._listed)
        self._note(name)
        return result

    def _note_claim(self, before: Conversation, result: Conversation | Busy) -> None:
        """Keep what the claim took. Where the worker before has not died, its time is over: a fault of its own."""
        if isinstance(result, Busy) or self._worker.claimed:
            return
        charges = self._world.charges
        self._worker.claimed = result
        self._worker.took_a_suspect = charges.is_suspect(before)
        if before.is_suspect(self._world.clock()) and not self._worker.took_a_suspect:
            charges.disturbed.add(before.sid)

    def _fails(self, rate: float) -> bool:
        world = self._world
        if world.faults > 0 and world.chance.random() < rate:
            world.faults -= 1
            if self._worker.claimed:
                world.charges.disturbed.add(self._worker.claimed.sid)
            return True
        return False

    def _pause(self) -> None:
        """Let the schedule go on with something else."""
        parent = self._worker.thread.parent
        assert parent is not None
        parent.switch()

    def _note(self, what: str) -> None:
        claimed = self._worker.claimed
        self._world.trace.append(f"  {self._worker.number} {claimed.sid[-1] if claimed else ''}: {what}")

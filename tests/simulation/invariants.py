"""What must hold whatever happened, checked on what customers received, on the item and on the dead-letter queue.

The agent of the proofs answers with the indices of the messages it was asked about ("re: 0 2"), so that a reply says
which messages it answers.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from switchboard.agent import EntryRole, HistoryEntry, Question
from switchboard.author import AuthorRole
from switchboard.budgets import Budget
from switchboard.conversation import RULE_OF_KIND, Conversation, RefusalRule, ReplyKind, TurnOutcome, TurnRecord
from switchboard.events import Marker, MessageAdded, Owner, OwnerSet
from switchboard.ports import DueCheck
from switchboard.turn.history import HANDED_BACK
from switchboard.turn.record import UNREAD
from tests.simulation.habits import AUTORESPONSE, REACTION, START, STOP, index_of
from tests.simulation.models import MAX_ATTEMPTS

DISCLOSURE = "I am a machine."
FALLBACK = "Sorry, somebody will call you."
LIMIT = "Enough for today."
REPLY = "re:"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPermit:
    """What the item held when a write allowed the POSTs of a pending reply, and what had happened since its freeze."""

    turn: str
    owner: Owner
    closed: bool
    taken_over_since_freeze: bool
    human_wrote_since_freeze: bool = True
    saw_a_human: bool = False
    wants_no_messages: bool = False  # the customer, as the item says, or a list that this worker has read
    confirms_opt_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the assistant was asked, and the indices of the messages that were handled when its turn was claimed."""

    question: Question
    handled: AbstractSet[int]
    wants_no_messages: bool = False  # the customer, as the claim found the item


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashes:
    """What crashes did to a conversation.

    `poison_sid` is its message that kills the process of whoever thinks about it; `kills` is how often it did.
    """

    poison_sid: str = ""
    kills: int = 0
    charged_for_a_suspect: bool = False  # claimed beside a conversation that had killed the process before, too
    out_of_attempts: bool = False
    was_disturbed: bool = False  # by a fault of its own
    only_poison: bool = False  # no fault in the whole schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One conversation when nothing is left to do."""

    messages: Sequence[MessageAdded]
    dead_letters: Sequence[MessageAdded]
    letters: Sequence[MessageAdded]  # all that were ever copied, also those that were redriven
    redriven: AbstractSet[int]
    item: Conversation
    records: Sequence[TurnRecord]
    human_wrote: bool
    was_closed: bool
    was_handed_back: bool = False
    send_permits: Sequence["SendPermit"] = ()
    turns_by_message: Mapping[int, AbstractSet[str]] = field(default_factory=dict)
    asked: Sequence[Asked] = ()
    sent_after_takeover: bool = False
    busy_without_worker: bool = False
    owner_events: Sequence[OwnerSet] = ()
    left_out: AbstractSet[int] = frozenset()  # what an answer did not cover, although it waited together with it
    old_messages: int = 0  # how many are from long before our first webhook: they get no answer
    hidden: AbstractSet[int] = frozenset()  # the indices of what no webhook and no sweep told us of in time
    may_be_late: AbstractSet[int] = frozenset()  # the indices of what a list did not show, or failed to show, in time
    max_copies: int = 1
    blind_looks: Mapping[Marker, int] = field(default_factory=dict)
    written_in_short_outage: AbstractSet[int] = frozenset()
    written_after_outage: int | None = None
    crashes: Crashes = Crashes()
    unsent: AbstractSet[str] = frozenset()
    cut_short: AbstractSet[str] = frozenset()
    was_failed_over_a_human: bool = False
    was_handed_back_too_early: bool = False
    turns_per_ten_minutes: int | None = None  # where they are few
    discloses: bool = True  # replies begin with DISCLOSURE where they must

    @property
    def human_owned_by_event(self) -> bool:
        """Whether a human ever owned it by a takeover or a handoff, and not only by a failure."""
        handed_off = any(record.kind is ReplyKind.HANDOFF for record in self.records)
        return self.human_wrote or handed_off or any(event.owner is Owner.HUMAN for event in self.owner_events)

    @property
    def customer_messages(self) -> list[MessageAdded]:
        """What customers wrote, but for history and what nobody could know of."""
        return [
            message
            for message in self.messages
            if message.author_role is AuthorRole.CUSTOMER
            and message.index >= self.old_messages
            and message.index not in self.hidden
        ]

    @property
    def replies(self) -> list[MessageAdded]:
        return [message for message in self.messages if message.marker]


def check(evidence: Evidence) -> None:
    """Assert every invariant of one conversation; the error names each that is broken."""
    broken: list[str] = []
    for invariant in INVARIANTS:
        try:
            require(invariant, evidence)
        except AssertionError as error:
            broken.append(str(error))
    assert not broken, "; ".join(broken)


def require[**P](invariant: Callable[P, None], *arguments: P.args, **named: P.kwargs) -> None:
    """Assert one invariant; the error begins with its name."""
    try:
        invariant(*arguments, **named)
    except AssertionError as error:
        raise AssertionError(f"{invariant.__name__}: {error}") from None


def without_disclosure(text: str) -> str:
    """Return what a reply says besides the disclosure."""
    return without_number(text).removeprefix(DISCLOSURE)


def without_number(text: str) -> str:
    """Return what a part of several says behind its number."""
    return re.sub(r"^\([0-9]+/[0-9]+\) ", "", text)


def answered_by(reply: MessageAdded) -> frozenset[int]:
    """Return the indices that a reply of the proofs' agent answers."""
    first_word, *words = without_disclosure(reply.body).split() or [""]
    return frozenset(int(word) for word in words if word.isdecimal()) if first_word == REPLY else frozenset()


def wants_no_messages(item: Conversation, listed: Sequence[MessageAdded]) -> bool:
    """Tell whether the customer wants no messages, as the item says, or a newer word that a list shows."""
    words = [m for m in listed if m.body.startswith((STOP, START)) and m.index > item.consent.index]
    newest = max(words, key=lambda each: each.index, default=None)
    return newest.body.startswith(STOP) if newest else item.consent.opted_out


def confirms_opt_out(item: Conversation) -> bool:
    """Tell whether the pending reply says that no more messages come."""
    return item.pending_reply is not None and item.pending_reply.kind is ReplyKind.OPT_OUT


def every_message_has_an_end(evidence: Evidence) -> None:
    """Each message is answered, refused by a rule, a dead letter, with a human, or in a turn nobody is sure of."""
    answered = {index for reply in evidence.replies for index in answered_by(reply)}
    dead = {message.message_sid for message in evidence.dead_letters}
    last_word = max((m.index for m in evidence.messages if m.author_role is AuthorRole.HUMAN), default=-1)
    left = evidence.item.left_to_human if evidence.human_owned_by_event else frozenset[int]()
    ended_without_answer = {
        sid
        for record in evidence.records
        if record.outcome is TurnOutcome.UNSURE
        or (record.outcome is TurnOutcome.REFUSED and record.rule not in {RefusalRule.HUMAN, RefusalRule.TOO_OLD})
        for sid in record.message_sids
    }
    for message in evidence.customer_messages:
        ended = (
            message.index in answered
            or message.message_sid in dead
            or message.message_sid in ended_without_answer
            or message.index < last_word
            or message.index in left
            or (evidence.was_closed and evidence.item.coverage.covers(message.index))
        )
        assert ended, f"lost: message {message.index}"


def nobody_waits_for_a_human_who_has_no_message(evidence: Evidence) -> None:
    """What nobody has read, and nobody owns, was a dead letter: of a failure, unless the reply may have left."""
    dead = {message.message_sid for message in evidence.letters}
    for record in evidence.records:
        assert record.outcome is not TurnOutcome.UNSURE or record.turn not in evidence.unsent, (
            "unsure, but nothing left"
        )
        is_too_old = record.outcome is TurnOutcome.REFUSED and record.rule == RefusalRule.TOO_OLD
        if record.outcome in {TurnOutcome.FELL_BACK, TurnOutcome.EXPIRED} or is_too_old:
            assert dead.issuperset(record.message_sids), f"{record.outcome} {record.rule}, but no dead letter"


def no_reply_is_given_up_before_its_time(evidence: Evidence) -> None:
    """A frozen reply is tried for as long as `MaxEventAge`, unless workers died over it."""
    cut_short = [record.outcome for record in evidence.records if record.turn in evidence.cut_short]
    assert not cut_short, f"{cut_short} before its time"


def a_failure_never_takes_a_conversation_from_a_human(evidence: Evidence) -> None:
    """Where a human owns the conversation by more than a failure, no failure makes it the reason."""
    assert not evidence.was_failed_over_a_human, "a failure took it from a human"


def a_failure_does_not_last(evidence: Evidence) -> None:
    """A failure ends with the customer's next message: none waits, or is refused, because of one."""
    for record in evidence.records:
        was_refused = record.outcome is TurnOutcome.REFUSED and record.rule == RefusalRule.HUMAN
        assert not was_refused or evidence.human_owned_by_event, "a message is refused because of a failure"


def only_customers_are_answered(evidence: Evidence) -> None:
    """The assistant is asked about what customers write, and nobody else."""
    customers = {message.index for message in evidence.messages if message.author_role is AuthorRole.CUSTOMER}
    others = evidence.turns_by_message.keys() - customers
    assert not others, f"the assistant was asked about messages {sorted(others)}, which are no customer's"


def nobody_is_handed_back_who_still_speaks(evidence: Evidence) -> None:
    """A hand back by time comes no earlier than that time after a human's last word."""
    assert not evidence.was_handed_back_too_early, "handed back by time from a human who spoke within it"


def no_turn_says_two_texts(evidence: Evidence) -> None:
    """Every copy of a part has the same text."""
    texts: dict[object, str] = {}
    for reply in evidence.replies:
        text = texts.setdefault(reply.marker, reply.body)
        assert text == reply.body, f"two texts in one turn: {text!r}, {reply.body!r}"


def no_part_is_there_twice(evidence: Evidence) -> None:
    """Each part is sent once, and once more at most for each look that did not show a POST that Twilio took."""
    for marker, copies in Counter(reply.marker for reply in evidence.replies).items():
        blind_looks = evidence.blind_looks.get(marker, 0) if marker else 0
        assert copies <= evidence.max_copies + blind_looks, f"{copies} copies of {marker}"


def no_message_is_answered_twice(evidence: Evidence) -> None:
    """No two turns answer one message, also where its dead letter was redriven, or a human handed it back.

    A void reply that a look did not show, because Twilio committed it later, is in the documented window.
    """
    void = {record.turn for record in evidence.records if record.outcome is TurnOutcome.VOID}
    too_late = {marker for marker, looks in evidence.blind_looks.items() if looks and marker.turn in void}
    turns: dict[int, set[str]] = {}
    for reply in evidence.replies:
        for index in answered_by(reply) if reply.marker not in too_late else ():
            turns.setdefault(index, set()).add(reply.marker.turn if reply.marker else "")
    for index, answering in turns.items():
        assert len(answering) == 1, f"message {index} is answered in two turns"


def replies_are_in_order(evidence: Evidence) -> None:
    """A reply never precedes the message it answers, and the parts of a turn follow each other."""
    for reply in evidence.replies:
        assert all(index < reply.index for index in answered_by(reply)), f"{reply.body!r} precedes its question"


def no_message_is_answered_after_a_later_one(evidence: Evidence) -> None:
    """Messages are answered in order, but for those that a list did not show in time."""
    answered: set[int] = set()
    failed = {letter.index for letter in evidence.letters}  # a redrive or a hand back answers these later
    for reply in evidence.replies:
        late = {index for index in answered_by(reply) - answered if index < max(answered, default=-1)}
        late -= evidence.may_be_late | failed
        assert not late, f"messages {sorted(late)} are answered after message {max(answered)}"
        answered |= answered_by(reply)


def nobody_speaks_over_a_human(evidence: Evidence) -> None:
    """Nothing is sent once a human owns the conversation or it is closed, and no pending reply outlives a takeover."""
    for permit in evidence.send_permits:
        assert permit.owner is Owner.ASSISTANT, f"turn {permit.turn} sends while a human is the owner"
        assert not permit.closed, f"turn {permit.turn} sends into a closed conversation"
        was_taken = permit.taken_over_since_freeze and permit.human_wrote_since_freeze
        assert not was_taken, f"turn {permit.turn} sends a pending reply from before a human's word"
        assert not permit.saw_a_human, f"turn {permit.turn} sends although its list showed a human's message"
    assert not evidence.sent_after_takeover, "a later part was sent after a takeover"


def from_stop_to_start_nobody_thinks(evidence: Evidence) -> None:
    """Nobody is asked anything while the customer wants no messages, or about what was written meanwhile.

    Where a list did not show the word in time, nobody could know.
    """
    wrote = [m for m in evidence.customer_messages if m.body.startswith((STOP, START))]
    for asked in evidence.asked:
        assert not asked.wants_no_messages, f"turn {asked.question.turn} is thought about after an opt-out"
        for index in map(index_of, asked.question.messages):
            last = max((word.index for word in wrote if word.index <= index), default=-1)
            word = next((word for word in wrote if word.index == last), None)
            is_out = word is not None and word.body.startswith(STOP) and last not in evidence.may_be_late
            assert not is_out, f"message {index} was written after an opt-out, and is thought about"


def from_stop_to_start_nothing_is_sent(evidence: Evidence) -> None:
    """No reply is frozen, or sent again, once an opt-out was applied or shown by a list, but for its confirmation."""
    for permit in evidence.send_permits:
        is_allowed = permit.wants_no_messages is permit.confirms_opt_out
        assert is_allowed, f"turn {permit.turn} sends to a customer who wants no messages, or confirms what is over"


def the_last_word_of_consent_holds(evidence: Evidence) -> None:
    """Whether the customer wants messages is what they said last, in whatever order we were told.

    What nobody could know of, because no webhook of it came in time, counts where a list has shown it.
    """
    known = evidence.customer_messages
    written = [
        m for m in evidence.messages if m.author_role is AuthorRole.CUSTOMER and m.index >= evidence.old_messages
    ]
    allowed = {_wants_no_messages(known), _wants_no_messages(written)}
    assert evidence.item.consent.opted_out in allowed, f"opted out is {evidence.item.consent.opted_out}"


def _wants_no_messages(messages: Sequence[MessageAdded]) -> bool:
    """Return whether the last word of consent in these messages is an opt-out."""
    words = [message for message in messages if message.body.startswith((STOP, START))]
    return bool(words) and max(words, key=lambda word: word.index).body.startswith(STOP)


def an_opt_out_is_confirmed_once(evidence: Evidence) -> None:
    """No two turns confirm one opt-out, or one opt-in, but where a human made the first one void."""
    said = [m for m in evidence.messages if m.body.startswith((STOP, START)) and m.author_role is AuthorRole.CUSTOMER]
    for kind, word in ((ReplyKind.OPT_OUT, STOP), (ReplyKind.OPT_IN, START)):
        said_by = (r for r in evidence.records if r.kind is kind and r.outcome is not TurnOutcome.VOID)
        turns = {record.turn for record in said_by}
        words = [m for m in said if m.body.startswith(word)]
        assert len(turns) <= len(words), f"{len(turns)} turns say {kind} after {len(words)} words"


def what_a_human_left_is_answered(evidence: Evidence) -> None:
    """Where the assistant owns the conversation again, every message after the human's last one is answered."""
    stopped = {TurnOutcome.UNSURE, TurnOutcome.FELL_BACK, TurnOutcome.EXPIRED, TurnOutcome.HANDED_OFF}
    if evidence.item.owner is Owner.HUMAN or evidence.item.closed or stopped & {r.outcome for r in evidence.records}:
        return
    by_consent = (RefusalRule.OPTED_OUT, RefusalRule.OPT_OUT, RefusalRule.OPT_IN)
    by_words = (RefusalRule.LOOP, RefusalRule.REACTION, RefusalRule.NO_REPLY, *by_consent)
    left_out = ("twilio_", RefusalRule.OVER_BUDGET, RefusalRule.TOO_OLD, *by_words)
    if any(record.rule.startswith(left_out) for record in evidence.records):
        return
    answered = {index for reply in evidence.replies for index in answered_by(reply)}
    last_of_human = max((m.index for m in evidence.messages if m.author_role is AuthorRole.HUMAN), default=-1)
    for message in evidence.customer_messages:
        is_answered = message.index < last_of_human or message.index in answered
        assert is_answered, f"left to a human and never answered: message {message.index}"


def a_message_is_thought_about_in_one_turn(evidence: Evidence) -> None:
    """All deliveries of a message have one turn id: a tool that keys its effects by it has each effect once.

    A turn that is overdue may have left a message behind that Twilio did not list: then it counts no more.
    """
    if evidence.was_handed_back:
        return
    for index, turns in evidence.turns_by_message.items():
        if index in evidence.redriven:
            continue
        assert len(turns) <= 1, f"the assistant was asked about message {index} in turns {sorted(turns)}"


def handled_at_claim(item: Conversation, messages: Sequence[MessageAdded], *, max_event_age: timedelta) -> set[int]:
    """Return the indices of what others than the assistant said, and a history must show."""
    return {
        message.index
        for message in messages
        if message.author_role is not AuthorRole.ASSISTANT
        and item.coverage.covers(message.index)
        and not item.is_history(message, max_event_age=max_event_age)
    }


def _is_a_customers_words(entry: HistoryEntry) -> bool:
    return entry.role is EntryRole.CUSTOMER and entry.text != UNREAD


def _without_summary(history: Sequence[HistoryEntry]) -> tuple[list[HistoryEntry], set[int]]:
    """Return a history's entries without its summary, and the indices that the summary tells."""
    shown: list[HistoryEntry] = []
    summarized: set[int] = set()
    for entry in history:
        if entry.role is not EntryRole.SUMMARY:
            shown.append(entry)
            continue
        for line in entry.text.splitlines():
            who, _, said = line.partition(": ")
            if said == UNREAD:
                shown.append(HistoryEntry(role=EntryRole.CUSTOMER, text=UNREAD))
            elif who == "Customer":
                summarized.add(index_of(said))
            elif said.isdecimal():
                summarized.add(int(said))
    return shown, summarized


def the_history_shows_everything_once(evidence: Evidence) -> None:
    """A message is in one turn's question, and in every later history or its summary, also where it got no answer."""
    for asked in evidence.asked:
        history, summarized = _without_summary(asked.question.history)
        entries = [entry for entry in history if entry.role not in {EntryRole.MARK, EntryRole.TOOL}]
        others = [entry.text for entry in entries if not _is_a_customers_words(entry)]
        shown = [int(text) for text in others if text.isdecimal()]
        shown += [index_of(entry.text) for entry in entries if _is_a_customers_words(entry)]
        shown += map(index_of, asked.question.messages)
        assert len(shown) == len(set(shown)), f"shown twice in one prompt: {sorted(shown)}"
        missing = asked.handled - set(shown) - summarized
        unread = sum(entry.text == UNREAD for entry in history)
        assert len(missing) <= unread, f"turn {asked.question.turn} is not shown messages {sorted(missing)}"


def the_history_is_in_order(evidence: Evidence) -> None:
    """In a history, a reply comes after its questions, and the mark of a hand back after the last human word.

    A worker that has lost its lease may read the reply of its successor to what it is asked itself: it is fenced.
    """
    for asked in evidence.asked:
        said = {str(index_of(body)) for body in asked.question.messages}
        with_human = False
        for entry in asked.question.history:
            if entry.role is EntryRole.ASSISTANT and UNREAD not in said:
                first_word, *questions = without_disclosure(entry.text).split()
                asked_about = filter(str.isdecimal, questions)
                assert first_word != REPLY or said.issuperset(asked_about), f"{entry.text!r} precedes its question"
            said.add(str(index_of(entry.text)) if _is_a_customers_words(entry) else entry.text)
            with_human = entry.role is EntryRole.HUMAN or (with_human and entry.text != HANDED_BACK)
        assert not with_human, f"turn {asked.question.turn} is not told that the human's stretch is over"


def what_waits_together_is_one_turn(evidence: Evidence) -> None:
    """An answer to a full batch, or to what was handed back, covers everything that waits then, however many."""
    assert not evidence.left_out, f"waited too, and got a turn of their own: messages {sorted(evidence.left_out)}"


def nobody_waits_for_a_lease_that_is_over(evidence: Evidence) -> None:
    """A conversation is busy only while a worker has it, or after one died without giving it back."""
    assert not evidence.busy_without_worker, "busy without a worker"


def the_newest_event_decides_who_owns(evidence: Evidence) -> None:
    """A takeover or a hand back that comes late or twice does not replace a newer one."""
    if not evidence.owner_events or evidence.item.closed:
        return
    newest = max(evidence.owner_events, key=lambda event: event.at)
    gave_up = {
        TurnOutcome.UNSURE,
        TurnOutcome.FELL_BACK,
        TurnOutcome.EXPIRED,
        TurnOutcome.HANDED_OFF,
        TurnOutcome.REFUSED,
    }
    if newest.owner == Owner.ASSISTANT and any(record.outcome in gave_up for record in evidence.records):
        return  # the turn may have given up before or after the hand back
    assert evidence.item.owner == newest.owner, f"{evidence.item.owner} owns it, the newest event says {newest.owner}"


def history_is_left_alone(evidence: Evidence) -> None:
    """Messages from long before our first webhook get no answer."""
    for index in evidence.turns_by_message:
        assert index >= evidence.old_messages, f"message {index} is history, and the assistant was asked about it"


def who_writes_during_a_short_outage_is_answered_after_it(evidence: Evidence) -> None:
    """An outage that is over before a turn is overdue costs nobody an answer, where nothing else goes wrong."""
    if evidence.human_owned_by_event or evidence.was_closed:
        return
    answered = {index for reply in evidence.replies for index in answered_by(reply)} | _ended_by_consent(evidence)
    unanswered = evidence.written_in_short_outage - answered
    assert not unanswered, f"written during a short outage and not answered: messages {sorted(unanswered)}"


def _ended_by_consent(evidence: Evidence) -> frozenset[int]:
    """Return the indices of what got no answer because its customer wanted none, or that says so."""
    rules = {RefusalRule.OPTED_OUT, RefusalRule.OPT_OUT, RefusalRule.OPT_IN}
    sids = {sid for record in evidence.records if record.rule in rules for sid in record.message_sids}
    return frozenset(message.index for message in evidence.messages if message.message_sid in sids)


def no_outage_mutes_anybody(evidence: Evidence) -> None:
    """What a customer writes after an outage is answered, unless a human has it by more than a failure.

    What is in one turn with a message that kills its processes falls back with it.
    """
    if evidence.written_after_outage is None or evidence.item.closed:
        return
    if evidence.item.owner is Owner.HUMAN and evidence.human_owned_by_event:
        return
    answered = {index for reply in evidence.replies for index in answered_by(reply)} | _ended_by_consent(evidence)
    poisoned = [record for record in evidence.records if evidence.crashes.poison_sid in record.message_sids]
    written = evidence.messages[evidence.written_after_outage]
    fell_back = any(written.message_sid in record.message_sids for record in poisoned)
    assert written.index in answered or fell_back, f"mute after an outage: message {written.index}"


def a_crash_charges_only_its_cause(evidence: Evidence) -> None:
    """Nobody is charged for a message that has killed a process before, and nobody runs out of attempts by it."""
    crashes = evidence.crashes
    assert not crashes.charged_for_a_suspect, "claimed beside a conversation that had killed the process before"
    has_a_cause = crashes.poison_sid or crashes.was_disturbed
    assert has_a_cause or not crashes.out_of_attempts, "out of attempts by the crashes of another conversation"


def beside_poison_every_other_customer_is_answered(evidence: Evidence) -> None:
    """Where nothing else goes wrong, a message that kills its processes costs nobody else an answer."""
    crashes = evidence.crashes
    if not crashes.only_poison or crashes.poison_sid or evidence.human_owned_by_event or evidence.was_closed:
        return
    answered = {index for reply in evidence.replies for index in answered_by(reply)}
    unanswered = {message.index for message in evidence.customer_messages} - answered - _ended_by_consent(evidence)
    assert not unanswered, f"beside poison, not answered: messages {sorted(unanswered)}"


def poison_ends_with_the_fallback(evidence: Evidence) -> None:
    """Where nothing else goes wrong, a message that kills its processes kills as many as may die, and falls back."""
    crashes = evidence.crashes
    was_taken = evidence.human_owned_by_event or evidence.was_closed or evidence.was_handed_back
    if not crashes.only_poison or not crashes.poison_sid or was_taken:
        return
    if any(m.message_sid == crashes.poison_sid and m.index in _ended_by_consent(evidence) for m in evidence.messages):
        return  # nobody has thought about it
    assert crashes.kills == MAX_ATTEMPTS, f"{crashes.kills} processes died of one message"
    fell_back = (record for record in evidence.records if record.outcome is TurnOutcome.FELL_BACK)
    assert any(crashes.poison_sid in record.message_sids for record in fell_back), "poison did not fall back"


def a_machine_gets_a_few_replies(evidence: Evidence) -> None:
    """What answers each reply of ours at once with the same words is answered at most five times in ten minutes."""
    if evidence.was_handed_back:
        return
    machines = {m.index for m in evidence.messages if m.body.startswith(AUTORESPONSE)}
    to_machines = [reply for reply in evidence.replies if answered_by(reply) and answered_by(reply) <= machines]
    replies = _most_turns_in_ten_minutes(to_machines)
    assert replies <= 5, f"a machine gets {replies} replies in ten minutes"


def a_conversation_has_no_more_turns_than_its_limit(evidence: Evidence) -> None:
    """However different the texts of two programs are, they get no more turns in ten minutes than the limit."""
    if evidence.was_handed_back or evidence.turns_per_ten_minutes is None:
        return
    turns = _most_turns_in_ten_minutes(evidence.replies)
    assert turns <= evidence.turns_per_ten_minutes, f"{turns} turns in ten minutes"


def _most_turns_in_ten_minutes(replies: Sequence[MessageAdded]) -> int:
    turns: dict[str, datetime] = {}
    for reply in replies:
        if reply.marker:
            turns.setdefault(reply.marker.turn, reply.at)
    windows = ((begins, begins + timedelta(minutes=10)) for begins in turns.values())
    return max((sum(begins <= at < ends for at in turns.values()) for begins, ends in windows), default=0)


def nobody_is_taken_for_a_machine(evidence: Evidence) -> None:
    """Only the texts that repeat themselves are refused as a loop, unless the conversation may have few turns."""
    if evidence.turns_per_ten_minutes is not None:
        return
    machines = {m.message_sid for m in evidence.messages if m.body.startswith(AUTORESPONSE)}
    for record in evidence.records:
        refused = set(record.message_sids) if record.rule == RefusalRule.LOOP else set()
        assert refused <= machines, f"turn {record.turn} takes a person for a machine"


def a_reaction_alone_gets_no_reply(evidence: Evidence) -> None:
    """A reaction gets no reply where the last words before it are ours, and no human has spoken.

    A copy that Twilio commits late is nobody's words, as far as we know.
    """
    if evidence.human_wrote:
        return
    reactions = {m.index for m in evidence.messages if REACTION in m.body}
    for reply in evidence.replies:
        answered = answered_by(reply)
        before = [m for m in evidence.messages if m.index < max(answered, default=0)]
        words = [m for m in before if m.author_role is not AuthorRole.CUSTOMER]
        is_copy = words and words[-1].marker in {word.marker for word in words[:-1]}
        is_to_ours = bool(words) and words[-1].marker is not None and not is_copy
        assert not (answered and answered <= reactions and is_to_ours), f"a reaction is answered: {reply.body!r}"


def the_first_text_discloses(evidence: Evidence) -> None:
    """The first text of ours begins with the disclosure, unless one that nobody is sure of does."""
    if not evidence.discloses or not evidence.replies:
        return
    unsure = [r.parts for r in evidence.records if r.outcome is TurnOutcome.UNSURE or r.kind in RULE_OF_KIND]
    first, *_ = evidence.replies
    may_be_read = any(parts and without_number(parts[0]).startswith(DISCLOSURE) for parts in unsure)
    said = without_number(first.body)
    assert said.startswith(DISCLOSURE) or may_be_read, f"the first text does not disclose: {said!r}"


def one_text_discloses(evidence: Evidence) -> None:
    """The disclosure begins one turn's first part, once; a void one that a look did not show may be a second.

    What a stale list hides is void although it is there: it counts like a further copy.
    """
    disclosing = {reply.marker for reply in evidence.replies if reply.marker and DISCLOSURE in reply.body}
    assert all(marker.part == 0 for marker in disclosing), "a later part discloses"
    seen = {marker for marker in disclosing if not evidence.blind_looks.get(marker)}
    assert len(seen) <= evidence.max_copies, f"{len(seen)} turns disclose"
    assert evidence.discloses or not disclosing, "a text discloses although the disclosure is off"


INVARIANTS = (
    every_message_has_an_end,
    only_customers_are_answered,
    nobody_is_handed_back_who_still_speaks,
    no_turn_says_two_texts,
    no_part_is_there_twice,
    no_message_is_answered_twice,
    replies_are_in_order,
    no_message_is_answered_after_a_later_one,
    nobody_waits_for_a_human_who_has_no_message,
    no_reply_is_given_up_before_its_time,
    a_failure_never_takes_a_conversation_from_a_human,
    a_failure_does_not_last,
    nobody_speaks_over_a_human,
    from_stop_to_start_nobody_thinks,
    from_stop_to_start_nothing_is_sent,
    the_last_word_of_consent_holds,
    an_opt_out_is_confirmed_once,
    what_a_human_left_is_answered,
    a_message_is_thought_about_in_one_turn,
    the_history_shows_everything_once,
    the_history_is_in_order,
    nobody_waits_for_a_lease_that_is_over,
    the_newest_event_decides_who_owns,
    history_is_left_alone,
    who_writes_during_a_short_outage_is_answered_after_it,
    no_outage_mutes_anybody,
    what_waits_together_is_one_turn,
    a_crash_charges_only_its_cause,
    beside_poison_every_other_customer_is_answered,
    poison_ends_with_the_fallback,
    a_machine_gets_a_few_replies,
    a_conversation_has_no_more_turns_than_its_limit,
    nobody_is_taken_for_a_machine,
    a_reaction_alone_gets_no_reply,
    the_first_text_discloses,
    one_text_discloses,
)


def a_redriven_letter_ends(is_empty: bool) -> None:  # noqa: FBT001 -- what is asserted
    """After a redrive without faults no dead letter is left: what is unanswered is answered, by a turn or by a rule."""
    assert is_empty, "a dead letter comes back although nothing is wrong"


def no_record_is_received_too_often(dead: Sequence[MessageAdded]) -> None:
    """SQS gives up no message, however long an outage lasts: every end of a message is one of ours."""
    assert not dead, f"SQS gave up {len(dead)} messages"


def budgets_are_exceeded_by_at_most_the_turns_in_flight(
    records: Sequence[TurnRecord], budget: Budget, *, in_flight: int
) -> None:
    """A day has no more turns than its budget, and those that were in flight beside the one that used it up."""
    beside_it = max(in_flight - 1, 0)
    charged = [record for record in records if record.kind is not None and record.kind not in RULE_OF_KIND]
    limit_notices = [record for record in records if record.kind is ReplyKind.LIMIT]
    for day, turns in Counter(record.at.date() for record in charged).items():
        assert turns <= budget.turns_by_all + beside_it, f"{turns} turns on {day}"
    for (customer, day), turns in Counter((record.customer, record.at.date()) for record in charged).items():
        assert turns <= budget.turns_by_customer + beside_it, f"{turns} turns of {customer} on {day}"
    for (customer, day), times in Counter((record.customer, record.at.date()) for record in limit_notices).items():
        assert times <= 1 + beside_it, f"{customer} reads the limit sentence {times} times on {day}"


def every_check_that_is_due_is_made(still_due: Sequence[DueCheck]) -> None:
    """A sweep leaves nothing due: it makes each check, or puts it off where the conversation cannot be read."""
    assert not still_due, f"still due after the sweep: {still_due}"


def checks_go_on_for_a_day(
    made: Mapping[str, Sequence[datetime]], last_activity: Mapping[str, datetime], *, since: datetime
) -> None:
    """A conversation is checked for a day after its last activity, and not further apart than 16 minutes.

    The sweeper has run every minute `since` then.
    """
    for sid, activity in last_activity.items():
        begins = max(activity, since)
        times = [begins, *(at for at in made.get(sid, ()) if at > begins)]
        apart = max((later - earlier for earlier, later in pairwise(times)), default=timedelta(0))
        assert apart <= timedelta(minutes=16), f"{sid}: {apart} without a check"
        assert max(made.get(sid, times)) - activity >= timedelta(days=1), f"{sid}: the checks have ended too early"

"""What must hold whatever happened: judged from what the customers received, and from what is in the dead-letter queue.

The agent of the proofs answers with the numbers of the messages it was asked ("re: 0 2"), so that a reply tells what it
answers.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from switchboard.author import AuthorRole
from switchboard.budgets import Budget
from switchboard.conversation import Conversation, RefusalRule, ReplyKind, TurnOutcome, TurnRecord
from switchboard.events import MessageAdded, Owner, OwnerSet
from switchboard.ports import DueCheck

FALLBACK = "Sorry, somebody will call you."
LIMIT = "Enough for today."
REPLY = "re:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """A write after which a draft may be posted: what it found, and what had happened since the draft was frozen."""

    turn: str
    owner: Owner
    closed: bool
    taken_since_frozen: bool
    saw_a_colleague: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One conversation when all is quiet."""

    messages: Sequence[MessageAdded]
    dead_letters: Sequence[MessageAdded]
    item: Conversation
    records: Sequence[TurnRecord]
    a_human_spoke: bool
    was_closed: bool
    was_handed_back: bool = False
    licences: Sequence["Licence"] = ()
    thoughts: Mapping[int, AbstractSet[str]] = field(default_factory=dict)
    spoke_on: bool = False
    waited_for_nobody: bool = False
    owners: Sequence[OwnerSet] = ()
    history: int = 0  # how many messages stood there long before we came
    copies_allowed: int = 1

    @property
    def a_human_has_or_had_it(self) -> bool:
        return self.item.owner is Owner.HUMAN or self.was_handed_back

    @property
    def customers(self) -> list[MessageAdded]:
        return [m for m in self.messages if m.author_role is AuthorRole.CUSTOMER and m.index >= self.history]

    @property
    def replies(self) -> list[MessageAdded]:
        return [message for message in self.messages if message.marker]


def check(evidence: Evidence) -> None:
    """Assert every invariant of one conversation."""
    every_message_has_an_end(evidence)
    no_turn_says_two_texts(evidence)
    no_part_is_there_twice(evidence)
    no_message_is_answered_twice(evidence)
    replies_are_in_order(evidence)
    the_fallback_is_in_the_dead_letter_queue(evidence)
    nobody_speaks_over_a_human(evidence)
    what_a_human_left_is_answered(evidence)
    a_message_is_thought_about_in_one_turn(evidence)
    nobody_waits_for_a_lease_that_is_over(evidence)
    the_newest_event_decides_who_owns(evidence)
    history_is_left_alone(evidence)


def answered_by(reply: MessageAdded) -> frozenset[int]:
    """Return the indices that a reply of the proofs' agent answers."""
    said, *words = reply.body.split() or [""]
    return frozenset(int(word) for word in words if word.isdecimal()) if said == REPLY else frozenset()


def every_message_has_an_end(evidence: Evidence) -> None:
    """Each customer message is answered, a human's, refused by a rule, or a dead letter of which he was told."""
    answered = {index for reply in evidence.replies for index in answered_by(reply)}
    was_told = any(reply.body == FALLBACK for reply in evidence.replies)
    refused = {
        sid for record in evidence.records if record.outcome is TurnOutcome.REFUSED for sid in record.message_sids
    }
    for message in evidence.customers:
        ended = (
            message.index in answered
            or (was_told and evidence.a_human_has_or_had_it)
            or message.message_sid in refused
            or (evidence.item.coverage.covers(message.index) and (evidence.a_human_spoke or evidence.was_closed))
            or (evidence.item.coverage.covers(message.index) and _ended_with_a_human(evidence, message))
        )
        assert ended, f"lost: message {message.index}"
    for letter in evidence.dead_letters:
        ended = was_told or evidence.a_human_has_or_had_it or letter.message_sid in refused
        assert ended, f"dead without a word: message {letter.index}"


def _ended_with_a_human(evidence: Evidence, message: MessageAdded) -> bool:
    endings = {record.outcome for record in evidence.records if message.message_sid in record.message_sids}
    return evidence.a_human_has_or_had_it and bool(
        endings & {TurnOutcome.UNSURE, TurnOutcome.FELL_BACK, TurnOutcome.VOID}
    )


def no_turn_says_two_texts(evidence: Evidence) -> None:
    """Every copy of a turn's part carries the same text."""
    texts: dict[object, str] = {}
    for reply in evidence.replies:
        said = texts.setdefault(reply.marker, reply.body)
        assert said == reply.body, f"two texts in one turn: {said!r}, {reply.body!r}"


def no_part_is_there_twice(evidence: Evidence) -> None:
    """No marker appears twice, except in the documented window, where it appears at most twice."""
    for marker, copies in Counter(reply.marker for reply in evidence.replies).items():
        assert copies <= evidence.copies_allowed, f"{copies} copies of {marker}"


def no_message_is_answered_twice(evidence: Evidence) -> None:
    """No two turns answer one message, unless a human handed it back in between."""
    turns: dict[int, set[str]] = {}
    for reply in evidence.replies:
        for index in answered_by(reply):
            turns.setdefault(index, set()).add(reply.marker.turn if reply.marker else "")
    for index, answering in turns.items():
        assert len(answering) == 1, f"message {index} is answered in two turns"


def replies_are_in_order(evidence: Evidence) -> None:
    """A reply never precedes the message it answers, and the parts of a turn follow each other."""
    for reply in evidence.replies:
        assert all(index < reply.index for index in answered_by(reply)), f"{reply.body!r} precedes its question"


def the_fallback_is_in_the_dead_letter_queue(evidence: Evidence) -> None:
    """Who was told that nobody can answer now has a dead letter for each message, and a human."""
    dead = {letter.message_sid for letter in evidence.dead_letters}
    for record in evidence.records:
        if record.outcome is TurnOutcome.FELL_BACK:
            assert dead.issuperset(record.message_sids), "told, but no dead letter"
    if any(reply.body == FALLBACK for reply in evidence.replies):
        assert evidence.a_human_has_or_had_it or evidence.a_human_spoke or evidence.was_closed, "told, but no human"


def nobody_speaks_over_a_human(evidence: Evidence) -> None:
    """Nothing is sent once a human owns the conversation or it is closed, and no draft outlives a takeover."""
    for licence in evidence.licences:
        assert licence.owner is Owner.ASSISTANT, f"turn {licence.turn} speaks over a human"
        assert not licence.closed, f"turn {licence.turn} speaks into a closed conversation"
        assert not licence.taken_since_frozen, f"turn {licence.turn} sends a pending_reply from before a takeover"
        assert not licence.saw_a_colleague, f"turn {licence.turn} speaks over a colleague it has handled"
    assert not evidence.spoke_on, "a later part was sent after a takeover"


def what_a_human_left_is_answered(evidence: Evidence) -> None:
    """Where the agent owns the conversation again, whatever came after the colleague's last word has its answer."""
    stopped = {TurnOutcome.UNSURE, TurnOutcome.FELL_BACK, TurnOutcome.VOID, TurnOutcome.HANDED_OFF}
    if evidence.item.owner is Owner.HUMAN or evidence.item.closed or stopped & {r.outcome for r in evidence.records}:
        return
    if any(
        record.rule.startswith(("twilio_", RefusalRule.OVER_BUDGET, RefusalRule.TOO_OLD)) for record in evidence.records
    ):
        return
    answered = {index for reply in evidence.replies for index in answered_by(reply)}
    last_word = max((m.index for m in evidence.messages if m.author_role is AuthorRole.HUMAN), default=-1)
    for message in evidence.customers:
        assert message.index < last_word or message.index in answered, f"left_to_human behind: message {message.index}"


def a_message_is_thought_about_in_one_turn(evidence: Evidence) -> None:
    """However often a message is delivered, a tool that keys what it does by the turn does it once."""
    if evidence.was_handed_back:
        return
    for index, turns in evidence.thoughts.items():
        assert len(turns) == 1, f"message {index} was thought about in turns {sorted(turns)}"


def nobody_waits_for_a_lease_that_is_over(evidence: Evidence) -> None:
    """A conversation is busy only while another worker has it, or one has died with it."""
    assert not evidence.waited_for_nobody, "busy, and nobody was there"


def the_newest_event_decides_who_owns(evidence: Evidence) -> None:
    """A late or doubled takeover or hand back changes nothing that is newer; what we left to a human stays his."""
    if not evidence.owners or evidence.item.closed:
        return
    newest = max(evidence.owners, key=lambda event: event.at)
    gave_up = {TurnOutcome.UNSURE, TurnOutcome.FELL_BACK, TurnOutcome.HANDED_OFF, TurnOutcome.REFUSED}
    if newest.owner == Owner.ASSISTANT and any(record.outcome in gave_up for record in evidence.records):
        return  # whether that came before or after the hand back is a matter of milliseconds
    assert evidence.item.owner == newest.owner, f"{evidence.item.owner} owns it, the newest event says {newest.owner}"


def history_is_left_alone(evidence: Evidence) -> None:
    """What stood in a conversation long before we first saw it is not answered."""
    for index in evidence.thoughts:
        assert index >= evidence.history, f"message {index} is history, and was thought about"


def budgets_are_exceeded_by_at_most_the_turns_in_flight(
    records: Sequence[TurnRecord], budget: Budget, *, in_flight: int
) -> None:
    """A day has no more turns than its budget, but for those that were open when it was used up, besides the last."""
    besides = max(in_flight - 1, 0)
    charged = [record for record in records if record.kind not in {None, ReplyKind.LIMIT}]
    told = [record for record in records if record.kind is ReplyKind.LIMIT]
    for day, turns in Counter(record.at.date() for record in charged).items():
        assert turns <= budget.turns_by_all + besides, f"{turns} turns on {day}"
    for (customer, day), turns in Counter((record.customer, record.at.date()) for record in charged).items():
        assert turns <= budget.turns_by_customer + besides, f"{turns} turns of {customer} on {day}"
    for (customer, day), times in Counter((record.customer, record.at.date()) for record in told).items():
        assert times <= 1 + besides, f"{customer} is told of the limit {times} times on {day}"


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

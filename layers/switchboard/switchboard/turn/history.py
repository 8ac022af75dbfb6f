"""The history that the agent is shown: who said what before this turn's messages, what happened, what got no answer.

A turn stands where its last message does, so a message that was tried again stands with the turn that tried it last.
Where a human's stretch began and ended is not stored: a human's word, a handoff and a message left to a human begin
one, and the next turn of the assistant ends it. One without any of these shows in the ownership epoch, which rises
between two turns only where somebody took the conversation or gave it back.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from switchboard.agent import EntryRole, HistoryEntry
from switchboard.author import AuthorRole
from switchboard.conversation import (
    FILE_GONE,
    RULE_OF_KIND,
    UNIX_EPOCH,
    History,
    Note,
    RefusalRule,
    ReplyKind,
    TurnOutcome,
    TurnRecord,
)
from switchboard.tokens import cut_text, estimate_tokens
from switchboard.turn.context import TurnContext

ENTRY_TOKENS = 50  # besides its text, for what an agent needs to tell it from others
MIN_TOKENS_WORTH_SHOWING = 100  # of an entry that is cut

TAKEN_OVER = "A human took the conversation over."
HANDED_OFF = "The assistant handed the conversation over to a human."
HANDED_BACK = "The assistant has the conversation again."
HANDED_OVER_AND_BACK = "A human had the conversation meanwhile. The assistant has it again."
NOBODY_KNOWS = "Nobody knows whether the customer has received this answer."
NOT_RECEIVED = "The customer did not receive this reply."
NOT_ALL_RECEIVED = "The customer did not receive all of this reply."

_WHY_UNANSWERED: Mapping[str, str] = {
    TurnOutcome.EXPIRED: "it could not be sent in time",
    TurnOutcome.FELL_BACK: "the assistant failed",
    RefusalRule.OPTED_OUT: "the customer has opted out of messages",
    RefusalRule.OPT_OUT: "the customer opts out of messages",
    RefusalRule.OPT_IN: "the customer opts in again",
    RefusalRule.HELP: "the carrier answers it",
    RefusalRule.TOO_OLD: "the message came too late",
    RefusalRule.WINDOW_CLOSED: "it was too late to answer",
    RefusalRule.OVER_BUDGET: "the limit of the day was reached",
    FILE_GONE: "a file of it was no longer there",
}
_ENDS_IN_WORDS = frozenset({TurnOutcome.ANSWERED, TurnOutcome.HANDED_OFF, TurnOutcome.FELL_BACK, TurnOutcome.UNSURE})


@dataclass(frozen=True, slots=True)
class Told:
    """An entry, and the turn or the note that it is told of; None for what comes after the last of them."""

    entry: HistoryEntry
    of: TurnRecord | Note | None


def tell(history: History, turn: TurnContext | None = None) -> list[Told]:
    """Return everything that is known, oldest first. A message of this turn is in its question, not in the history."""
    asked_now = {message.message_sid for message in turn.messages} if turn else set[str]()
    turns = [item for item in history.items if isinstance(item, TurnRecord)]
    last = {sid: record for record in sorted(turns, key=lambda each: each.at) for sid in record.message_sids}
    undelivered = turn.conversation.undelivered.keys() if turn else set[str]()
    story = _Story(epoch=0 if history.is_complete else None, undelivered=undelivered)
    for item in history.items:
        story.of = item
        if isinstance(item, Note):
            story.tell_note(item)
        else:
            said = zip(item.message_sids, item.said, strict=True)
            story.tell_turn(item, [text for sid, text in said if sid not in asked_now and last[sid] is item])
    story.of = None
    if turn:
        story.give_to_assistant(turn.conversation.ownership_epoch, at=turn.conversation.handed_back_at)
    return story.told


def newest_that_fit(entries: Sequence[HistoryEntry], tokens: int) -> list[HistoryEntry]:
    """Return the newest entries that have so many tokens together, oldest first; the oldest may be cut."""
    return list(_that_fit(entries, tokens))[::-1]


def _that_fit(entries: Sequence[HistoryEntry], tokens: int) -> Iterator[HistoryEntry]:
    """Yield the newest entries that have so many tokens together, newest first; the last one may be cut."""
    for entry in reversed(entries):
        tokens -= ENTRY_TOKENS
        if tokens < min(estimate_tokens(entry.text), MIN_TOKENS_WORTH_SHOWING):
            return
        text = cut_text(entry.text, tokens)
        tokens -= estimate_tokens(text)
        yield HistoryEntry(role=entry.role, text=text, at=entry.at)
        if text != entry.text:
            return


@dataclass(slots=True)
class _Story:
    """What was told so far, whether a human has the conversation, and the ownership epoch of the assistant's last turn.

    `epoch` is None while that is not known. `of` is the turn or the note that is being told. `undelivered` are the
    MessageSids of what did not reach the customer.
    """

    epoch: int | None
    undelivered: Collection[str]
    told: list[Told] = field(default_factory=list[Told])
    of: TurnRecord | Note | None = None
    with_human: bool = False

    def tell_note(self, note: Note) -> None:
        """Add what a human or another program said."""
        if note.author_role is AuthorRole.HUMAN:
            self.give_to_human(TAKEN_OVER, at=note.at)
        self._add(EntryRole(note.author_role), note.text, at=note.at)

    def tell_turn(self, record: TurnRecord, said: Sequence[str]) -> None:
        """Add what the customer said, as far as no later turn was asked it again, and what became of it."""
        if record.rule == RefusalRule.HUMAN:
            self.give_to_human(TAKEN_OVER)
        elif record.outcome is not TurnOutcome.VOID:  # a human's word made that void, or it is asked again
            self.give_to_assistant(record.ownership_epoch)
        for text in said:
            self._add(EntryRole.CUSTOMER, text, at=record.at)
        for text in record.calls:
            self._add(EntryRole.TOOL, text, at=record.at)
        for text in record.effects:
            self._add(EntryRole.MARK, text, at=record.at)
        if reply := _reply_read(record):
            is_answer = record.kind in {ReplyKind.ANSWER, ReplyKind.HANDOFF}
            self._add(EntryRole.ASSISTANT if is_answer else EntryRole.NOTICE, reply, at=record.at)
        if reply and (doubt := _doubt(record, self.undelivered)):
            self._add(EntryRole.MARK, doubt, at=record.at)
        if said and not _is_cut_short(record) and (why := _why_unanswered(record)):
            self._add(EntryRole.MARK, f"No answer ({why}).", at=record.at)
        is_void = record.outcome is TurnOutcome.VOID or record.rule == RefusalRule.OPTED_OUT
        if record.kind is ReplyKind.HANDOFF and not is_void:
            self.give_to_human(HANDED_OFF, at=record.at)

    def give_to_human(self, why: str, *, at: datetime | None = None) -> None:
        """Mark the beginning of a human's stretch, unless one has begun."""
        if not self.with_human:
            self._add(EntryRole.MARK, why, at=at)
        self.with_human = True

    def give_to_assistant(self, epoch: int, *, at: datetime = UNIX_EPOCH) -> None:
        """Mark the end of a human's stretch, where one ends before a turn of the assistant in this epoch."""
        when = at if at > UNIX_EPOCH else None
        if self.with_human:
            self._add(EntryRole.MARK, HANDED_BACK, at=when)
        elif self.epoch is not None and epoch > self.epoch:
            self._add(EntryRole.MARK, HANDED_OVER_AND_BACK, at=when)
        self.with_human, self.epoch = False, max(epoch, self.epoch or 0)

    def _add(self, role: EntryRole, text: str, *, at: datetime | None) -> None:
        self.told.append(Told(HistoryEntry(role=role, text=text, at=at), self.of))


def _reply_read(record: TurnRecord) -> str:
    """Return what the customer read, or may have read, of a turn: as it was written, not as their channel shows it."""
    is_by_its_rule = record.kind is not None and record.rule == RULE_OF_KIND.get(record.kind)
    if record.outcome in _ENDS_IN_WORDS or is_by_its_rule:
        return record.text or "\n\n".join(record.parts)
    sent = zip(record.parts, record.sent, strict=False) if _is_cut_short(record) else ()
    return "\n\n".join(part for part, sid in sent if sid)


def _doubt(record: TurnRecord, undelivered: Collection[str]) -> str:
    """Return what speaks against that the customer has received a reply; nothing where nobody says so."""
    if any(failed := [sid in undelivered for sid in record.sent]):
        return NOT_RECEIVED if all(failed) else NOT_ALL_RECEIVED
    if _is_cut_short(record):
        return NOT_ALL_RECEIVED
    return NOBODY_KNOWS if record.outcome is TurnOutcome.UNSURE else ""


def _is_cut_short(record: TurnRecord) -> bool:
    """Tell whether some parts of a reply were sent, and a later one was refused."""
    return record.outcome is TurnOutcome.REFUSED and any(record.sent) and not all(record.sent)


def _why_unanswered(record: TurnRecord) -> str:
    """Return why a turn's messages got no answer; nothing where they got one, or where a human had them."""
    if record.outcome is TurnOutcome.REFUSED and record.rule != RefusalRule.HUMAN:
        by_twilio = record.rule.startswith("twilio_")
        return "Twilio refused it" if by_twilio else _WHY_UNANSWERED.get(record.rule, record.rule.replace("_", " "))
    return _WHY_UNANSWERED.get(record.outcome, "")

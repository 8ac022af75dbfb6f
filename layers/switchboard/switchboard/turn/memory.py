"""What the agent remembers: the summary, what came after it, and which of it the next summary takes the place of.

A summary is made where the agent runs, by the agent or by a rule, and stored with the frozen reply: under the fencing
token, in the same write, so that no two workers write one and none is lost. Until then nothing has been left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from switchboard.agent import Answer, EntryRole, HistoryEntry
from switchboard.conversation import History, Summary, TurnRecord
from switchboard.customers import key_of
from switchboard.memory import Memory, MemoryMode, extract
from switchboard.ports import Remembered
from switchboard.tokens import MAX_QUESTION_TOKENS, MAX_SUMMARY_TOKENS, cut_text, estimate_tokens
from switchboard.turn.context import TurnContext
from switchboard.turn.history import ENTRY_TOKENS, Told, newest_that_fit, tell

MAX_EARLIER_CONVERSATIONS = 3  # of a customer, that a new one begins with a summary of
OLDER_LEFT_OUT = "Older messages are left out."


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What the agent is shown, and what will be remembered.

    `next` is the summary that is due, still without its text; where the agent gives none, it `must` be made by rule.
    `beginning` is a new summary of the customer's earlier conversations. `customer` is set where the conversation is
    not noted as this customer's yet.
    """

    history: tuple[HistoryEntry, ...] = ()
    to_summarize: tuple[HistoryEntry, ...] = ()
    next: Summary | None = None
    must: bool = False
    beginning: Summary | None = None
    customer: str = ""

    def remembered(self, answer: Answer) -> Remembered:
        """Return what is stored with the answer."""
        text = answer.summary.strip() if self.next else ""
        text = text or (extract(self.to_summarize) if self.must else "")
        if self.next is None or not text:
            return Remembered(summary=self.beginning, customer=self.customer)
        return Remembered(summary=replace(self.next, text=cut_text(text, MAX_SUMMARY_TOKENS)), customer=self.customer)


def recall(turn: TurnContext, *, tokens: int) -> Recalled:
    """Return what was said before the turn's own messages, oldest first: the summary, and the newest in so many tokens.

    It costs one request, and none where nothing was said before; one more where somebody has removed the summary, and
    with `customer` up to four more in the first turn of a conversation.
    """
    memory = turn.settings.memory
    if memory.mode is MemoryMode.OFF:
        return Recalled()
    history = _read(turn)
    is_new = memory.mode is MemoryMode.CUSTOMER and not turn.conversation.is_noted
    customer = key_of(turn.delivered[0].author, secret=turn.ports.customer_secret) if is_new else ""
    beginning = _beginning(turn, customer) if customer and history.summary is None else None
    summary = history.summary or beginning
    told = _after(summary, tell(history, turn))
    first = [HistoryEntry(role=EntryRole.SUMMARY, text=summary.text, at=summary.at)] if summary else []
    shown = [replace(entry, text=cut_text(entry.text, tokens // 2 - ENTRY_TOKENS)) for entry in first]
    due = _due(turn, memory, told)
    old = [each.entry for each in told if due and each.of and due.covers(each.of)]
    return Recalled(
        history=(*shown, *_shown(history, summary, [each.entry for each in told], tokens - _tokens(shown))),
        to_summarize=(*first, *newest_that_fit(old, MAX_QUESTION_TOKENS - _tokens(first))) if old else (),
        next=due,
        must=_items(told) > memory.max_items or _tokens([each.entry for each in told]) > memory.max_tokens,
        beginning=beginning,
        customer=customer,
    )


def _read(turn: TurnContext) -> History:
    store, conversation = turn.ports.conversations, turn.conversation
    if turn.begins_the_conversation():
        return History(items=(), is_complete=True)
    history = store.history(conversation.sid, since=conversation.history_from)
    if conversation.history_from and history.summary is None:
        return store.history(conversation.sid)
    return history


def _shown(
    history: History, summary: Summary | None, entries: Sequence[HistoryEntry], tokens: int
) -> list[HistoryEntry]:
    """Return the newest entries that fit, after a mark where something between them and the summary is missing."""
    around_it = 2 * ENTRY_TOKENS  # that mark, and what an agent says of the new messages
    newest = newest_that_fit(entries, tokens - around_it)
    is_whole = history.is_complete or (summary is not None and any(map(summary.covers, history.items)))
    if len(newest) == len(entries) and is_whole:
        return list(entries)
    return [HistoryEntry(role=EntryRole.MARK, text=OLDER_LEFT_OUT), *newest]


def _due(turn: TurnContext, memory: Memory, told: Sequence[Told]) -> Summary | None:
    """Return the summary that is due, without its text; None where there is room, or nothing that is old enough.

    It ends below the low watermark: a turn's record never stands lower, so none comes later to where it would be taken
    for a part of the summary. A note may: of those the gaps tell.
    """
    entries = [each.entry for each in told]
    if _items(told) <= memory.due_items and _tokens(entries) <= memory.due_tokens:
        return None
    coverage = turn.conversation.coverage
    index = _newest_to_leave(memory, told, below=coverage.low_watermark)
    if index is None:
        return None
    above = range(coverage.low_watermark + 1, index + 1)
    gaps = frozenset(gap for gap in (*coverage.gaps, *above) if gap <= index and not coverage.covers(gap))
    last = min(gaps, default=index + 1) - 1
    turns = [each.of.index for each in told if isinstance(each.of, TurnRecord) and each.of.index <= last]
    read_from = max(turns, default=turn.conversation.history_from)  # a turn's: its epoch tells who had the conversation
    return Summary(index=index, text="", at=turn.now(), gaps=gaps, read_from=read_from)


def _newest_to_leave(memory: Memory, told: Sequence[Told], *, below: int) -> int | None:
    """Return the highest index that is not among the newest that are kept as they are."""
    items, tokens, is_first = 0, 0, True
    indices: dict[int, None] = dict.fromkeys(each.of.index for each in told if each.of)
    for index in reversed(indices):
        same = [each for each in told if each.of and each.of.index == index]
        items += _items(same)
        tokens += _tokens([each.entry for each in same])
        is_kept = is_first or (items <= memory.kept_items and tokens <= memory.kept_tokens)
        if not is_kept and index < below:
            return index
        is_first = False
    return None


def _beginning(turn: TurnContext, customer: str) -> Summary | None:
    """Return a summary by rule of the customer's last conversations; None where there was none."""
    store, sid = turn.ports.conversations, turn.conversation.sid
    noted = store.conversations_of(customer, limit=MAX_EARLIER_CONVERSATIONS + 1)
    entries: list[HistoryEntry] = []
    for earlier in reversed([each for each in noted if each != sid][:MAX_EARLIER_CONVERSATIONS]):
        history = store.history(earlier)
        told = [each.entry for each in _after(history.summary, tell(history))]
        if at := next((entry.at for entry in told if entry.at), None):
            entries.append(HistoryEntry(role=EntryRole.SUMMARY, text=f"In an earlier conversation, {at:%Y-%m-%d}:"))
        if history.summary:
            entries.append(HistoryEntry(role=EntryRole.SUMMARY, text=history.summary.text))
        entries += told
    text = extract(entries)
    return Summary(index=-1, text=text, at=turn.now()) if text else None


def _after(summary: Summary | None, told: Sequence[Told]) -> list[Told]:
    """Return what is not in the summary."""
    return [each for each in told if not (summary and each.of and summary.covers(each.of))]


def _items(told: Sequence[Told]) -> int:
    return len({id(each.of) for each in told if each.of})


def _tokens(entries: Sequence[HistoryEntry]) -> int:
    return sum(estimate_tokens(entry.text) + ENTRY_TOKENS for entry in entries)

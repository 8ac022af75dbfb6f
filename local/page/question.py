"""A turn of the table → the question that its assistant was asked, to be asked again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.page.conversation_view import CONVERSATION, Items, record_of
from local.page.recorder import Happened, Kind
from switchboard.agent import EntryRole, HistoryEntry
from switchboard.aws.dynamodb.items import (
    EFFECTS,
    HISTORY,
    SUMMARY,
    effects_from_item,
    summary_from_item,
    turn_or_note_from_item,
)
from switchboard.channels.channel import Channel
from switchboard.channels.reply import one_message
from switchboard.conversation import History, Note, Summary, TurnRecord
from switchboard.turn.history import tell


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTurn:
    """A turn that has ended: what was said before it, what it was asked and answered, what its tools changed.

    `customer`, a key, and `max_characters` are the conversation's, as its last reply knew them.
    """

    record: TurnRecord
    history: tuple[HistoryEntry, ...]
    effects: Mapping[str, str]  # results, by tool and number of the call
    customer: str = ""
    max_characters: int | None = None

    @property
    def answer(self) -> str:
        """What the customer read."""
        return self.record.text or "\n\n".join(self.record.parts)


def past_turn(items: Items, turn: str) -> PastTurn | None:
    """Return a turn; None where it has no record."""
    item = record_of(items, turn)
    if item is None:
        return None
    record = turn_or_note_from_item(item)
    if not isinstance(record, TurnRecord):
        return None
    told = [turn_or_note_from_item(each) for key, each in items.items() if key.startswith(HISTORY) and key != SUMMARY]
    summary = summary_from_item(items[SUMMARY]) if SUMMARY in items else None
    if summary and summary.index >= record.index:  # it was made later
        summary = None
    before = [each for each in told if (each.index, each.at) < (record.index, record.at)]
    effects = effects_from_item(items.get(f"{EFFECTS}{turn}", {}))
    item = items.get(CONVERSATION, {})
    return PastTurn(
        record=record,
        history=_history(before, summary),
        effects={f"{effect.tool}#{effect.call}": effect.result for effect in effects.effects},
        customer=str(item.get("customer", "")),
        max_characters=one_message(Channel(item["channel"])) if "channel" in item else None,
    )


def calls_of(events: Sequence[Happened], turn: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the arguments of each tool that a turn called."""
    return {
        str(each.facts["name"]): each.facts["arguments"]
        for each in events
        if each.kind is Kind.TOOL and each.facts["turn"] == turn
    }


def _history(before: Iterable[TurnRecord | Note], summary: Summary | None) -> tuple[HistoryEntry, ...]:
    """Return what was said, as the assistant is told it: a summary stands for what it covers."""
    items = sorted((each for each in before if not (summary and summary.covers(each))), key=lambda each: each.index)
    first = [HistoryEntry(role=EntryRole.SUMMARY, text=summary.text, at=summary.at)] if summary else []
    told = tell(History(items=tuple(items), is_complete=summary is None))
    return (*first, *(each.entry for each in told))

"""The conversations as a human sees them at the desk: Twilio's side and the table's, and who waits since when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Any

from local.page import desk_words
from local.page.talks import Talk
from switchboard.aws.dynamodb.budget_store import BudgetStore
from switchboard.aws.dynamodb.client import ConversationsTable
from switchboard.aws.dynamodb.items import conversation_from_item, from_wire, to_wire
from switchboard.aws.dynamodb.turn_store import TurnStore
from switchboard.conversation import Conversation, OwnerReason
from switchboard.events import Owner
from switchboard.turn.history import tell

MAX_ITEMS = 100  # of one BatchGetItem
MAX_ENTRIES = 12  # of a conversation's story
MAX_CHARACTERS = 400  # of one of them
# The attributes of an item that a row is made of: the rest of a hundred items costs more to read than all else here.
_NEEDED = (
    *("pk", "owner", "owner_reason", "owner_since", "human_spoke_at", "handed_back_at", "first_seen_at"),
    *("state", "opted_out", "left_to_human"),
)
_SOMEBODY_HAS_TO_COME = frozenset({OwnerReason.HANDOFF, OwnerReason.FAILURE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Reads the table; every method waits for DynamoDB."""

    table: ConversationsTable

    def conversations(self, sids: Sequence[str]) -> Mapping[str, Conversation]:
        """Return those of these conversations that have an item, with what a row shows of them and nothing else."""
        return {conversation.sid: conversation for keys in batched(sids, MAX_ITEMS) for conversation in self._get(keys)}

    def story(self, sid: str) -> list[dict[str, str]]:
        """Return what the assistant knows of a conversation, its newest entries: who said what, what happened."""
        history = TurnStore(table=self.table, budgets=BudgetStore(table=self.table, customer_key=b"")).history(sid)
        entries = [each.entry for each in tell(history)]
        told = [{"who": each.role.value, "text": _cut(each.text)} for each in entries[-MAX_ENTRIES:]]
        summary = [{"who": "summary", "text": history.summary.text}] if history.summary else []
        return [*summary, *told]

    def _get(self, sids: Iterable[str]) -> list[Conversation]:
        keys = [to_wire({"pk": sid, "sk": "CONVERSATION"}) for sid in sids]
        asked: Any = {
            self.table.name: {
                "Keys": keys,
                "ConsistentRead": True,
                "ProjectionExpression": ", ".join(f"#{name}" for name in _NEEDED),
                "ExpressionAttributeNames": {f"#{name}": name for name in _NEEDED},
            }
        }
        items: list[Conversation] = []
        while asked:
            answer = self.table.client.batch_get_item(RequestItems=asked)
            found = map(from_wire, answer["Responses"].get(self.table.name, []))
            items += (conversation_from_item(item["pk"], item) for item in found)
            asked = answer.get("UnprocessedKeys")
        return items


def rows(talks: Iterable[Talk], conversations: Mapping[str, Conversation], *, now: datetime) -> list[dict[str, object]]:
    """Return the conversations in the order of their need: who waits longest first, then by the last words."""
    known = [(talk, conversations.get(talk.sid, Conversation(sid=talk.sid))) for talk in talks]
    waits = {talk.sid: _waits_since(talk, conversation) for talk, conversation in known}

    def need(pair: tuple[Talk, Conversation]) -> tuple[int, float]:
        talk, conversation = pair
        if since := waits[talk.sid]:
            return 0, since.timestamp()
        return 2 if _is_closed(talk, conversation) else 1, -talk.last_at.timestamp()

    ordered = sorted(known, key=need)
    return [_row(talk, conversation, waits[talk.sid], now=now) for talk, conversation in ordered]


def _row(talk: Talk, conversation: Conversation, waits_since: datetime | None, *, now: datetime) -> dict[str, object]:
    is_human = conversation.owner is Owner.HUMAN
    last = talk.last
    return {
        "sid": talk.sid,
        "state": "closed" if _is_closed(talk, conversation) else talk.state,
        "owner": conversation.owner.value,
        "why": desk_words.why_owned(conversation),
        "since": text_of(conversation.owner_since) if is_human else None,
        "channel": talk.channel,
        "customer": talk.customer,
        "last": {
            "who": last.role.value,
            "text": last.text,
            "at": text_of(last.at),
            "failed": None if last.error_code is None else desk_words.why_undelivered(last.error_code),
        }
        if last
        else None,
        "waits_since": text_of(waits_since) if waits_since else None,
        "reason": conversation.owner_reason.value if is_human and conversation.owner_reason else "",
        "left": len(conversation.left_to_human),
        "window_until": text_of(talk.window_until) if talk.window_until else None,
        "window_open": talk.window_until is None or now < talk.window_until,
        "opted_out": conversation.consent.opted_out,
    }


def text_of(at: datetime) -> str:
    """Return a time as JavaScript reads it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_closed(talk: Talk, conversation: Conversation) -> bool:
    return talk.state == "closed" or conversation.closed


def _waits_since(talk: Talk, conversation: Conversation) -> datetime | None:
    """Return since when the customer waits for a human, or for what a human has to do; None where nobody waits."""
    if conversation.owner is Owner.ASSISTANT or _is_closed(talk, conversation) or conversation.consent.opted_out:
        return None
    if conversation.owner_reason in _SOMEBODY_HAS_TO_COME and conversation.human_spoke_at < conversation.owner_since:
        return min(conversation.owner_since, talk.unanswered_since or conversation.owner_since)
    return talk.unanswered_since


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…"

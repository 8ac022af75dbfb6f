"""Record: remember the turn and charge the budgets. A failure also leaves its messages in the dead-letter queue."""

from collections.abc import Iterable

from switchboard.conversation import TurnOutcome, TurnRecord
from switchboard.turn.context import Step, TurnContext
from switchboard.turn.messages import dead_letters, prompt_text
from switchboard.turn.result import Ended, Refused

_NEEDS_A_DEAD_LETTER = frozenset({TurnOutcome.FELL_BACK, TurnOutcome.EXPIRED})

MAX_RECORD_CHARACTERS = 20_000  # of a turn's messages: an item holds 400 KB, and each KB is paid for


def record(turn: TurnContext, ending: Ended) -> None:
    """Store how the reply ended. A repeat stores another outcome, if it has one, and charges nothing."""
    turn.ports.conversations.record(turn.conversation.sid, turn_record(turn, ending))
    turn.ports.observe(Step.RECORD)
    if ending.outcome in _NEEDS_A_DEAD_LETTER:
        turn.ports.dead_letters.copy(dead_letters(turn, ending.reply.covers), turn=ending.reply.turn)
        turn.ports.observe(Step.RECORD)


def turn_record(turn: TurnContext, ending: Ended | Refused) -> TurnRecord:
    """Return what is remembered of the turn. Messages that joined after its reply was frozen belong to the next one."""
    covers = ending.reply.covers if isinstance(ending, Ended) else turn.waiting_indices()
    messages = sorted(message for message in turn.conversation.turn_messages if message.index in covers)
    return TurnRecord(
        turn=turn.conversation.turn,
        first_index=min(covers),
        message_sids=tuple(message.message_sid for message in messages),
        said=_cut((prompt_text(message) for message in turn.messages), MAX_RECORD_CHARACTERS),
        parts=ending.reply.parts if isinstance(ending, Ended) else (),
        outcome=ending.outcome if isinstance(ending, Ended) else TurnOutcome.REFUSED,
        rule=ending.rule,
        at=turn.now(),
        customer=turn.delivered[0].author,
        kind=ending.reply.kind if isinstance(ending, Ended) else None,
    )


def _cut(texts: Iterable[str], characters: int) -> tuple[str, ...]:
    """Return texts that have at most so many characters together: the last ones are cut or left out."""
    kept: list[str] = []
    for text in texts:
        if characters > 0:
            kept.append(text[:characters])
            characters -= len(text)
    return tuple(kept)

"""Record: remember the turn and charge the budgets. A failure also leaves its messages in the dead-letter queue."""

from switchboard.conversation import TurnOutcome, TurnRecord
from switchboard.tokens import MAX_MESSAGES_TOKENS, keep_newest
from switchboard.turn.context import Step, TurnContext
from switchboard.turn.cost import cost_of
from switchboard.turn.effects import effects_of
from switchboard.turn.messages import dead_letters
from switchboard.turn.result import Ended, Refused

_NEEDS_A_DEAD_LETTER = frozenset({TurnOutcome.FELL_BACK, TurnOutcome.EXPIRED})

UNREAD = "[a message whose text is not known]"  # its body came with no record, and no list was read


def record(turn: TurnContext, ending: Ended) -> None:
    """Store how the reply ended. A repeat stores another outcome and cost, if it has one, and charges nothing."""
    turn.ports.conversations.record(turn.conversation.sid, turn_record(turn, ending))
    turn.observe(Step.RECORD)
    if ending.outcome in _NEEDS_A_DEAD_LETTER:
        turn.ports.dead_letters.copy(dead_letters(turn, ending.reply.covers), turn=ending.reply.turn)
        turn.observe(Step.RECORD, "dead letters")


def turn_record(turn: TurnContext, ending: Ended | Refused) -> TurnRecord:
    """Return what is remembered of the turn. Messages that joined after its reply was frozen belong to the next one."""
    covers = ending.reply.covers if isinstance(ending, Ended) else ending.covers
    messages = sorted(message for message in turn.conversation.turn_messages if message.index in covers)
    texts = {message.message_sid: message.text for message in turn.messages}
    return TurnRecord(
        turn=turn.conversation.turn,
        index=max(turn.conversation.coverage.low_watermark, *covers),
        ownership_epoch=(ending.reply if isinstance(ending, Ended) else turn.conversation).ownership_epoch,
        message_sids=tuple(message.message_sid for message in messages),
        said=keep_newest([texts.get(message.message_sid, UNREAD) for message in messages], MAX_MESSAGES_TOKENS),
        parts=ending.reply.parts if isinstance(ending, Ended) else (),
        outcome=ending.outcome if isinstance(ending, Ended) else TurnOutcome.REFUSED,
        rule=ending.rule,
        at=turn.now(),
        customer=turn.delivered[0].author,
        kind=ending.reply.kind if isinstance(ending, Ended) else None,
        text=ending.reply.text if isinstance(ending, Ended) else "",
        effects=tuple(effect.told() for effect in effects_of(turn).effects),
        calls=ending.reply.calls if isinstance(ending, Ended) else ending.calls,
        cost=cost_of(turn, ending) if isinstance(ending, Ended) else None,
        sent=_sent(ending) if isinstance(ending, Ended) else (),
    )


def _sent(ending: Ended) -> tuple[str, ...]:
    """Return the MessageSid of each part, empty for one that Twilio is not known to have; none where it has none."""
    sids = {part: sent.message_sid for part, sent in ending.sent.items()}
    return tuple(sids.get(part, "") for part in range(len(ending.reply.parts))) if sids else ()

"""What the desk says, in words: why somebody owns a conversation, what people are told, what became of an action."""

from collections.abc import Mapping

from switchboard.conversation import Conversation, OwnerReason
from switchboard.deliveries import OPTED_OUT, Undelivered, reason_of
from switchboard.errors import NotSent, SendRefused, SwitchboardError, Unknown, WindowClosed
from switchboard.events import Owner
from switchboard.notices import NoticeReason
from switchboard.operators import HandedBack, Outcome
from switchboard.twilio.rest.conversations import CLOSED_ALREADY

TOO_LONG = (50504, 21617)

CLOSED = "This conversation is closed, for good. The customer's next text opens a new one."
HAS_OPTED_OUT = "The customer has opted out: nothing is sent to them until they write START."
WINDOW_CLOSED = "WhatsApp takes no text more than 24 hours after the customer's last message."
TOOK = "You have the conversation. The assistant is silent."
SENT = "Sent. You have the conversation."
GAVE_BACK = "The assistant has the conversation again, and answers what was left."
OUTDATED = "Nothing changed: a newer word or decision has set the owner."
NOT_SHOWN = "Twilio's attributes could not be changed; a sweep tries again."

_OWNED: Mapping[OwnerReason, str] = {
    OwnerReason.MESSAGE: "A human wrote in it.",
    OwnerReason.ATTRIBUTE: "A human took it over.",
    OwnerReason.HANDOFF: "The assistant handed it over.",
    OwnerReason.FAILURE: "The assistant failed. It has the next message of the customer again.",
}

_UNDELIVERED: Mapping[Undelivered, str] = {
    Undelivered.WINDOW_CLOSED: WINDOW_CLOSED,
    Undelivered.UNREACHABLE: "This address takes no message.",
    Undelivered.BLOCKED: "The carrier, or WhatsApp, takes no message of our sender.",
    Undelivered.NOT_DELIVERED: "Twilio could not deliver it.",
}

_NOTICES: Mapping[str, str] = {
    NoticeReason.HANDOFF: "The assistant handed over to a human",
    NoticeReason.TOO_OLD: "A message came too late for an answer",
    NoticeReason.LOOP: "Two machines answer each other; the assistant is silent",
    NoticeReason.FELL_BACK: "An answer failed; the customer read the fallback sentence",
    NoticeReason.EXPIRED: "An answer could not be sent in time",
    NoticeReason.UNSURE: "Nobody knows whether an answer arrived",
    NoticeReason.REFUSED: "Twilio refuses an answer",
    NoticeReason.BY_HUMAN: "A human handed back",
    NoticeReason.BY_TIME: "Handed back: no human had spoken for long",
    NoticeReason.CLOSED: "The conversation was closed",
    NoticeReason.WINDOW_CLOSED: "WhatsApp's window is closed: no text reaches the customer",
    NoticeReason.UNREACHABLE: "A message did not arrive: the address takes none",
    NoticeReason.BLOCKED: "A message did not arrive: our sender is blocked",
    NoticeReason.NOT_DELIVERED: "A message did not arrive",
}


def why_owned(conversation: Conversation) -> str:
    """Return why the conversation has its owner."""
    if conversation.owner is Owner.HUMAN:
        return _OWNED[conversation.owner_reason or OwnerReason.MESSAGE]
    was_handed_back = conversation.handed_back_at > conversation.first_seen_at
    return "It was handed back to the assistant." if was_handed_back else ""


def why_undelivered(error_code: int) -> str:
    """Return what Twilio's error code says."""
    if error_code == OPTED_OUT:
        return HAS_OPTED_OUT
    if error_code in TOO_LONG:
        return "The text is too long for the channel: at most 1,600 characters."
    code = f" Twilio's code: {error_code}." if error_code else ""
    return f"{_UNDELIVERED[reason_of(error_code)]}{code}"


def told(reason: str, count: int) -> str:
    """Return what a notice tells people."""
    words = _NOTICES.get(reason, reason.replace("_", " "))
    return f"{words}, in {count} conversations" if count > 1 else words


def outcome_of(outcome: Outcome, *, done: str) -> tuple[bool, str]:
    """Return whether a change of owner happened, and what to say of it."""
    if outcome is Outcome.OUTDATED:
        return False, OUTDATED
    return True, f"{done} {NOT_SHOWN}" if outcome is Outcome.NOT_SHOWN else done


def handed_back_of(results: tuple[HandedBack, ...]) -> tuple[bool, str]:
    """Return whether all of several hand backs happened, and what to say of them."""
    if not results:
        return True, "No human has a conversation."
    done = sum(each.outcome in {Outcome.APPLIED, Outcome.NOT_SHOWN} for each in results)
    said = "1 conversation was handed back." if done == 1 else f"{done} conversations were handed back."
    left = len(results) - done
    return not left, f"{said} {left} stayed with their humans." if left else said


def error_of(error: SwitchboardError, *, conversation_sid: str = "") -> str:
    """Return what went wrong, for whoever tried it."""
    if isinstance(error, WindowClosed):
        return WINDOW_CLOSED
    if isinstance(error, SendRefused):
        if error.code == CLOSED_ALREADY:
            return CLOSED
        return why_undelivered(error.code) if error.code in TOO_LONG else _opted_out_or(error, conversation_sid)
    if isinstance(error, NotSent):
        return f"Not sent: try again. {_plain(error, conversation_sid)}"
    if isinstance(error, Unknown):
        reason = _plain(error, conversation_sid)
        return f"Nobody knows whether it was sent: look at the phone before you repeat it. {reason}"
    return _plain(error, conversation_sid)


def _opted_out_or(error: SendRefused, conversation_sid: str) -> str:
    return HAS_OPTED_OUT if error.code is None else f"Twilio refuses it: {_plain(error, conversation_sid)}"


def _plain(error: SwitchboardError, conversation_sid: str) -> str:
    return str(error).removeprefix(f"{conversation_sid}: ")

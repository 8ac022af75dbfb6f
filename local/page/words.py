"""What decisions, steps and Twilio's events are, in plain words."""

from collections.abc import Mapping
from typing import Any

# Each: whether it is good, a wait, or bad; and a sentence.
GOOD, WAIT, BAD, QUIET = "good", "wait", "bad", "quiet"

DECISIONS: Mapping[str, tuple[str, str]] = {
    "answered": (GOOD, "The customer was answered."),
    "handed_off": (GOOD, "The assistant handed the conversation over to a human."),
    "fell_back": (BAD, "The assistant failed: the customer read the fallback sentence, and a human has to look."),
    "refused": (QUIET, "A rule says that these messages get no answer."),
    "expired": (BAD, "The reply could not be sent in time."),
    "unsure": (BAD, "Nobody knows whether the reply has left."),
    "void": (QUIET, "A human was faster: the reply was not sent."),
    "dropped": (QUIET, "It was handled before: nothing is said twice."),
    "busy": (WAIT, "Another worker has the conversation: the records come back when its lease ends."),
    "put_off": (WAIT, "Its last worker died: it is taken alone, in another batch."),
    "coalescing": (WAIT, "It waits a moment for more texts, to answer them together."),
    "fenced": (WAIT, "Somebody took the conversation meanwhile: the next attempt decides."),
    "retry": (WAIT, "It did not work: it is tried again."),
    "model_refused_us": (WAIT, "The model refuses us: look at its key, access and quota. It is tried again."),
    "looking": (WAIT, "A reply may have left: before it is sent again, Twilio is asked whether it has it."),
    "failed": (BAD, "An error nobody made a decision for: the records come back."),
    "accepted": (QUIET, "The signature is Twilio's, and the event is on its queue."),
    "taken_over": (QUIET, "A human has the conversation."),
    "handed_back": (QUIET, "The assistant has the conversation again."),
    "closed": (QUIET, "The conversation is closed."),
    "opted_out": (QUIET, "The customer wants no messages."),
    "delivery_failed": (BAD, "A message did not reach the customer."),
    "noted": (QUIET, "It is kept for the history."),
    "outdated": (QUIET, "Something newer is known: it changes nothing."),
    "none": (QUIET, "It changes nothing."),
    "notified": (QUIET, "People were told."),
    "duplicate_reply": (BAD, "The customer has read a reply twice."),
    "redrive_skipped": (QUIET, "A redriven message needs no answer any more."),
}
ENDINGS = frozenset({"answered", "handed_off", "fell_back", "refused", "expired", "unsure", "void", "dropped"})
COMES_BACK = frozenset({"busy", "put_off", "coalescing", "fenced", "retry", "model_refused_us", "looking", "failed"})

STEPS: Mapping[str, str] = {
    "claim": "One write takes the conversation for this worker: a new fencing token, a lease, one attempt more.",
    "resume": "A reply was frozen before: Twilio is asked which parts of it are there.",
    "gather": "Which messages are answered? Twilio's list is read where a number is not explained.",
    "gate": "Is it handled already, and does a rule refuse it?",
    "think": "The budgets and the history are read, and the assistant is asked.",
    "freeze": "The reply is stored before it is sent: no later attempt says anything else.",
    "send": "Twilio is given a part of the reply, marked with its turn.",
    "record": "The turn is remembered, and the budgets are charged.",
    "settle": "The messages are handled, and the lease is given back. Only now the records are acknowledged.",
}
NOTHING_TO_GATHER = "Every message came with its record, so Twilio was not asked."

RULES: Mapping[str, str] = {
    "human": "a human has the conversation",
    "closed": "the conversation is closed",
    "opted_out": "the customer wants no messages",
    "too_old": "the message came too late",
    "window_closed": "WhatsApp's 24 hours are over",
    "reaction": "a reaction to words of ours",
    "loop": "two machines answer each other",
    "over_budget": "the limit of the day is reached",
    "no_reply": "the assistant decided to say nothing",
    "not_in_trial": "the customer is not in the trial",
}

SHORT_EVENTS: Mapping[str, str] = {  # the names of their bars; that of a message is the webhook's
    "onConversationAdded": "conversation",
    "onParticipantAdded": "participant",
    "onParticipantRemoved": "participant",
    "onParticipantUpdated": "participant",
    "onConversationStateUpdated": "state",
    "onConversationUpdated": "attributes",
}
EVENTS: Mapping[str, str] = {
    "onMessageAdded": "A message was added",
    "onConversationAdded": "The conversation began",
    "onParticipantAdded": "A participant joined",
    "onDeliveryUpdated": "Delivery",
    "onConversationStateUpdated": "The conversation's state changed",
    "onConversationUpdated": "The conversation was changed",
    "onMessageUpdated": "A message was changed",
}


def tone_of(decision: str, level: str = "INFO") -> str:
    """Return whether a decision is good, a wait or bad."""
    if level in {"ERROR", "CRITICAL"} or decision.startswith("rejected_"):
        return BAD
    return DECISIONS.get(decision, (QUIET, ""))[0]


def say_decision(facts: Mapping[str, Any]) -> str:
    """Return a decision with its cause, in a sentence or two."""
    name, cause = str(facts.get("decision", "")), str(facts.get("cause") or facts.get("detail") or "")
    if name == "refused":
        return f"No answer: {RULES.get(cause, cause.replace('_', ' '))}."
    if name.startswith("rejected_"):
        return f"The webhook was refused: {name.removeprefix('rejected_').replace('_', ' ')}."
    if name.startswith("ignored_"):
        return "Nobody needs to act on it."
    sentence = DECISIONS.get(name, (QUIET, name.replace("_", " ").capitalize() + "."))[1]
    return f"{sentence} ({cause})" if cause else sentence


def say_event(fields: Mapping[str, str]) -> str:
    """Return what a webhook tells, in a few words."""
    kind = fields.get("EventType", "")
    if kind == "onMessageAdded":
        return f"A message by {fields.get('Author', '')}"
    if kind == "onDeliveryUpdated":
        return f"Delivery: {fields.get('Status', '')}"
    if kind == "onConversationStateUpdated":
        return f"The conversation is {fields.get('StateTo') or fields.get('State') or 'changed'}"
    return EVENTS.get(kind, kind)

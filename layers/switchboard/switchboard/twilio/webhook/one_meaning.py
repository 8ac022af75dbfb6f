"""Reject a form whose signed text could be cut into another form.

Twilio signs the names and values of a form, sorted by name, without separators: `…AuthorannBodyhi…` is signed, and a
sender who knows the signature of their own message may cut this text elsewhere. What stops them is that the text alone
tells where each field that we read begins and ends:

- A name that nobody writes by chance (`ConversationSid`) is in the text only where it is the name of a field.
- Up to `ConversationSid`, where the customer's words stand, all names are documented ones; so `Body` ends at one.
- `Attributes` is JSON, which no piece of it is; `Author` does not contain `Body`.
- A value of a known set (`EventType`) is neither a piece of a longer one that the text spells, nor such a value and
  more.
- A plain word (`Media`, `Status`) is the name of a field where it is first read at its place, between two
  names of the first kind; if the field is absent, the word is not there.

A customer who writes such a name into a text is rejected too; the sweeper finds the message.
"""

import json
from bisect import bisect
from collections.abc import Collection, Iterator, Mapping, Sequence

from switchboard.errors import Malformed, RejectionCause
from switchboard.twilio.webhook.verify import Form

# Sources: Twilio, "Conversations webhooks"; the parameters up to ConversationSid of "Messaging webhooks", which Twilio
# may add without notice.
UNMISTAKABLE = frozenset(
    {
        "AccountSid",
        "ButtonPayload",
        "ButtonText",
        "ChannelMessageSid",
        "ChannelMetadata",
        "ChatServiceSid",
        "ClientIdentity",
        "ContentSid",
        "ConversationSid",
        "DateCreated",
        "DateRemoved",
        "DateUpdated",
        "DeliveryReceiptSid",
        "ErrorCode",
        "EventType",
        "FriendlyName",
        "MessageSid",
        "MessagingServiceSid",
        "ParticipantSid",
        "RetryCount",
        "StateFrom",
        "StateTo",
        "StateUpdated",
        "UniqueName",
    }
)
WORDS_WE_READ = ("Media", "Status")
WITH_CUSTOMERS_WORDS = ("Attributes", "Author", "Body")  # and the names around them, up to ConversationSid
DOCUMENTED = frozenset([*UNMISTAKABLE, *WITH_CUSTOMERS_WORDS])


def reject_ambiguous(form: Form, values: Mapping[str, Collection[str]]) -> None:
    """Raise `Malformed` where another form, which tells something else, may have the same signature.

    `values` are the known values of some fields, by name.
    """
    for reason in _ambiguities(form, values):
        raise Malformed(reason, cause=RejectionCause.AMBIGUOUS)


def _ambiguities(form: Form, values: Mapping[str, Collection[str]]) -> Iterator[str]:
    names = sorted(form)
    text, offsets = _signed(form, names)
    # The event type onConversationStateUpdated spells StateUpdated.
    spelled = " ".join([*names, *form.values("EventType")])
    for name in UNMISTAKABLE:
        if text.count(name) != spelled.count(name):
            yield f"{name} stands inside a value, or across two fields"
    if any(name not in DOCUMENTED for name in names[: bisect(names, "ConversationSid")]):
        yield "a field that Twilio does not document stands before ConversationSid"
    if not _is_json(form.get("Attributes") or "{}"):
        yield "Attributes is not valid JSON"
    if "Body" in (form.get("Author") or ""):
        yield "Body stands inside Author"
    anchors = [name for name in names if name in UNMISTAKABLE]
    for word in WORDS_WE_READ:
        place = bisect(anchors, word)
        start = offsets[anchors[place - 1]] if place else 0
        end = offsets[anchors[place]] if place < len(anchors) else len(text)
        if text.find(word, start, end) != offsets.get(word, -1):
            yield f"{word} stands inside another field"
    for name in values.keys() & offsets:
        read = [value for value in values[name] if text.startswith(value, offsets[name] + len(name))]
        if read and max(read, key=len) != form.get(name):
            yield f"{name} and the field behind it spell another value"


def _signed(form: Form, names: Sequence[str]) -> tuple[str, dict[str, int]]:
    """Return the text that is signed, and where in it each field begins. A repeated value is signed once."""
    text, offsets = "", dict[str, int]()
    for name in names:
        offsets[name] = len(text)
        values = form.fields[name]
        for value in values if len(values) == 1 else sorted(set(values)):
            text += name + value
    return text, offsets


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True

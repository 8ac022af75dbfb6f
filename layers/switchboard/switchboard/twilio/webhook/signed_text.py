"""One signature, one meaning, for every event type: a signed text is cut into fields in one way, from the text alone.

Twilio signs the names and values of a form, sorted by name, without separators. So the same signature may be valid for
another form, with the text cut elsewhere. `reject_other_cuts` cuts the text anew, without a look at the form, and
rejects a form that is not the result. So two forms with one signature that are both accepted tell the same event.

The cut goes by the names that Twilio documents for the event type:

- A name that nobody writes by chance (`ConversationSid`) begins a field wherever it is read in order.
- A plain word (`Index`, `Body`) begins a field where it is first read between two such names.
- A SID, a time, a number or JSON ends by itself; behind it may stand what nobody documents. Other text ends where the
  next documented field begins.

A form is rejected too, where a value contains the name of a field that could stand there.
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from switchboard.errors import Malformed, RejectionCause
from switchboard.twilio.webhook.parse import KNOWN
from switchboard.twilio.webhook.verify import Form

_ANY = frozenset({"AccountSid", "ChatServiceSid", "ClientIdentity", "EventType", "RetryCount", "Source"})
# Of Twilio's other webhooks; they stand behind a customer's words.
_MESSAGING = frozenset({"ButtonPayload", "ButtonText", "ChannelMetadata", "ContentSid"})
_DATES = frozenset({"DateCreated", "DateRemoved", "DateUpdated"})
_BINDING = frozenset(
    f"MessagingBinding.{name}" for name in ("Address", "AuthorAddress", "ProjectedAddress", "ProxyAddress", "Type")
)
_NEW_CONVERSATION = _ANY | _BINDING | {"Attributes", "FriendlyName", "MessagingServiceSid", "State", "UniqueName"}
_CONVERSATION = _NEW_CONVERSATION | _DATES | {"ConversationSid"}
_MESSAGE = (
    _ANY
    | _MESSAGING
    | _DATES
    | {"Attributes", "Author", "Body", "ConversationSid", "Index", "Media", "MessageSid", "MessagingServiceSid"}
    | {"ParticipantSid"}
)
_PARTICIPANT = (
    _ANY
    | _DATES
    | _BINDING
    | {"Attributes", "ConversationSid", "Identity", "LastReadMessageIndex", "MessagingServiceSid", "ParticipantSid"}
    | {"RoleSid"}
)
_USER = _ANY | _DATES | {"Attributes", "FriendlyName", "Identity", "RoleSid", "UserSid", "isNotifiable", "isOnline"}
_STATE = _ANY | {"ConversationSid", "MessagingServiceSid", "Reason", "StateFrom", "StateTo", "StateUpdated"}
_DELIVERY = (
    _ANY
    | _DATES
    | {
        "ChannelMessageSid",
        "ConversationSid",
        "DeliveryReceiptSid",
        "ErrorCode",
        "MessageSid",
        "ParticipantSid",
        "Status",
    }
)
# Source: Twilio, "Conversations webhooks". A longer beginning of an event type decides before a shorter one.
_NAMES: Mapping[str, frozenset[str]] = {
    "onConversationStateUpdated": _STATE,
    "onConversationAdded": _CONVERSATION,
    "onConversationAdd": _NEW_CONVERSATION | {"Media", "MessageBody"},
    "onConversation": _CONVERSATION,
    "onMessage": _MESSAGE,
    "onParticipant": _PARTICIPANT,
    "onDelivery": _DELIVERY,
    "onUser": _USER,
}
_OF_UNKNOWN_TYPES = frozenset({"AccountSid", "ChatServiceSid"})
REPEATED = _BINDING  # of a group's participants

# Any other name is one that nobody writes by chance. Of a word with a pattern, what is behind it must match.
_WORDS = {
    "Attributes": "",
    "Author": "",
    "Body": "",
    "Identity": "",
    "Index": "(?=[0-9])",
    "Media": r"(?=\[)",
    "Reason": "",
    "Source": "",
    "State": "",
    "Status": "",
}
_NUMBERS = frozenset({"ErrorCode", "Index", "LastReadMessageIndex", "RetryCount"})
_JSON = frozenset({"Attributes", "Media"})

_KNOWN_TYPE = re.compile("|".join(sorted(KNOWN, key=len, reverse=True)))
_SID = re.compile("[A-Z]{2}[0-9a-fA-F]{32}")
_TIME = re.compile(r"[-0-9T:.]+(?:Z|\+00:00)")
_NUMBER = re.compile("[0-9]+")
_SPACE = re.compile("[ \t\n\r]*")


def reject_other_cuts(form: Form) -> Form:
    """Return the fields of a form that Twilio documents for its event type; `Malformed` if the text has another cut.

    Of an event type that Twilio does not document, they are the account and the service.
    """
    text = "".join(name + value for name in sorted(form) for value in sorted(set(form.getall(name))))
    found = re.search(f"EventType({_KNOWN_TYPE.pattern})", text)
    event_type = found[1] if found else ""
    names = next((names for start, names in _NAMES.items() if event_type.startswith(start)), _OF_UNKNOWN_TYPES)
    cut = dict[str, list[str]]()
    for name, value in _fields(text, names):
        cut.setdefault(name, []).append(value)
    for name in names:
        if sorted(set(form.values(name))) != cut.get(name, []):
            raise Malformed(f"{name} and the fields around it spell another form", cause=RejectionCause.AMBIGUOUS)
    return Form({name: form.getall(name) for name in names if name in form.fields})


def _fields(text: str, names: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield the fields of a signed text with their values."""
    starts = [*_unmistakable(text, names), ("~", len(text))]  # behind every name
    for (name, start), (following, end) in pairwise(starts):
        words = sorted(word for word in names & _WORDS.keys() if name < word < following)
        yield from _stretch(text[start:end], name, words)


def _unmistakable(text: str, names: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Yield the names that nobody writes by chance, in their order, and where they stand."""
    pattern = "|".join(re.escape(name) for name in sorted(names - _WORDS.keys(), key=len, reverse=True))
    # An event type may spell the name of a field: it is read as a whole.
    last = ""
    for match in re.finditer(f"(EventType)(?:{_KNOWN_TYPE.pattern})|{pattern}", text):
        name = match[1] or match[0]
        if name > last or (name == last and name in REPEATED):
            yield name, match.start()
            last = name


def _stretch(text: str, name: str, words: list[str]) -> Iterator[tuple[str, str]]:
    """Yield a field that begins the text, and the plain words behind it."""
    start = 0
    while True:
        start += len(name)
        words = [word for word in words if word > name]
        end = _own_end(text, start, name)
        following = re.compile("|".join(word + _WORDS[word] for word in words)).search(
            text, start if end is None else end
        )
        behind = following.start() if following and words else len(text)
        yield name, text[start : behind if end is None else end]
        if not following or not words:
            return
        name, start = following[0], behind


def _own_end(text: str, start: int, name: str) -> int | None:
    """Return where a value ends by itself; None if only what follows tells."""
    if name in _JSON:
        return _json_end(text, start)
    if name == "EventType":
        pattern = _KNOWN_TYPE
    elif name.endswith("Sid"):
        pattern = _SID
    elif name in _NUMBERS:
        pattern = _NUMBER
    elif name.startswith("Date") or name == "StateUpdated":
        pattern = _TIME
    else:
        return None
    match = pattern.match(text, start)
    return match.end() if match else None


def _json_end(text: str, start: int) -> int | None:
    begin = _SPACE.match(text, start)
    try:
        _, end = json.JSONDecoder().raw_decode(text, begin.end() if begin else start)
    except (ValueError, RecursionError):
        return None
    space = _SPACE.match(text, end)
    return space.end() if space else end

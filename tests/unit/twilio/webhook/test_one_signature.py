"""One signature, one meaning: a signed text that is cut anew tells the same event, or is rejected.

Twilio signs the names and values of a form, sorted by name, without separators. So whoever knows the signature of one
form can cut its text into another one. The search tries every cut in which names stand in their order: each documented
name wherever it can be read, and up to two names that nobody documents, at any character. It is held against both
readers: `parse`, of the webhook function, and `typed_event`, of the library.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchboard.author import AuthorRules
from switchboard.errors import Rejected
from switchboard.events import Event, Ignored, MessageAdded, OwnerSet
from switchboard.twilio.webhook.parse import KNOWN, ExpectedAccount, parse
from switchboard.twilio.webhook.typed_events import typed_event
from switchboard.twilio.webhook.verify import Form
from switchboard.webhook_events import MessageAdd, UnknownEvent, WebhookEvent
from tests.builders import sid
from tests.signing import ACCOUNT, SERVICE, message_fields

EXPECTED = ExpectedAccount(
    account_sid=ACCOUNT, service_sid=SERVICE, author_rules=AuthorRules(visitor_identities=(re.compile("visitor-.*"),))
)
# Twilio, "Conversations webhooks".
NAMES = [
    "AccountSid",
    "Attributes",
    "Author",
    "Body",
    "ChannelMessageSid",
    "ChatServiceSid",
    "ClientIdentity",
    "ConversationSid",
    "DateCreated",
    "DateRemoved",
    "DateUpdated",
    "DeliveryReceiptSid",
    "ErrorCode",
    "EventType",
    "FriendlyName",
    "Identity",
    "Index",
    "LastReadMessageIndex",
    "Media",
    "MessageBody",
    "MessageSid",
    "MessagingBinding.Address",
    "MessagingBinding.AuthorAddress",
    "MessagingBinding.ProjectedAddress",
    "MessagingBinding.ProxyAddress",
    "MessagingBinding.Type",
    "MessagingServiceSid",
    "ParticipantSid",
    "Reason",
    "RetryCount",
    "RoleSid",
    "Source",
    "State",
    "StateFrom",
    "StateTo",
    "StateUpdated",
    "Status",
    "UniqueName",
    "UserSid",
    "isNotifiable",
    "isOnline",
]
SID = re.compile("[A-Z]{2}[0-9a-fA-F]{32}")
# What a value must be for the cut to have a chance: it keeps the search small, and hides nothing.
NEEDED = {
    **dict.fromkeys([name for name in NAMES if name.endswith("Sid")], SID),
    **dict.fromkeys(["DateCreated", "DateUpdated", "DateRemoved", "StateUpdated"], re.compile("[-0-9T:.]+Z")),
    "EventType": re.compile("on[A-Za-z]+"),
    "Index": re.compile("[0-9]{1,9}"),
}
REQUIRED = ["AccountSid", "EventType"]  # without them, every form is rejected
# One cut in a word of small letters stands for all: no name is there.
NAME_START = re.compile("[A-Z]|(?<![a-z])[a-z]|is(?=[NO])")
MAX_CUTS = 50_000
MAX_CUTS_OF_LONG_FORMS = 500  # the first ones: each new name that can be cut out doubles them


def signed_text(fields: Mapping[str, str]) -> str:
    return "".join(name + fields[name] for name in sorted(fields))


def cuts(text: str, start: int = 0, last: str = "", *, new_names: int) -> Iterator[dict[str, str]]:
    """Yield forms whose signed text this is, from `start` on, with names after `last`."""
    if start == len(text):
        yield {}
        return
    for name in names_at(text, start, last, new_names):
        left = new_names - (name not in NAMES)
        begin = start + len(name)
        for end in ends(text, begin, name, left):
            value = text[begin:end]
            if name not in NEEDED or NEEDED[name].fullmatch(value):
                for rest in cuts(text, end, name, new_names=left):
                    yield {name: value, **rest}


@lru_cache(maxsize=100_000)
def names_at(text: str, start: int, last: str, new_names: int) -> list[str]:
    """Return the documented names that can be read there, and the first new one: a longer one is later in the order."""
    latest = next((name for name in REQUIRED if name > last), "~")
    if not last < text[start : start + len(last) + 1]:
        return []
    names = [name for name in NAMES if last < name <= latest and text.startswith(name, start)]
    if new_names and text[start : start + len(latest)] < latest:
        pieces = (text[start:end] for end in range(start + 1, len(text) + 1))
        names += islice((piece for piece in pieces if last < piece <= latest and piece not in NAMES), 1)
    return names


@lru_cache(maxsize=100_000)
def ends(text: str, begin: int, name: str, new_names: int) -> list[int]:
    """Return where a value may end: before a name that comes later in the order, or at the end."""
    if SID is NEEDED.get(name):
        return [min(begin + 34, len(text))]
    found = [match.start() for match in NAME_START.finditer(text, begin)]
    found = [end for end in found if names_at(text, end, name, new_names)]
    return [*found, len(text)] if name >= REQUIRED[-1] else found


type Meaning = Event | WebhookEvent
type Read = Callable[[Mapping[str, str]], Meaning | None]


def meaning(fields: Mapping[str, str]) -> Event | None:
    """Return the event of a form whose signature is valid; None where the form is rejected."""
    try:
        return parse(Form({name: (value,) for name, value in fields.items()}), expected=EXPECTED)
    except Rejected:
        return None


def library_meaning(fields: Mapping[str, str]) -> WebhookEvent | None:
    """Return the same for a program that uses the library."""
    try:
        return typed_event(Form({name: (value,) for name, value in fields.items()}), expected=EXPECTED)
    except Rejected:
        return None


def other_meanings(
    fields: Mapping[str, str], *, new_names: int, read: Read = meaning, max_cuts: int = MAX_CUTS
) -> list[tuple[Meaning, dict[str, str]]]:
    """Return the events, besides the form's own, that a new cut of its signed text tells.

    Where the form is rejected, an event from which nothing follows is none.
    """
    own = read(fields)
    tried = islice(cuts(signed_text(fields), new_names=new_names), max_cuts)
    told = ((read(cut), cut) for cut in tried)
    return [(event, cut) for event, cut in told if event is not None and event != own and (own or _matters(event))]


def _matters(event: Meaning) -> bool:
    return not isinstance(event, Ignored)


def meanings(fields: Mapping[str, str], *, max_cuts: int = MAX_CUTS) -> list[Meaning]:
    """Return the events that the forms with one signed text tell in the library, each once; a refusal is none."""
    others = [event for event, _ in other_meanings(fields, new_names=1, read=library_meaning, max_cuts=max_cuts)]
    own = library_meaning(fields)
    told = others if own is None else [own, *others]
    return [event for number, event in enumerate(told) if event not in told[:number]]


def without(fields: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name not in names}


SMS = message_fields()
CHAT = {**without(SMS, "MessagingServiceSid"), "Author": "visitor-1", "ClientIdentity": "visitor-1", "Source": "SDK"}
CHAT_OF_2021 = without(CHAT, "ChatServiceSid")
FILE = json.dumps([{"Sid": sid("ME", 1), "Filename": "a.png", "ContentType": "image/png", "Size": 12}])
MEDIA = {**without(SMS, "Body"), "Media": FILE}


def of_type(event_type: str, **changes: str) -> dict[str, str]:
    fields = without(SMS, "Author", "Body", "Index", "MessageSid", "ParticipantSid")
    return {**fields, "EventType": event_type, **changes}


UPDATED = of_type(
    "onConversationUpdated",
    Attributes=json.dumps({"switchboard": {"owner": "human", "at": "2026-08-11T13:03:28Z"}}),
    DateUpdated="2026-08-11T13:03:28.879Z",
    FriendlyName="Order 17",
    State="active",
)
STATE = without(of_type("onConversationStateUpdated"), "Attributes", "DateCreated")
CLOSED = {
    **STATE,
    "Reason": "TIMER",
    "StateFrom": "active",
    "StateTo": "closed",
    "StateUpdated": "2026-08-11T13:03:28.879Z",
}
DELIVERY = {
    **without(of_type("onDeliveryUpdated"), "Attributes", "Source"),
    "ChannelMessageSid": sid("SM", 1),
    "DateUpdated": "2026-08-11T13:03:28.879Z",
    "DeliveryReceiptSid": sid("DY", 1),
    "ErrorCode": "30003",
    "MessageSid": sid("IM", 1),
    "ParticipantSid": sid("MB", 1),
    "Status": "undelivered",
}
REMOVED = of_type("onConversationRemoved", DateRemoved="2026-08-11T13:03:28.879Z")
FORMS = {
    "sms": SMS,
    "chat": CHAT,
    "chat of 2021": CHAT_OF_2021,
    "media alone": MEDIA,
    "updated": UPDATED,
    "closed": CLOSED,
    "removed": REMOVED,
    "delivery": DELIVERY,
    "failed delivery": {**DELIVERY, "Status": "failed"},
}
# For the library: every event type, with all that Twilio documents for it.
NEW_CONVERSATION = {
    **without(SMS, "Author", "Body", "ConversationSid", "DateCreated", "Index", "MessageSid", "ParticipantSid"),
    "EventType": "onConversationAdd",
    "FriendlyName": "Order 17",
    "MessageBody": "hi",
    "Media": FILE,
    "MessagingBinding.Address": "+12025550110",
    "MessagingBinding.AuthorAddress": "+12025550110",
    "MessagingBinding.ProjectedAddress": "+12025550120",
    "MessagingBinding.ProxyAddress": "+12025550130",
    "State": "active",
    "UniqueName": "order-17",
}
LATER = {"DateCreated": "2026-08-11T13:03:28.879Z", "DateUpdated": "2026-08-11T13:03:29.879Z"}
CONVERSATION = {**without(NEW_CONVERSATION, "MessageBody", "Media"), **LATER, "ConversationSid": sid("CH", 1)}
NEW_MESSAGE = {**without(CHAT, "Index", "MessageSid", "DateCreated"), "EventType": "onMessageAdd", "Media": FILE}
MESSAGE = {**SMS, **LATER, "Media": FILE}
NEW_PARTICIPANT = {
    "AccountSid": ACCOUNT,
    "Attributes": "{}",
    "ClientIdentity": "visitor-1",
    "ConversationSid": sid("CH", 1),
    "EventType": "onParticipantAdd",
    "Identity": "visitor-1",
    "MessagingBinding.Address": "+12025550110",
    "MessagingBinding.ProjectedAddress": "+12025550120",
    "MessagingBinding.ProxyAddress": "+12025550130",
    "MessagingBinding.Type": "SMS",
    "RetryCount": "0",
    "RoleSid": sid("RL", 1),
    "Source": "SDK",
}
PARTICIPANT = {**NEW_PARTICIPANT, **LATER, "LastReadMessageIndex": "3", "ParticipantSid": sid("MB", 1)}
USER = {
    **LATER,
    "AccountSid": ACCOUNT,
    "Attributes": "{}",
    "ChatServiceSid": SERVICE,
    "FriendlyName": "Alice",
    "Identity": "visitor-1",
    "RetryCount": "0",
    "RoleSid": sid("RL", 1),
    "Source": "API",
    "UserSid": sid("US", 1),
    "isNotifiable": "false",
    "isOnline": "true",
}
EVENTS = {
    fields["EventType"]: fields
    for fields in (
        NEW_CONVERSATION,
        *({**CONVERSATION, "EventType": f"onConversation{verb}"} for verb in ("Added", "Update", "Updated", "Remove")),
        {**CONVERSATION, "EventType": "onConversationRemoved", "DateRemoved": "2026-08-11T13:03:30Z"},
        CLOSED,
        NEW_MESSAGE,
        SMS,
        *({**MESSAGE, "EventType": f"onMessage{verb}"} for verb in ("Update", "Updated", "Remove")),
        {**MESSAGE, "EventType": "onMessageRemoved", "DateRemoved": "2026-08-11T13:03:30Z"},
        NEW_PARTICIPANT,
        *({**PARTICIPANT, "EventType": f"onParticipant{verb}"} for verb in ("Added", "Update", "Updated", "Remove")),
        {**PARTICIPANT, "EventType": "onParticipantRemoved", "DateRemoved": "2026-08-11T13:03:30Z"},
        DELIVERY,
        *({**USER, "EventType": f"onUser{verb}"} for verb in ("Added", "Update", "Updated")),
    )
}
# One event type of each set of names: the others differ from it by their names alone.
SEARCHED = [
    "onConversationAdd",
    "onConversationRemoved",
    "onConversationStateUpdated",
    "onMessageAdd",
    "onMessageAdded",
    "onMessageRemoved",
    "onParticipantAdd",
    "onParticipantRemoved",
    "onDeliveryUpdated",
    "onUserUpdated",
]
FREE_TEXTS = (
    "Author",
    "Body",
    "ClientIdentity",
    "FriendlyName",
    "Identity",
    "MessageBody",
    "MessagingBinding.Address",
    "Reason",
    "Source",
    "Status",
    "UniqueName",
)
PIECES = [
    *NAMES,
    sid("CH", 2),
    sid("IM", 2),
    sid("IS", 2),
    SERVICE,
    "2026-08-11T13:03:29Z",
    "onConversationRemoved",
    "onMessageAdded",
    "closed",
    "failed",
    "robin",
    "switchboard",
    "17",
    "A",
    "Aut",
    "Bo",
    "C",
    "Coffee",
    "I",
    "M",
    "Mz",
    "z",
    " ",
    "{}",
    "[]",
    '"',
    '"}',
]


@pytest.mark.parametrize("fields", FORMS.values(), ids=FORMS)
def test_what_twilio_sends_tells_its_event(fields: dict[str, str]) -> None:
    assert meaning(fields)


@pytest.mark.parametrize("fields", FORMS.values(), ids=FORMS)
def test_what_twilio_sends_means_one_thing_however_it_is_cut(fields: dict[str, str]) -> None:
    assert other_meanings(fields, new_names=2 if fields is SMS else 1) == []


@pytest.mark.parametrize(
    ("body", "attributes"),
    [
        ("I want Coffee", "{}"),
        (f"hi ChatServiceSid{SERVICE}ConversationSid{sid('CH', 2)}", "{}"),
        (f"hiConversationSid{sid('CH', 2)}DateRemoved2026-08-11T13:03:29ZEventTypeonConversationRemovedz", "{}"),
        ("Bonny Body AuthorrobinBodyhi", "{}"),
        ("hi", '{"note": "AuthorrobinBodyhi"}'),
        ("hi", '{"note": "Authorswitchboard", "Body": "AuthorrobinBody"}'),
        ("Body", '["Attributes{}AuthorrobinBody"]'),
        ("ClientIdentityrobin", '"Author"'),
        ("Index17MediaMessageSid", "{}"),
    ],
)
def test_what_a_customer_writes_means_one_thing_however_it_is_cut(body: str, attributes: str) -> None:
    for fields in (SMS, CHAT, CHAT_OF_2021):
        assert other_meanings({**fields, "Body": body, "Attributes": attributes}, new_names=1) == []


@settings(deadline=None, max_examples=25)
@given(
    form=st.sampled_from(sorted(FORMS)), body=st.lists(st.sampled_from(PIECES), max_size=6).map("".join), data=st.data()
)
def test_no_text_and_no_attributes_that_a_customer_chooses_mean_two_things(
    form: str, body: str, data: st.DataObject
) -> None:
    fields = dict(FORMS[form])
    if "Body" in fields:
        fields["Body"] = body
    if "Attributes" in fields:
        pieces = data.draw(st.lists(st.sampled_from(PIECES), max_size=4).map("".join))
        fields["Attributes"] = json.dumps({"note": pieces})
    if "Media" in fields:
        fields["Media"] = json.dumps([{"Filename": body, "ContentType": "image/png"}])
    if "FriendlyName" in fields:
        fields["FriendlyName"] = body

    assert other_meanings(fields, new_names=1) == []


@pytest.mark.parametrize("fields", [*FORMS.values(), *EVENTS.values()], ids=[*FORMS, *EVENTS])
def test_in_the_library_what_twilio_sends_tells_its_event(fields: dict[str, str]) -> None:
    assert type(library_meaning(fields)).__name__ == fields["EventType"].removeprefix("on")


@pytest.mark.parametrize("event_type", SEARCHED)
def test_in_the_library_what_twilio_sends_means_one_thing_however_it_is_cut(event_type: str) -> None:
    fields = EVENTS[event_type]

    assert other_meanings(fields, new_names=0, read=library_meaning) == []
    assert other_meanings(fields, new_names=1, read=library_meaning, max_cuts=MAX_CUTS_OF_LONG_FORMS) == []


def test_there_is_a_form_of_every_event_type() -> None:
    assert EVENTS.keys() == KNOWN


@settings(deadline=None, max_examples=10)
@given(st.sampled_from(SEARCHED), st.lists(st.sampled_from(PIECES), max_size=6).map("".join), st.data())
def test_in_the_library_no_text_means_two_things(event_type: str, text: str, data: st.DataObject) -> None:
    fields = dict(EVENTS[event_type])
    name = data.draw(st.sampled_from([each for each in FREE_TEXTS if each in fields]))
    fields[name] = text
    if "Attributes" in fields:
        pieces = data.draw(st.lists(st.sampled_from(PIECES), max_size=4).map("".join))
        fields["Attributes"] = json.dumps({"note": pieces})
    if "Media" in fields:
        fields["Media"] = json.dumps([{"Filename": text, "ContentType": "image/png"}])

    assert len(meanings(fields, max_cuts=500)) <= 1


@pytest.mark.parametrize("reason", ["StateFrom", "StateFromStateFrom", "StateTo", "StateUpdated", "RetryCount0"])
def test_in_the_library_a_reason_that_holds_a_fields_name_tells_no_other_event(reason: str) -> None:
    fields = {**EVENTS["onConversationStateUpdated"], "Reason": reason}

    assert len(meanings(fields)) <= 1


@pytest.mark.parametrize(
    "name", ["Order Kitchen", "Media", "Index 17", "State of Source", "Identity", "ChatServiceSid"]
)
def test_in_the_library_a_conversation_may_be_called_as_a_field_is(name: str) -> None:
    fields = {**EVENTS["onConversationUpdated"], "FriendlyName": name, "UniqueName": f"of {name}"}

    assert library_meaning(fields)
    assert other_meanings(fields, new_names=1, read=library_meaning, max_cuts=MAX_CUTS_OF_LONG_FORMS) == []


def test_in_the_library_a_new_field_is_accepted_behind_a_value_that_ends_by_itself() -> None:
    assert library_meaning({**SMS, "DateSent": "today", "Priority": "1"}) == library_meaning(SMS)
    assert library_meaning({**EVENTS["onUserUpdated"], "Gender": "x"}) is None


def test_in_the_library_a_new_event_type_is_an_unknown_event_of_any_name() -> None:
    event = library_meaning({**SMS, "EventType": "onMessageStatusSourceIndexed"})

    assert isinstance(event, UnknownEvent)
    assert event.name == "onMessageStatusSourceIndexed"


@pytest.mark.parametrize(
    "body", ["Author", "Index of Media", "Source: Attributes", "Status?", "Body", "Media Body Index"]
)
@pytest.mark.parametrize("fields", [SMS, CHAT, CHAT_OF_2021], ids=["sms", "chat", "chat of 2021"])
def test_a_plain_word_that_is_also_a_fields_name_is_no_reason_to_reject_a_text(
    fields: dict[str, str], body: str
) -> None:
    event = meaning({**fields, "Body": body})
    asked = library_meaning({**fields, "Body": body, "EventType": "onMessageAdd"})

    assert isinstance(event, MessageAdded)
    assert isinstance(asked, MessageAdd)
    assert event.body == asked.body == body


def test_a_file_may_be_called_as_a_field_is() -> None:
    file = json.dumps([{"Filename": "Index.Body", "ContentType": "image/png"}])

    assert isinstance(meaning({**MEDIA, "Media": file}), MessageAdded)


def test_a_files_name_does_not_give_its_message_another_index() -> None:
    file = json.dumps([{"Filename": "Index17Media[]MessageA", "ContentType": "image/png"}])

    assert other_meanings({**MEDIA, "Media": file}, new_names=2) == []


def test_an_owner_is_set_by_attributes_that_hold_other_programs_names() -> None:
    attributes = {"switchboard": {"owner": "human", "at": "2026-08-11T13:03:28Z"}, "Author": "Body"}

    assert isinstance(meaning({**UPDATED, "Attributes": json.dumps(attributes)}), OwnerSet)

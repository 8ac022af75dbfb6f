"""What each call asks of Twilio, as it is on the wire: the method, the resource, the parameters, the webhooks."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from urllib.parse import parse_qsl, urlsplit

import pytest
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from switchboard.channels.channel import Channel
from switchboard.conversation import owner_change
from switchboard.events import ConversationState, Marker, Owner
from switchboard.twilio.rest.conversations import ConversationResource, ParticipantResource
from tests.builders import NOON, sid
from tests.functional.test_twilio_rest import Twilio, connected
from tests.signing import ACCOUNT, SERVICE

SID, VISITOR = sid("CH", 1), "visitor-1"
CONVERSATIONS = f"/v1/Services/{SERVICE}/Conversations"
CONVERSATION = f"{CONVERSATIONS}/{SID}"
CHANGE = owner_change(SID, Owner.HUMAN, "message", at=NOON)
SHOWN = {"owner": "human", "reason": "message", "since": "2026-03-02T12:00:00.000Z"}
# A conversation, a message, a participant, and lists: one participant on WhatsApp, none of the others.
RESOURCE = {
    "sid": SID,
    "index": 0,
    "state": "active",
    "attributes": '{"crm": 7}',
    "date_created": "2026-03-02T12:00:00Z",
    "conversations": [],
    "messages": [],
    "participants": [{"sid": SID, "messaging_binding": {"address": "whatsapp:+12025550110"}}],
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request to Twilio. `tells`: Twilio calls our webhooks for it, which it does not do for what REST changes."""

    method: str
    path: str
    parameters: dict[str, str]
    tells: bool = False


def get(path: str, **parameters: str) -> Request:
    return Request("GET", path, parameters)


def post(path: str, *, tells: bool = False, **parameters: str) -> Request:
    return Request("POST", path, parameters, tells)


type Call = Callable[[Twilio], object]

CALLS: dict[str, tuple[Call, list[Request]]] = {
    "send": (
        lambda twilio: twilio.messages.send_message(SID, body="hi"),
        [post(f"{CONVERSATION}/Messages", Author="switchboard", Body="hi", Attributes="{}")],
    ),
    "send a part of a reply": (
        lambda twilio: twilio.messages.send_message(SID, body="hi", marker=Marker(turn="T1", part=2)),
        [
            post(
                f"{CONVERSATION}/Messages",
                Author="switchboard",
                Body="hi",
                Attributes='{"switchboard": {"turn": "T1", "part": 2}}',
            )
        ],
    ),
    "send as a human": (
        lambda twilio: twilio.messages.send_as_human(SID, human="robin", body="hi"),
        [post(f"{CONVERSATION}/Messages", tells=True, Author="robin", Body="hi")],
    ),
    "list messages": (
        lambda twilio: twilio.messages.list_messages(SID),
        [get(f"{CONVERSATION}/Messages", Order="desc", PageSize="100")],
    ),
    "look for somebody silent on WhatsApp": (
        lambda twilio: twilio.messages.has_silent_customer(SID, channel=Channel.WHATSAPP, since=NOON),
        [
            get(f"{CONVERSATION}/Participants", PageSize="100"),
            get(f"{CONVERSATION}/Messages", Order="desc", PageSize="100"),
        ],
    ),
    "look where nobody is on the channel": (
        lambda twilio: twilio.messages.has_silent_customer(SID, channel=Channel.SMS, since=NOON),
        [get(f"{CONVERSATION}/Participants", PageSize="100")],
    ),
    "create a conversation": (
        lambda twilio: twilio.conversations.create_conversation(friendly_name="A talk"),
        [post(CONVERSATIONS, FriendlyName="A talk", Attributes="{}")],
    ),
    "create a conversation with a name": (
        lambda twilio: twilio.conversations.create_conversation(
            friendly_name="A talk", unique_name="talk-1", attributes='{"crm": 7}'
        ),
        [post(CONVERSATIONS, FriendlyName="A talk", UniqueName="talk-1", Attributes='{"crm": 7}')],
    ),
    "get a conversation": (lambda twilio: twilio.conversations.get_conversation(SID), [get(CONVERSATION)]),
    "list conversations": (
        lambda twilio: twilio.conversations.list_conversations(),
        [get(CONVERSATIONS, PageSize="100")],
    ),
    "list a few conversations": (
        lambda twilio: twilio.conversations.list_conversations(limit=3),
        [get(CONVERSATIONS, PageSize="3")],
    ),
    "list new conversations": (
        lambda twilio: twilio.conversations.new_conversations(since=NOON, limit=300),
        [get(CONVERSATIONS, StartDate="2026-03-02T00:00:00Z", PageSize="100")],
    ),
    "update a state": (
        lambda twilio: twilio.conversations.update_state(SID, ConversationState.INACTIVE),
        [post(CONVERSATION, State="inactive")],
    ),
    "close": (lambda twilio: twilio.conversations.close_conversation(SID), [post(CONVERSATION, State="closed")]),
    "close and tell": (
        lambda twilio: twilio.conversations.ensure_closed(SID),
        [post(CONVERSATION, tells=True, State="closed")],
    ),
    "show an owner": (
        lambda twilio: twilio.conversations.show_change(CHANGE),
        [
            get(CONVERSATION),
            post(CONVERSATION, tells=True, Attributes=json.dumps({"crm": 7, "switchboard": SHOWN})),
        ],
    ),
    "show a decision": (
        lambda twilio: twilio.conversations.show_decision(CHANGE, human="robin"),
        [
            get(CONVERSATION),
            post(
                CONVERSATION,
                tells=True,
                Attributes=json.dumps({"crm": 7, "switchboard": {**SHOWN, "at": SHOWN["since"], "human": "robin"}}),
            ),
        ],
    ),
    "add a visitor": (
        lambda twilio: twilio.conversations.add_participant(SID, identity=VISITOR),
        [post(f"{CONVERSATION}/Participants", Identity=VISITOR)],
    ),
    "add a phone": (
        lambda twilio: twilio.conversations.add_participant(SID, address="+12025550110", proxy_address="+12025550100"),
        [
            Request(
                "POST",
                f"{CONVERSATION}/Participants",
                {"MessagingBinding.Address": "+12025550110", "MessagingBinding.ProxyAddress": "+12025550100"},
            )
        ],
    ),
    "remove a participant": (
        lambda twilio: twilio.conversations.remove_participant(SID, sid("MB", 1)),
        [Request("DELETE", f"{CONVERSATION}/Participants/{sid('MB', 1)}", {})],
    ),
    "start": (
        lambda twilio: twilio.service.start(),
        [get(f"/2010-04-01/Accounts/{ACCOUNT}.json"), get(f"/v1/Services/{SERVICE}")],
    ),
}


class Wire:
    """Stands in for the connection of `requests`: keeps what it is asked for, and finds every resource."""

    def __init__(self, resource: Mapping[str, object] = RESOURCE) -> None:
        self.asked: list[Request] = []
        self._resource = resource

    def send(self, request: PreparedRequest, **_settings: object) -> Response:
        url = urlsplit(str(request.url))
        text = url.query or str(request.body or "")
        tells = request.headers.get("X-Twilio-Webhook-Enabled") == "true"
        self.asked.append(Request(str(request.method), url.path, dict(parse_qsl(text)), tells))
        response = Response()
        response.status_code = 204 if request.method == "DELETE" else 200
        last = url.path.rpartition("/")[2].lower()
        key = last if last in RESOURCE else "conversations"
        response.raw = BytesIO(json.dumps({**self._resource, "meta": {"key": key, "next_page_url": None}}).encode())
        return response


@pytest.mark.parametrize(("call", "requests"), CALLS.values(), ids=CALLS)
def test_a_call_asks_twilio_for_this_and_for_nothing_else(
    monkeypatch: pytest.MonkeyPatch, call: Call, requests: list[Request]
) -> None:
    wire = Wire()
    monkeypatch.setattr(HTTPAdapter, "send", wire.send)
    twilio = connected("https://twilio.example.com")

    call(twilio)

    assert wire.asked == requests
    twilio.service.stop()


def test_a_conversation_is_read_with_all_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    named = {"friendly_name": "A talk", "unique_name": "talk-1"}
    for values, name, unique_name in ((named, "A talk", "talk-1"), ({}, "", None)):
        wire = Wire({**RESOURCE, **values})
        monkeypatch.setattr(HTTPAdapter, "send", wire.send)
        twilio = connected("https://twilio.example.com")

        conversation = twilio.conversations.get_conversation(SID)

        assert conversation == ConversationResource(
            sid=SID,
            friendly_name=name,
            unique_name=unique_name,
            state="active",
            attributes='{"crm": 7}',
            created_at=NOON,
        )
        twilio.service.stop()


@pytest.mark.parametrize(
    ("values", "participant"),
    [
        ({"identity": VISITOR}, ParticipantResource(sid=SID, identity=VISITOR, address=None, proxy_address=None)),
        (
            {"messaging_binding": {"address": "+12025550110", "proxy_address": "+12025550100"}},
            ParticipantResource(sid=SID, identity=None, address="+12025550110", proxy_address="+12025550100"),
        ),
    ],
    ids=["chat", "phone"],
)
def test_a_participant_is_read_with_all_its_values(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, object], participant: ParticipantResource
) -> None:
    monkeypatch.setattr(HTTPAdapter, "send", Wire({**RESOURCE, **values}).send)
    twilio = connected("https://twilio.example.com")

    assert twilio.conversations.add_participant(SID, identity=VISITOR) == participant

    twilio.service.stop()

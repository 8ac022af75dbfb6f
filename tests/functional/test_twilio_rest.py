"""Twilio's REST API over HTTP: against the emulator, and against a server whose responses fail."""

import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from requests import ConnectTimeout
from requests.adapters import HTTPAdapter

from switchboard.author import AuthorRole, AuthorRules
from switchboard.aws.secrets import TwilioSecret
from switchboard.channels.channel import Channel
from switchboard.content import Content
from switchboard.conversation import owner_change
from switchboard.errors import Misconfigured, NotSent, SendRefused, SwitchboardError, Transient, Unknown
from switchboard.events import ConversationState, Marker, Owner
from switchboard.media import Media
from switchboard.twilio.rest.conversations import Conversations
from switchboard.twilio.rest.errors import TwilioRefused, TwilioUnavailable
from switchboard.twilio.rest.messages import Messages
from switchboard.twilio.rest.services import Service, connect
from tests.builders import NOON, sid
from tests.signing import ACCOUNT, SERVICE, TOKEN
from twilio_emulator import Emulator
from twilio_emulator.server import Servers, listen

OUR_NUMBER = "+12025550100"
VISITOR = f"visitor-{'0' * 31}7"


@dataclass(frozen=True, kw_only=True)
class Twilio:
    """A service, its conversations and their messages."""

    service: Service
    conversations: Conversations
    messages: Messages


def connected(
    url: str,
    *,
    token: str = TOKEN,
    service_sid: str = SERVICE,
    refresh_credentials: Callable[[], tuple[str, str] | None] = lambda: None,
) -> Twilio:
    service = connect(
        account_sid=ACCOUNT,
        service_sid=service_sid,
        credentials=(ACCOUNT, token),
        refresh_credentials=refresh_credentials,
        base_url=url,
    )
    return Twilio(
        service=service,
        conversations=Conversations(service=service),
        messages=Messages(service=service, author_rules=AuthorRules()),
    )


@pytest.fixture
def url() -> Iterator[str]:
    emulator = Emulator(actions_per_second=None)  # a test that fills pages writes faster than Twilio allows
    listening = listen("127.0.0.1", 0)
    servers = Servers({listening: emulator.app}, at_end=emulator.aclose)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    servers.close()


@pytest.fixture
def twilio(url: str) -> Iterator[Twilio]:
    connection = connected(url)
    yield connection
    connection.service.stop()


def test_without_a_connection_the_error_names_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    twilio = connected(f"http://{address}")

    with pytest.raises(NotSent, match=f"no connection to {address}"):
        twilio.messages.send_message(sid("CH", 1), body="hi")

    twilio.service.stop()


def test_content_is_sent_in_the_place_of_a_text(url: str, twilio: Twilio) -> None:
    template = {"language": "en", "types": {"twilio/text": {"body": "Hello {{1}}"}}}
    content_sid = requests.post(f"{url}/v1/Content", json=template, auth=(ACCOUNT, TOKEN), timeout=10).json()["sid"]
    conversation = twilio.conversations.create_conversation(friendly_name="A talk")
    marker = Marker(turn="T1", part=0)

    twilio.messages.send_message(
        conversation.sid, body="Hi", marker=marker, content=Content(sid=content_sid, variables={"1": "Anna"})
    )

    [message] = twilio.messages.list_messages(conversation.sid)
    assert (message.body, message.marker) == ("Hello Anna", marker)
    with pytest.raises(SendRefused, match="code 50526"):
        twilio.messages.send_message(conversation.sid, body="Hi", content=Content(sid=sid("HX", 9)))


@pytest.mark.parametrize("code", [0, 30003])
def test_a_message_is_settled_once_it_has_arrived_or_failed(url: str, twilio: Twilio, code: int) -> None:
    order = {"from": "+12025550110", "to": OUR_NUMBER, "body": "hi"}
    conversation = requests.post(f"{url}/_emulator/inbound", json=order, timeout=10).json()["conversation_sid"]
    late = {"kind": "delay_delivery", "on": "+12025550110", "count": 1, "seconds": 60}
    fails = {"kind": "fail_delivery", "on": "+12025550110", "count": 1, "code": code}
    requests.post(f"{url}/_emulator/faults", json=fails if code else late, timeout=10)

    sent = twilio.messages.send_message(conversation, body="Hello")

    assert twilio.messages.is_settled(conversation, sent.message_sid) is bool(code)
    requests.post(f"{url}/_emulator/clock", json={"advance_seconds": 61}, timeout=10)
    assert twilio.messages.is_settled(conversation, sent.message_sid)
    with pytest.raises(TwilioRefused):
        twilio.messages.is_settled(conversation, sid("IM", 9))


def test_start_finds_the_account_and_the_service(twilio: Twilio) -> None:
    twilio.service.start()

    assert twilio.service.health()


def test_with_a_wrong_token_the_error_names_the_setting(url: str) -> None:
    twilio = connected(url, token="wrong")

    with pytest.raises(Misconfigured, match="TWILIO_AUTH_TOKEN"):
        twilio.service.start()

    assert not twilio.service.health()
    twilio.service.stop()


def test_credentials_that_twilio_refuses_are_refreshed_for_the_next_request(url: str) -> None:
    current = connected(url)
    conversation = current.conversations.create_conversation(friendly_name="A talk")
    rotated = connected(url, token="revoked", refresh_credentials=lambda: (ACCOUNT, TOKEN))

    with pytest.raises(NotSent, match="code 20003"):
        rotated.messages.send_message(conversation.sid, body="hi")
    sent = rotated.messages.send_message(conversation.sid, body="hi again")

    assert [message.message_sid for message in current.messages.list_messages(conversation.sid)] == [sent.message_sid]
    current.service.stop()
    rotated.service.stop()


def test_with_an_unknown_service_the_error_names_the_setting(url: str) -> None:
    twilio = connected(url, service_sid=sid("IS", 9))

    with pytest.raises(Misconfigured, match="TWILIO_CONVERSATIONS_SERVICE_SID"):
        twilio.service.start()

    twilio.service.stop()


def test_a_conversation_is_created_updated_and_closed(twilio: Twilio) -> None:
    created = twilio.conversations.create_conversation(friendly_name="A talk", unique_name="talk-1")

    inactive = twilio.conversations.update_state(created.sid, ConversationState.INACTIVE)
    closed = twilio.conversations.close_conversation(created.sid)

    assert [created.state, inactive.state, closed.state] == ["active", "inactive", "closed"]
    assert twilio.conversations.get_conversation("talk-1").sid == created.sid
    assert created.sid in [each.sid for each in twilio.conversations.list_conversations()]
    assert created.sid in twilio.conversations.new_conversations(since=created.created_at, limit=10)


def test_participants_of_every_channel_are_added_and_removed(twilio: Twilio) -> None:
    conversation = twilio.conversations.create_conversation(friendly_name="Together")

    sms = twilio.conversations.add_participant(conversation.sid, address="+12025550187", proxy_address=OUR_NUMBER)
    whatsapp = twilio.conversations.add_participant(
        conversation.sid, address="whatsapp:+12025550188", proxy_address="whatsapp:+12025550101"
    )
    chat = twilio.conversations.add_participant(conversation.sid, identity=VISITOR)
    twilio.conversations.remove_participant(conversation.sid, sms.sid)

    assert (sms.address, whatsapp.address, chat.identity) == ("+12025550187", "whatsapp:+12025550188", VISITOR)
    again = twilio.conversations.create_conversation(friendly_name="Again")
    assert twilio.conversations.add_participant(again.sid, address="+12025550187", proxy_address=OUR_NUMBER).sid


def test_a_customer_in_another_open_conversation_is_refused_with_twilios_code(twilio: Twilio) -> None:
    first = twilio.conversations.create_conversation(friendly_name="Mine")
    second = twilio.conversations.create_conversation(friendly_name="Mine too")
    twilio.conversations.add_participant(first.sid, address="+12025550189", proxy_address=OUR_NUMBER)

    with pytest.raises(TwilioRefused, match="open conversation") as refused:
        twilio.conversations.add_participant(second.sid, address="+12025550189", proxy_address=OUR_NUMBER)

    assert (refused.value.status, refused.value.code) == (409, 50416)
    assert "2025550189" not in str(refused.value)


def test_a_customer_is_silent_from_the_time_of_their_last_message_on(twilio: Twilio) -> None:
    address = "whatsapp:+12025550141"
    conversation = twilio.conversations.create_conversation(friendly_name="Talk").sid
    twilio.conversations.add_participant(conversation, address=address, proxy_address="whatsapp:+12025550101")
    twilio.messages.send_message(conversation, body="hello", author=address)
    [message] = twilio.messages.list_messages(conversation)
    before = message.at - timedelta(milliseconds=1)

    assert twilio.messages.has_silent_customer(conversation, channel=Channel.WHATSAPP, since=message.at)
    assert not twilio.messages.has_silent_customer(conversation, channel=Channel.WHATSAPP, since=before)
    assert not twilio.messages.has_silent_customer(conversation, channel=Channel.SMS, since=message.at)
    twilio.conversations.close_conversation(conversation)


def test_messages_are_listed_in_order_from_an_index_on_with_their_authors_role(twilio: Twilio) -> None:
    conversation = twilio.conversations.create_conversation(friendly_name="Talk")
    twilio.conversations.add_participant(conversation.sid, identity=VISITOR)
    twilio.conversations.add_participant(conversation.sid, identity="robin")
    twilio.messages.send_message(conversation.sid, body="hello", author=VISITOR)
    first = twilio.messages.send_message(conversation.sid, body="re: hello", marker=Marker(turn="T1", part=0))
    twilio.messages.send_message(conversation.sid, body="I take this", author="robin")
    twilio.messages.send_message(conversation.sid, body="So do I, and take no part", author="joe")
    twilio.service.resource.conversations(conversation.sid).messages.create(body="A note without an author")

    listed = twilio.messages.list_messages(conversation.sid)

    assert [message.author_role for message in listed] == [
        AuthorRole.CUSTOMER,
        AuthorRole.ASSISTANT,
        AuthorRole.HUMAN,
        AuthorRole.HUMAN,
        AuthorRole.SYSTEM,
    ]
    assert listed[1].marker == Marker(turn="T1", part=0)
    assert [m.index for m in twilio.messages.list_messages(conversation.sid, from_index=first.index)] == [1, 2, 3, 4]


def test_all_pages_of_a_list_are_read(twilio: Twilio) -> None:
    conversation = twilio.conversations.create_conversation(friendly_name="Long")
    for number in range(205):
        twilio.messages.send_message(conversation.sid, body=str(number))

    listed = twilio.messages.list_messages(conversation.sid, from_index=3)

    assert [message.body for message in listed] == [str(number) for number in range(3, 205)]


def test_a_list_is_asked_for_page_by_page_and_no_further_than_it_is_wanted(twilio: Twilio) -> None:
    conversation = twilio.conversations.create_conversation(friendly_name="Long")
    for number in range(205):
        twilio.messages.send_message(conversation.sid, body=str(number))

    def sizes(from_index: int) -> list[tuple[int, bool]]:
        pages = twilio.messages.message_pages(conversation.sid, from_index=from_index)
        return [(len(page.messages), page.is_last) for page in pages]

    assert sizes(0) == [(100, False), (100, False), (5, True)]
    assert sizes(150) == [(55, True)]
    assert sizes(205) == [(0, True)]
    assert next(twilio.messages.message_pages(conversation.sid, from_index=0)).messages[-1].body == "204"


def test_new_messages_are_received_as_they_are_written(twilio: Twilio) -> None:
    conversation = twilio.conversations.create_conversation(friendly_name="Live")
    goes_on = iter([True, False])

    def write_another_message() -> bool:
        twilio.messages.send_message(conversation.sid, body="later")
        return next(goes_on)

    twilio.messages.send_message(conversation.sid, body="first")
    received = twilio.messages.receive_messages(conversation.sid, from_index=0, wait=write_another_message)

    assert [message.body for message in received] == ["first", "later"]


# ── how a send ends, by how the server responds ──────────────────────────────────────────────────────────────────────


@contextmanager
def server_that(respond: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """Serve the same response to every request."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            respond(self)

        def do_GET(self) -> None:
            respond(self)

        def do_DELETE(self) -> None:
            respond(self)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def respond_with(status: int, body: str, *, retry_after: str = "") -> Callable[[BaseHTTPRequestHandler], None]:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        if retry_after:
            handler.send_header("Retry-After", retry_after)
        handler.end_headers()
        handler.wfile.write(body.encode())

    return respond


def reset_connection(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


@pytest.mark.parametrize(
    ("respond", "error"),
    [
        (respond_with(400, '{"code": 50504, "message": "Body too long +12025550110", "status": 400}'), SendRefused),
        (respond_with(404, '{"code": 20404, "message": "not found", "status": 404}'), SendRefused),
        (respond_with(429, '{"code": 20429, "message": "Too many requests", "status": 429}'), NotSent),
        (respond_with(401, '{"code": 20003, "message": "Authenticate", "status": 401}'), NotSent),
        (respond_with(403, '{"code": 20403, "message": "Forbidden", "status": 403}'), NotSent),
        (respond_with(409, '{"code": 50391, "message": "Conflict", "status": 409}'), NotSent),
        (respond_with(500, '{"code": 20500, "message": "Internal", "status": 500}'), Unknown),
        (respond_with(503, "<html>away</html>"), Unknown),
        (respond_with(201, "this is not JSON"), Unknown),
        (respond_with(201, "{}"), Unknown),
        (reset_connection, Unknown),
    ],
    ids=["400", "404", "429", "401", "403", "conflict", "500", "503", "not JSON", "no message", "reset"],
)
def test_the_response_to_a_send_decides_whether_it_was_refused_not_sent_or_is_unknown(
    respond: Callable[[BaseHTTPRequestHandler], None], error: type[Exception]
) -> None:
    with server_that(respond) as url:
        twilio = connected(url)

        with pytest.raises(error) as raised:
            twilio.messages.send_message(sid("CH", 1), body="secret words", marker=Marker(turn="T1", part=0))

        assert "secret words" not in str(raised.value)
        assert "2025550110" not in str(raised.value)
        twilio.service.stop()


@pytest.mark.parametrize(
    ("respond", "error"),
    [
        (respond_with(404, '{"code": 20404, "message": "not found", "status": 404}'), SendRefused),
        (respond_with(401, '{"code": 20003, "message": "Authenticate", "status": 401}'), NotSent),
        (respond_with(503, "<html>away</html>"), NotSent),
        (respond_with(200, "this is not JSON"), NotSent),
        (reset_connection, NotSent),
    ],
    ids=["404", "401", "503", "not JSON", "reset"],
)
def test_a_look_before_a_send_that_fails_says_that_nothing_was_sent(
    respond: Callable[[BaseHTTPRequestHandler], None], error: type[Exception]
) -> None:
    with server_that(respond) as url:
        twilio = connected(url)

        with pytest.raises(error):
            twilio.messages.has_silent_customer(sid("CH", 1), channel=Channel.WHATSAPP, since=NOON)

        twilio.service.stop()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0", 1.0), ("", 1.0), ("Fri, 27 Nov 2026 12:00:00 GMT", 1.0), ("-5", 1.0)],
)
def test_too_many_requests_say_how_long_to_wait(header: str, seconds: float) -> None:
    with server_that(respond_with(429, '{"code": 20429}', retry_after=header)) as url:
        twilio = connected(url)

        with pytest.raises(NotSent) as not_sent:
            twilio.messages.send_message(sid("CH", 1), body="hi")
        with pytest.raises(TwilioUnavailable) as not_listed:
            twilio.messages.list_messages(sid("CH", 1))
        with pytest.raises(TwilioUnavailable) as not_found:
            twilio.conversations.get_conversation(sid("CH", 1))

        twilio.service.stop()

    errors: list[NotSent | TwilioUnavailable] = [not_sent.value, not_listed.value, not_found.value]
    assert [error.retry_after for error in errors] == [seconds] * 3
    assert all("code 20429: too many requests at once; wait and try again" in str(error) for error in errors)


def test_another_failure_names_no_wait() -> None:
    with server_that(respond_with(503, "{}", retry_after="7")) as url:
        twilio = connected(url)

        with pytest.raises(TwilioUnavailable) as raised:
            twilio.messages.list_messages(sid("CH", 1))

        assert raised.value.retry_after is None
        twilio.service.stop()


def test_a_send_without_a_connection_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    twilio = connected(f"http://127.0.0.1:{port}")

    with pytest.raises(NotSent):
        twilio.messages.send_message(sid("CH", 1), body="hi")

    twilio.service.stop()


def test_a_connection_may_take_two_seconds_and_a_response_eight(monkeypatch: pytest.MonkeyPatch) -> None:
    timeouts: list[tuple[float, float]] = []

    def connect_slowly(_: HTTPAdapter, _request: object, *, timeout: tuple[float, float], **_settings: object) -> None:
        timeouts.append(timeout)
        raise ConnectTimeout

    monkeypatch.setattr(HTTPAdapter, "send", connect_slowly)  # what requests calls for each request
    twilio = connected("http://127.0.0.1")

    with pytest.raises(NotSent):
        twilio.messages.send_message(sid("CH", 1), body="hi")

    assert timeouts == [(2, 8)]
    twilio.service.stop()


@pytest.mark.parametrize(
    ("status", "error"), [(429, TwilioUnavailable), (500, TwilioUnavailable), (404, TwilioRefused)]
)
def test_the_status_of_a_failed_read_decides_whether_to_try_again(status: int, error: type[Exception]) -> None:
    with server_that(respond_with(status, f'{{"code": {status}, "message": "x", "status": {status}}}')) as url:
        twilio = connected(url)

        with pytest.raises(error):
            twilio.messages.list_messages(sid("CH", 1))

        twilio.service.stop()


@pytest.mark.parametrize(
    "respond",
    [
        respond_with(200, "this is not JSON"),
        respond_with(200, "{}"),
        respond_with(200, '{"messages": 7}'),
        respond_with(503, "<html>away</html>"),
        reset_connection,
    ],
    ids=["not JSON", "no messages", "no list", "503", "reset"],
)
def test_a_page_of_a_list_that_nobody_can_read_is_transient(respond: Callable[[BaseHTTPRequestHandler], None]) -> None:
    with server_that(respond) as url:
        twilio = connected(url)

        with pytest.raises(Transient):
            twilio.messages.list_messages(sid("CH", 1))

        twilio.service.stop()


@dataclass
class Requests:
    """Counts requests, and answers each with `respond`."""

    respond: Callable[[BaseHTTPRequestHandler], None]
    paths: list[str] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        self.paths.append(handler.path)
        self.credentials.append(base64.b64decode(handler.headers["Authorization"].removeprefix("Basic ")).decode())
        self.respond(handler)


def redirect(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(307)
    handler.send_header("Location", "/elsewhere")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


@pytest.mark.parametrize(
    "respond",
    [redirect, reset_connection, respond_with(503, "{}"), respond_with(429, "{}")],
    ids=["redirect", "reset", "503", "429"],
)
def test_a_request_is_made_once_and_no_redirect_is_followed(respond: Callable[[BaseHTTPRequestHandler], None]) -> None:
    requests = Requests(respond)
    with server_that(requests) as url:
        twilio = connected(url)

        with pytest.raises(SwitchboardError):
            twilio.messages.send_message(sid("CH", 1), body="hi")
        with pytest.raises(SwitchboardError):
            twilio.messages.list_messages(sid("CH", 1))

        twilio.service.stop()
    assert len(requests.paths) == 2
    assert "/elsewhere" not in requests.paths


@pytest.mark.parametrize(("date", "microsecond"), [("2026-11-27T12:00:00Z", 0), ("2026-11-27T12:00:00.250Z", 250_000)])
def test_a_message_is_listed_with_its_time_and_the_types_of_its_files(date: str, microsecond: int) -> None:
    message = {
        "sid": sid("IM", 1),
        "account_sid": ACCOUNT,
        "conversation_sid": sid("CH", 1),
        "index": 0,
        "author": "+12025550110",
        "body": None,
        "attributes": "{}",
        "media": [
            {"sid": sid("ME", 1), "content_type": "audio/ogg", "size": 12_232},
            {"Sid": sid("ME", 2), "ContentType": "image/png"},
        ],
        "date_created": date,
    }
    page = {"messages": [message], "meta": {"key": "messages", "next_page_url": None}}
    with server_that(respond_with(200, json.dumps(page))) as url:
        twilio = connected(url)

        (listed,) = twilio.messages.list_messages(sid("CH", 1))

        twilio.service.stop()
    assert listed.media == (
        Media(content_type="audio/ogg", size=12_232, sid=sid("ME", 1)),
        Media(content_type="image/png", sid=sid("ME", 2)),
    )
    assert listed.at == datetime(2026, 11, 27, 12, 0, 0, microsecond, UTC)


def test_an_api_key_is_what_twilio_is_asked_with() -> None:
    requests = Requests(respond_with(500, "{}"))
    with server_that(requests) as url:
        secret = TwilioSecret(
            auth_tokens=("token",),
            account_sid=ACCOUNT,
            api_key_sid="SK1",
            api_key_secret="key",
            service_sid=SERVICE,
            customer_key=b"",
        )
        service = connect(
            account_sid=ACCOUNT,
            service_sid=SERVICE,
            credentials=secret.rest_credentials,
            refresh_credentials=lambda: None,
            base_url=url,
        )
        with pytest.raises(Unknown):
            Messages(service=service, author_rules=AuthorRules()).send_message(sid("CH", 1), body="hi")
        service.stop()
    assert requests.credentials == ["SK1:key"]


def test_a_read_without_a_response_is_transient() -> None:
    with server_that(reset_connection) as url:
        twilio = connected(url)

        with pytest.raises(Transient, match=r"Twilio did not answer \(ConnectionError\)"):
            twilio.conversations.get_conversation(sid("CH", 1))

        twilio.service.stop()


SID = sid("CH", 1)
CHANGE = owner_change(SID, Owner.HUMAN, "message", at=NOON)
CALLS: dict[str, tuple[Callable[[Twilio], object], str]] = {
    "create": (lambda twilio: twilio.conversations.create_conversation(friendly_name="A talk"), "create conversation"),
    "get": (lambda twilio: twilio.conversations.get_conversation(SID), SID),
    "list": (lambda twilio: twilio.conversations.list_conversations(), "list conversations"),
    "new": (lambda twilio: twilio.conversations.new_conversations(since=NOON, limit=1), "list conversations"),
    "update": (lambda twilio: twilio.conversations.update_state(SID, ConversationState.INACTIVE), SID),
    "close": (lambda twilio: twilio.conversations.ensure_closed(SID), SID),
    "show an owner": (lambda twilio: twilio.conversations.show_change(CHANGE), SID),
    "show a decision": (lambda twilio: twilio.conversations.show_decision(CHANGE), SID),
    "add": (lambda twilio: twilio.conversations.add_participant(SID, identity=VISITOR), SID),
    "remove": (lambda twilio: twilio.conversations.remove_participant(SID, sid("MB", 1)), SID),
    "messages": (lambda twilio: twilio.messages.list_messages(SID), SID),
    "send": (lambda twilio: twilio.messages.send_message(SID, body="hi"), SID),
    "send as a human": (lambda twilio: twilio.messages.send_as_human(SID, human="robin", body="hi"), SID),
}


@pytest.mark.parametrize(("call", "what"), CALLS.values(), ids=CALLS)
def test_the_error_of_a_call_names_what_was_asked_for(call: Callable[[Twilio], object], what: str) -> None:
    with server_that(respond_with(429, "{}")) as url:
        twilio = connected(url)

        with pytest.raises(Transient, match=f"^{what}: Twilio answered 429"):
            call(twilio)

        twilio.service.stop()


@pytest.mark.parametrize("unavailable", ["account", "Conversations service"])
def test_a_start_says_what_it_could_not_check(unavailable: str) -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        is_account = "/Accounts/" in handler.path
        respond_with(503 if is_account == (unavailable == "account") else 200, "{}")(handler)

    with server_that(respond) as url:
        twilio = connected(url)

        with pytest.raises(Transient, match=f"^{unavailable}: Twilio answered 503"):
            twilio.service.start()

        twilio.service.stop()


def test_an_owner_that_cannot_be_shown_names_the_conversation(twilio: Twilio) -> None:
    conversation = twilio.conversations.create_conversation(friendly_name="A talk", attributes="[]")

    with pytest.raises(SwitchboardError, match=f"^{conversation.sid}: "):
        twilio.conversations.show_change(replace(CHANGE, conversation_sid=conversation.sid))

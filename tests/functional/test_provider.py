"""The provider against an emulator, over HTTP: the calls of the library, and its webhooks in a web process."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from switchboard import Answer, AnswerSettings, EntryRole, Provider, Question
from switchboard.consent_sentences import OPT_OUT
from switchboard.errors import Malformed, Misconfigured, NotAuthentic, SendRefused
from switchboard.events import ConversationState
from switchboard.languages import Language
from switchboard.notices import Notice, NoticeType
from switchboard.provider import EMULATOR
from switchboard.stores.dynamodb import in_dynamodb
from switchboard.stores.store import Store, in_memory
from switchboard.twilio.rest.errors import TwilioRefused
from switchboard.webhook_events import MessageAdded, WebhookEvent
from tests.dynamodb import table_on_moto
from tests.signing import message_fields, signature_of
from tests.waiting import wait_until
from twilio_emulator import Emulator
from twilio_emulator.client import CustomerClient
from twilio_emulator.server import Servers, listen

VISITOR = f"visitor-{'0' * 31}1"
NOW = AnswerSettings(coalesce_seconds=0, disclosure_sentence="off")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    emulator = Emulator()
    listening = listen("127.0.0.1", 0)
    servers = Servers({listening: emulator.app}, at_end=emulator.aclose)
    yield listening.getsockname()[1]
    servers.close()


@pytest.fixture
def twilio(port: int) -> Iterator[Provider]:
    with Provider.local(port) as provider:
        yield provider


# ── the calls ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_conversation_is_created_changed_and_closed(twilio: Provider) -> None:
    created = twilio.create_conversation("Order 7", unique_name="order-7", attributes={"order": 7})
    assert twilio.get_conversation("order-7") == created
    assert created.sid in {each.sid for each in twilio.list_conversations()}

    changed = twilio.set_attributes(created.sid, {"order": 8})
    assert changed.attributes == '{"order": 8}'
    assert twilio.update_state(created.sid, ConversationState.INACTIVE).state == "inactive"
    assert twilio.close_conversation(created.sid).state == "closed"

    with pytest.raises(TwilioRefused, match="the conversation is closed, for good"):
        twilio.update_state(created.sid, ConversationState.ACTIVE)


def test_participants_of_each_channel_come_and_go(twilio: Provider) -> None:
    sid = twilio.create_conversation().sid
    added = [
        twilio.add_participant(sid, address="+12025550111", proxy_address="+12025550100"),
        twilio.add_participant(sid, address="whatsapp:+12025550111", proxy_address="whatsapp:+12025550101"),
        twilio.add_participant(sid, identity=VISITOR),
    ]
    assert twilio.list_participants(sid) == tuple(added)

    twilio.remove_participant(sid, added[0].sid)
    assert twilio.list_participants(sid) == tuple(added[1:])
    twilio.close_conversation(sid)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"address": "+12025550111"},
        {"proxy_address": "+12025550100"},
        {"identity": "robin", "address": "+12025550111", "proxy_address": "+12025550100"},
    ],
)
def test_half_a_participant_is_refused_before_it_is_sent(twilio: Provider, wrong: Mapping[str, str]) -> None:
    with pytest.raises(ValueError, match="give either identity, or address and proxy_address"):
        twilio.add_participant("CH1", **wrong)


def test_messages_are_sent_listed_received_and_deleted(twilio: Provider) -> None:
    sid = twilio.create_conversation().sid
    twilio.send_message(sid, "before")
    received = twilio.receive_messages(sid, poll_seconds=0)  # from now on
    sent = twilio.send_message(sid, "after", author="robin")

    message = next(received)
    assert (message.message_sid, message.body, message.author) == (sent.message_sid, "after", "robin")
    assert [each.body for each in twilio.list_messages(sid)] == ["before", "after"]
    assert next(twilio.receive_messages(sid, from_index=0)).body == "before"

    twilio.delete_message(sid, sent.message_sid)
    assert [each.body for each in twilio.list_messages(sid)] == ["before"]
    with pytest.raises(SendRefused, match="the body is too long"):
        twilio.send_message(sid, "x" * 40_000)


def test_receiving_ends_when_the_provider_stops(port: int) -> None:
    with Provider.local(port) as provider:
        sid = provider.create_conversation().sid
        received = provider.receive_messages(sid, poll_seconds=3600)
        ended = threading.Thread(target=list, args=(received,))
        ended.start()
    ended.join(10)

    assert not ended.is_alive()


def test_the_environment_configures_it(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    account_sid, auth_token, service_sid = EMULATOR
    for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_CONVERSATIONS_SERVICE_SID", "WEBHOOK_URL"):
        monkeypatch.delenv(name, raising=False)
    values = {
        "TWILIO_ACCOUNT_SID": account_sid,
        "TWILIO_AUTH_TOKEN": auth_token,
        "TWILIO_CONVERSATIONS_SERVICE_SID": service_sid,
    }
    for name, value in values.items():
        with pytest.raises(Misconfigured, match=rf"{name} is not set.* Provider\.local\(\)"):
            Provider.from_env()
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TWILIO_BASE_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("WEBHOOK_URL", "https://example.com/webhook")

    with Provider.from_env() as provider:
        assert provider.health()
        assert provider.webhook_url == "https://example.com/webhook"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("account_sid", "AC1", "account_sid is not a valid SID: it must be AC and 32 hex digits"),
        ("conversations_service_sid", "", "conversations_service_sid is not a valid SID"),
        ("auth_token", "", "auth_token is empty"),
        ("api_key_sid", f"SK{'0' * 32}", "give both or neither"),
        ("webhook_url", "example.com/webhook", "it must be http:// or https://, a host and a path, and no query"),
        ("webhook_url", "https://", "a host and a path"),
        ("base_url", "http://127.0.0.1:99999", "base_url is 'http://127.0.0.1:99999'"),
        ("webhook_url", "https://example.com/webhook?key=1", "and no query"),
    ],
)
def test_what_cannot_be_right_is_named_before_anything_is_sent(name: str, value: str, sentence: str) -> None:
    account_sid, auth_token, service_sid = EMULATOR
    settings: dict[str, Any] = {
        "account_sid": account_sid,
        "auth_token": auth_token,
        "conversations_service_sid": service_sid,
    }

    with pytest.raises(Misconfigured, match=re.escape(sentence)):
        Provider(**{**settings, name: value})


def test_wrong_credentials_and_another_service_are_told_at_the_start(port: int) -> None:
    account_sid, auth_token, service_sid = EMULATOR
    wrong = Provider(
        account_sid=account_sid,
        auth_token="wrong",
        conversations_service_sid=service_sid,
        base_url=f"http://127.0.0.1:{port}",
    )
    with pytest.raises(Misconfigured, match="check the account SID and the auth token"):
        wrong.start()
    other = Provider(
        account_sid=account_sid,
        auth_token=auth_token,
        conversations_service_sid=f"IS{'0' * 31}9",
        base_url=f"http://127.0.0.1:{port}",
    )
    with pytest.raises(Misconfigured, match="Twilio does not know this Conversations service"):
        other.start()
    wrong.stop()
    other.stop()


# ── webhooks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None: ...


@dataclass
class Site:
    """A web server whose webhooks go to `handle`, and the phone of a customer."""

    provider: Provider
    url: str
    phone: CustomerClient
    statuses: list[int]

    def inbox(self) -> list[str]:
        return [message.body for message in self.phone.inbox()]


type Agent = Callable[[Question], str | Answer]
type StartSite = Callable[..., Site]


@pytest.fixture
def site(port: int) -> Iterator[StartSite]:
    """Start web servers on request; each is told of what its own customer writes."""
    closing: list[Callable[[], object]] = []

    def start(
        agent: Agent,
        *,
        phone: str,
        store: Store | str | Path | None = None,
        settings: AnswerSettings = NOW,
        on_notice: Callable[[Notice], None] | None = None,
        on_event: Callable[[WebhookEvent], None] | None = None,
    ) -> Site:
        provider = Provider.local(port, store=store, settings=settings, on_notice=on_notice).start()
        statuses: list[int] = []

        def application(environ: dict[str, object], start_response: Callable[..., object]) -> list[bytes]:
            if on_event:
                on_event(provider.parse_webhook(environ))
                start_response("200 OK", [])
                return []
            status = provider.handle_webhook(environ, agent)
            statuses.append(status)
            start_response(f"{status.value} {status.phrase}", [])
            return []

        server = make_server("127.0.0.1", 0, application, server_class=WSGIServer, handler_class=Quiet)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        closing.extend([provider.stop, server.server_close, thread.join, server.shutdown])
        url = f"http://127.0.0.1:{server.server_port}/webhook"
        provider.configure_webhook(url)
        customer = CustomerClient(f"http://127.0.0.1:{port}", phone)
        closing.append(customer.close)
        return Site(provider=provider, url=url, phone=customer, statuses=statuses)

    yield start
    for close in reversed(closing):
        close()


def echo(question: Question) -> str:
    return f"You wrote: {' / '.join(question.messages)}"


@pytest.mark.parametrize("kind", ["memory", "sqlite", "dynamodb"])
def test_a_text_is_answered_whatever_the_conversations_are_kept_in(site: StartSite, tmp_path: Path, kind: str) -> None:
    phone = {"memory": "+12025550120", "sqlite": "+12025550121", "dynamodb": "whatsapp:+12025550122"}[kind]
    with table_on_moto() as table:
        stores: dict[str, Store | Path | None] = {
            "memory": None,
            "sqlite": tmp_path / "store.sqlite",
            "dynamodb": in_dynamodb(table.name, customer_key=b"key", client=table.client),
        }
        running = site(echo, phone=phone, store=stores[kind])

        running.phone.send("Are you open?")
        wait_until(running.inbox)
        running.phone.send("And on Sunday?")
        wait_until(lambda: len(running.inbox()) == 2)

        assert running.inbox() == ["You wrote: Are you open?", "You wrote: And on Sunday?"]
        assert set(running.statuses) == {200}
        running.provider.stop()


def test_a_later_question_has_the_history(site: StartSite) -> None:
    asked: list[Question] = []

    def agent(question: Question) -> str:
        asked.append(question)
        return "Yes"

    running = site(agent, phone="+12025550123")
    running.phone.send("Are you open?")
    wait_until(running.inbox)
    running.phone.send("Really?")
    wait_until(lambda: len(running.inbox()) == 2)

    assert [(entry.role, entry.text) for entry in asked[1].history] == [
        (EntryRole.CUSTOMER, "Are you open?"),
        (EntryRole.ASSISTANT, "Yes"),
    ]


def test_a_handoff_reaches_people_and_silences_the_assistant(site: StartSite) -> None:
    notices: list[Notice] = []
    running = site(
        lambda _question: Answer(text="A colleague takes over.", handoff=True),
        phone="+12025550124",
        on_notice=notices.append,
    )

    sent = running.phone.send("A human, please")
    wait_until(lambda: notices)
    running.phone.send("Hello?")
    wait_until(lambda: "owner" in running.provider.get_conversation(str(sent.conversation_sid)).attributes)

    assert running.inbox() == ["A colleague takes over."]
    assert notices[0].type is NoticeType.HUMAN_NEEDED
    assert notices[0].conversation_sid == sent.conversation_sid


def test_a_file_of_the_folder_reaches_the_customer(site: StartSite, tmp_path: Path) -> None:
    (tmp_path / "menu.pdf").write_bytes(b"%PDF-1.4 our menu")
    settings = replace(NOW, files_folder=tmp_path)
    running = site(lambda _: Answer(text="Our menu.", files=("menu.pdf",)), phone="+12025550187", settings=settings)

    running.phone.send("What do you have?")
    wait_until(lambda: len(running.inbox()) == 2)

    text, file = running.phone.inbox()
    assert (text.body, [media.filename for media in file.media]) == ("Our menu.", ["menu.pdf"])


def test_who_has_opted_out_hears_no_more_also_from_the_program_itself(site: StartSite) -> None:
    running = site(echo, phone="whatsapp:+12025550127")

    sent = running.phone.send("STOP")
    wait_until(running.inbox)

    with pytest.raises(SendRefused, match="the customer has opted out: nothing is sent to them until they write START"):
        running.provider.send_message(str(sent.conversation_sid), "Our offers of the week")
    assert running.inbox() == [OPT_OUT[Language.ENGLISH]]


def test_the_typed_event_of_a_webhook(site: StartSite) -> None:
    told: list[WebhookEvent] = []
    running = site(echo, phone="+12025550125", on_event=told.append)

    sent = running.phone.send("Hi")
    wait_until(lambda: any(isinstance(event, MessageAdded) for event in told))

    (message,) = [event for event in told if isinstance(event, MessageAdded)]
    assert (message.body, message.message_sid, message.author) == ("Hi", sent.message_sid, "+12025550125")


def test_a_text_is_kept_before_twilio_is_told_so(port: int) -> None:
    store, form, url = in_memory(), message_fields(), "http://127.0.0.1/webhook"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature_of(form, url=url)}
    settings = replace(NOW, coalesce_seconds=3600)

    with Provider.local(port, store=store, settings=settings) as provider:
        status = provider.handle_webhook((url, headers, urlencode(form).encode()), echo)

    assert status == 200
    (kept,) = store.messages.of(form["ConversationSid"])
    assert getattr(kept.event, "message_sid", "") == form["MessageSid"]


def test_what_twilio_did_not_sign_is_rejected(site: StartSite) -> None:
    running = site(echo, phone="+12025550126")
    provider, agent = running.provider, echo
    form = {"AccountSid": EMULATOR[0], "EventType": "onMessageAdded"}
    body = "&".join(f"{name}={value}" for name, value in form.items()).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    signed = {**headers, "X-Twilio-Signature": signature_of(form, url=running.url)}

    assert provider.handle_webhook((running.url, headers, body), agent) == 403
    assert provider.handle_webhook((running.url, {**signed, "X-Twilio-Signature": "wrong"}, body), agent) == 403
    assert provider.handle_webhook((running.url, signed, body), agent) == 400  # signed, and no message is in it
    with pytest.raises(NotAuthentic):
        provider.parse_webhook((running.url, headers, body))
    with pytest.raises(Malformed):
        provider.parse_webhook((running.url, signed, body))


def test_what_waits_in_a_file_is_answered_by_the_next_process(site: StartSite, port: int, tmp_path: Path) -> None:
    asked, released = threading.Event(), threading.Event()

    def never(_question: Question) -> str:
        asked.set()
        released.wait(20)
        raise TimeoutError

    running = site(never, phone="+12025550127", store=tmp_path / "store.sqlite")
    running.phone.send("Are you open?")
    assert asked.wait(10)
    released.set()
    running.provider.stop()

    with Provider.local(port, store=tmp_path / "store.sqlite", settings=NOW) as second:
        second.resume(echo)
        wait_until(running.inbox)

    assert running.inbox() == ["You wrote: Are you open?"]


def test_the_url_that_was_called_before_can_be_put_back(twilio: Provider) -> None:
    twilio.configure_webhook("http://127.0.0.1:9/first")

    assert twilio.configure_webhook("http://127.0.0.1:9/second") == "http://127.0.0.1:9/first"
    assert twilio.webhook_url == "http://127.0.0.1:9/second"
    with pytest.raises(Misconfigured, match="the webhook URL is 'ftp://x'"):
        twilio.configure_webhook("ftp://x")


def test_what_is_no_agent_is_named(port: int) -> None:
    with Provider.local(port) as provider, pytest.raises(Misconfigured, match="str is not an agent: give a function"):
        provider.resume("an assistant")  # type: ignore[arg-type]


def test_a_stopped_provider_does_nothing(port: int) -> None:
    with Provider.local(port) as provider:
        pass

    for call in (
        lambda: provider.handle_webhook(("http://127.0.0.1/webhook", {}, b""), echo),
        lambda: provider.create_conversation("late"),
        lambda: provider.send_message("CH1", "late"),
        lambda: provider.configure_webhook("http://127.0.0.1:9/webhook"),
        provider.start,
    ):
        with pytest.raises(RuntimeError, match="the provider is stopped: build another one"):
            call()
    assert not provider.health()


def test_a_handoff_is_known_to_the_next_process_although_its_store_is_new(site: StartSite, port: int) -> None:
    running = site(lambda _question: Answer(text="A colleague takes over.", handoff=True), phone="+12025550128")
    sent = running.phone.send("A human, please")
    sid = str(sent.conversation_sid)
    wait_until(lambda: "owner" in running.provider.get_conversation(sid).attributes)

    with Provider.local(port, settings=NOW) as second:
        worker = second.resume(echo)
        worker.accept(second.list_messages(sid)[0])
        wait_until(lambda: not worker.store.messages.due_at())

    assert running.inbox() == ["A colleague takes over."]

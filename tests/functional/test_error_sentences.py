"""docs/errors.md and the guide's troubleshooting: every class is there, and each sentence is one that somebody sees."""

import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib import import_module
from io import BytesIO
from pathlib import Path
from threading import Event

import pytest
from werkzeug.test import EnvironBuilder

import switchboard
from switchboard import Provider, Question
from switchboard.agents.function_agent import FunctionAgent
from switchboard.agents.http_agent import HttpAgent
from switchboard.agents.keys import Keys
from switchboard.agents.models import model_named
from switchboard.errors import RejectionCause, SwitchboardError
from switchboard.prices import parse_prices
from switchboard.stores.sqlite import in_sqlite
from switchboard.twilio.rest.errors import _WHAT_TO_DO
from tests.code_blocks import matches
from tests.emulator.emulator_server import ACCOUNT, CUSTOMER, OUR_SMS, SERVICE, TOKEN
from tests.signing import URL, message_fields, signature_of
from twilio_emulator import Emulator
from twilio_emulator.server import Servers, listen

ROOT = Path(__file__).parents[2]
ERRORS, GUIDE = ((ROOT / "docs" / name).read_text() for name in ("errors.md", "guide.md"))
SEEN_ELSEWHERE = {
    "[Errno 98] Address already in use",  # Python's, where another program has the port
    "…: the agent returned an empty answer",  # a turn's: tests/unit/turn
    "a webhook was rejected: <cause>: <sentence>",
    # Of models: tests/unit/agents/test_models.py, tests/functional/test_model_settings.py.
    (
        "ASSISTANT_MODEL is …, and that provider's package is not installed: "
        "add … to PROVIDERS in the Makefile, run make lock, and build again"
    ),
    'The secret of MODEL_SECRET_ID is not valid: it must be a JSON object such as {"OPENAI_API_KEY": "…"}',
    "MODEL_SECRET_ID: Secrets Manager answered …",
}
REJECTED = re.compile(r"a webhook was rejected: \w+: ")
SPAN = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Stage:
    """Where the errors happen: an emulator, and a folder."""

    port: int
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    providers: list[Provider] = field(default_factory=list)

    def provider(self, **changes: str) -> Provider:
        given = {"account_sid": ACCOUNT, "auth_token": TOKEN, "conversations_service_sid": SERVICE}
        address = {"base_url": f"http://127.0.0.1:{self.port}", "webhook_url": URL}
        provider = Provider(**{**given, **address, **changes})  # type: ignore[arg-type]  # texts, all of them
        self.providers.append(provider)
        return provider

    def post(self, *, url: str = URL, signature: str = "", content_type: str = "", **fields: str) -> HTTPStatus:
        """Give a provider a webhook that Twilio signed, but for what is given here."""
        form = message_fields(**fields)
        builder = EnvironBuilder(path="/webhook", method="POST", data=form)
        environ = {**builder.get_environ(), "HTTP_X_TWILIO_SIGNATURE": signature or signature_of(form)}
        if content_type:
            environ["CONTENT_TYPE"] = content_type
        environ["QUERY_STRING"] = url.partition("?")[2]
        with self.provider() as provider:
            return provider.handle_webhook(environ, lambda _question: "")

    def without_emulator(self) -> None:
        with listen("127.0.0.1", 0) as listening:
            port = listening.getsockname()[1]
        self.provider(base_url=f"http://127.0.0.1:{port}").start()

    def without_token(self) -> None:
        self.monkeypatch.setenv("TWILIO_ACCOUNT_SID", ACCOUNT)
        self.monkeypatch.delenv("TWILIO_AUTH_TOKEN", raising=False)
        Provider.from_env()

    def one_phone_twice(self) -> None:
        with self.provider() as provider:
            for _ in range(2):
                sid = provider.create_conversation().sid
                provider.add_participant(sid, address=CUSTOMER, proxy_address=OUR_SMS)

    def one_file_twice(self) -> None:
        first = in_sqlite(self.folder / "store.sqlite")
        try:
            in_sqlite(self.folder / "store.sqlite")
        finally:
            first.close()

    def body(self, body: bytes, *, has_length: bool = True) -> HTTPStatus:
        """Give a provider a webhook with this body."""
        environ = EnvironBuilder(path="/webhook", method="POST", input_stream=BytesIO(body)).get_environ()
        environ |= {"HTTP_X_TWILIO_SIGNATURE": "any", "CONTENT_TYPE": "application/x-www-form-urlencoded"}
        environ["CONTENT_LENGTH"] = str(len(body)) if has_length else ""
        with self.provider() as provider:
            return provider.handle_webhook(environ, lambda _question: "")

    def no_database(self) -> None:
        file = self.folder / "notes.txt"
        file.write_text("No database, but long enough to be taken for one." * 100)
        in_sqlite(file)

    def stopped(self) -> None:
        provider = self.provider()
        provider.stop()
        provider.resume(lambda _question: "")


class NotRead:
    """A request of an asynchronous framework whose body nobody awaited."""

    url, headers = URL, {"content-type": "application/x-www-form-urlencoded"}
    _stream_consumed = False

    async def body(self) -> bytes:
        return b""


def ask(function: Callable[[Question], object], timeout_seconds: float = 60) -> None:
    question = Question(turn="a-turn", history=(), messages=("hi",), timeout_seconds=timeout_seconds)
    FunctionAgent(function).answer(question)  # type: ignore[arg-type]  # some are wrong on purpose


PROVOKED: list[Callable[[Stage], object]] = [
    Stage.without_emulator,
    Stage.without_token,
    lambda stage: stage.provider(account_sid="AC1"),
    lambda stage: stage.provider(conversations_service_sid="IS1"),
    lambda stage: stage.provider(auth_token=""),
    lambda stage: stage.provider(auth_token="another").start(),
    lambda stage: stage.provider(conversations_service_sid=f"IS{'0' * 31}9").start(),
    lambda stage: stage.provider(webhook_url="example.com/webhook"),
    lambda stage: stage.provider(base_url="127.0.0.1:8081"),
    lambda stage: stage.post(signature="forged"),
    lambda stage: stage.provider().handle_webhook((URL, {}, b""), lambda _question: ""),
    lambda stage: stage.post(content_type="text/plain"),
    lambda stage: stage.post(url=f"{URL}?a=b"),
    lambda stage: stage.post(AccountSid=f"AC{'0' * 31}2"),
    lambda stage: stage.post(EventType="onMessage Added"),
    lambda stage: stage.body(b"a=b", has_length=False),
    lambda stage: stage.body(b"a" * 262145),
    lambda stage: stage.body(b"\xff"),
    Stage.no_database,
    lambda stage: in_sqlite(stage.folder / "nowhere" / "store.sqlite"),
    Stage.one_phone_twice,
    Stage.one_file_twice,
    Stage.stopped,
    lambda stage: stage.provider().parse_webhook(NotRead()),
    lambda stage: stage.provider().parse_webhook(object()),
    lambda stage: stage.provider().handle_webhook((URL, {}, b""), "an answer"),  # type: ignore[arg-type]
    lambda _stage: model_named("nonsense"),
    lambda _stage: model_named("openai:a-model"),
    lambda _stage: model_named(
        "openai:a-model", keys=Keys(environment={"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "a"})
    ),
    lambda _stage: parse_prices(
        'currency = "USD"\n[chat]\nmessage = "0"\nsource = "https://example.com"\nas_of = 2026-11-28',
        name="prices.toml",
    ),
    lambda _stage: HttpAgent("example.com/answer"),
    lambda _stage: HttpAgent("https://example.com/answer", token=" "),
    lambda _stage: HttpAgent("http://example.com/answer", token="token"),
    lambda _stage: ask(lambda _question: None),
    lambda _stage: ask(lambda question: question.messages[1]),
    lambda _stage: ask(lambda _question: str(Event().wait(0.5)), timeout_seconds=0),
]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    emulator, listening = Emulator(), listen("127.0.0.1", 0)
    servers = Servers({listening: emulator.app}, at_end=emulator.aclose)
    stage = Stage(listening.getsockname()[1], tmp_path, monkeypatch)
    yield stage
    for provider in stage.providers:
        provider.stop()
    servers.close()


def test_each_sentence_on_the_pages_is_one_that_somebody_sees_and_none_is_missing(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    seen = [text for provoke in PROVOKED for text in said(provoke, stage, caplog)]
    on_errors = [span for title in ("Settings", "Webhooks", "Agents") for span in sentences(section(ERRORS, title))]
    in_guide = sentences(section(GUIDE, "Troubleshooting"))

    assert len(seen) == len(PROVOKED), seen
    for span in {*on_errors, *in_guide} - SEEN_ELSEWHERE:
        assert any(matches(span, text) or matches(span, REJECTED.sub("", text)) for text in seen), span
    for text in seen:
        assert any(matches(span, REJECTED.sub("", text)) for span in SPAN.findall(ERRORS)), text


def said(provoke: Callable[[Stage], object], stage: Stage, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what a mistake has a program raise, or log."""
    caplog.clear()
    try:
        provoke(stage)
    except Exception as error:  # noqa: BLE001 -- whichever it is, its sentence is looked for
        return [str(error)]
    return [record.getMessage() for record in caplog.records]


def sentences(text: str) -> list[str]:
    """Return the code spans of a text's tables that are sentences: more than a name, a variable or a call."""
    cells = " ".join(line for line in text.splitlines() if line.startswith("| "))
    return [span for span in SPAN.findall(cells) if span.count(" ") > 2 and not span.startswith("PORT=")]


def section(page: str, title: str) -> str:
    """Return what stands under a heading of the second level."""
    return page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_class_of_error_is_on_the_page() -> None:
    named = {*SPAN.findall(section(ERRORS, "Every class"))}

    assert exceptions() - named == set()
    assert {name for name in exceptions() if issubclass(exceptions_by_name()[name], SwitchboardError)} <= {
        *re.findall(r"^\| `(\w+)` \|", section(ERRORS, "Every class"), re.MULTILINE)
    }


def test_the_tree_of_classes_is_that_of_the_code() -> None:
    (tree,) = re.findall(r"^```\n(SwitchboardError\n.*?)^```", ERRORS, re.MULTILINE | re.DOTALL)
    parents = ["SwitchboardError"]
    drawn = {}
    for line in tree.splitlines()[1:]:
        name = re.findall(r"\w+", line)[0]
        depth = line.index(name) // 4
        drawn[name] = parents[depth - 1]
        parents[depth:] = [name]

    bases = {name: error.__base__ for name, error in exceptions_by_name().items()}
    assert drawn == {name: base.__name__ for name, base in bases.items() if base and issubclass(base, SwitchboardError)}


def test_every_sentence_about_a_code_of_twilio_is_on_the_page() -> None:
    rows = dict(re.findall(r"^\| (\d{5}) \| `(.+?)` \|", section(ERRORS, "Twilio's codes"), re.MULTILINE))

    assert {int(code) for code in rows} == _WHAT_TO_DO.keys()
    assert {
        code: span for code, span in rows.items() if not matches(span, _WHAT_TO_DO[int(code)].replace("`", ""))
    } == {}


def test_every_cause_of_a_rejection_is_on_the_page() -> None:
    assert {cause.value for cause in RejectionCause} <= {*SPAN.findall(section(ERRORS, "Webhooks"))}


def exceptions() -> set[str]:
    return set(exceptions_by_name())


def exceptions_by_name() -> dict[str, type[BaseException]]:
    """Return every public class of error that a module of the library defines."""
    return {
        name: each
        for module in pkgutil.walk_packages(switchboard.__path__, "switchboard.")
        for name, each in inspect.getmembers(import_module(module.name), inspect.isclass)
        if issubclass(each, BaseException) and each.__module__ == module.name and not name.startswith("_")
    }

"""docs/guide.md: its Python runs in order and prints what it shows, its figures are counted, its table is complete."""

import contextlib
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from switchboard import Provider
from switchboard.disclosure import SENTENCES
from switchboard.languages import Language
from tests.code_blocks import blocks, matches
from tests.emulator.emulator_server import ACCOUNT, CUSTOMER, SERVICE, TOKEN
from tests.emulator.webhook_site import WebhookSite
from tests.waiting import wait_until
from twilio_emulator import Emulator
from twilio_emulator.client import CustomerClient
from twilio_emulator.server import Servers, listen

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guide.md").read_text()
COMPLETE = (ROOT / "examples" / "complete.py").read_text()
OF_THE_PAGE = ("http://127.0.0.1:8081", "https://example.com/webhook")
ANSWER = f"{SENTENCES[Language.ENGLISH]}\n\nYes, on Saturday."
VISITOR = "visitor-00000000000000000000000000000001"

type Request = tuple[str, dict[str, str], bytes]


@dataclass
class Twilio:
    """An emulator, and what happens on the wire: the requests that it gets, and the webhooks that `site` gets of it."""

    url: str
    site: WebhookSite
    requests: Counter[str] = field(default_factory=Counter)

    def counted(self, application: Callable[..., Any]) -> Callable[..., Any]:
        """Return the emulator's application, which counts requests by method; those to /_emulator are not Twilio's."""

        async def count(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
            if not scope["path"].startswith("/_emulator"):
                self.requests[scope["method"]] += 1
            await application(scope, receive, send)

        return count

    def next_message(self, body: str) -> Request:
        """Return the webhook of a text that a customer sends now, as a tuple (url, headers, body)."""
        with CustomerClient(self.url, CUSTOMER) as customer:
            sid = customer.send(body).message_sid
        found = wait_until(lambda: [each for each in self.site.received if each.fields.get("MessageSid") == sid])[0]
        headers = {name.title(): value for name, value in found.headers.items()}
        return found.url, headers, urlencode(found.pairs).encode()

    def inbox(self) -> list[str]:
        with CustomerClient(self.url, CUSTOMER) as customer:
            return [message.body for message in customer.inbox()]


@pytest.fixture
def twilio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Twilio]:
    """Return an emulator that the environment names, as for a user who has set no other variable of ours."""
    emulator, listening = Emulator(), listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with WebhookSite() as site:
        twilio = Twilio(url=url, site=site)
        servers = Servers({listening: twilio.counted(emulator.app)}, at_end=emulator.aclose)
        for name, value in {
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_CONVERSATIONS_SERVICE_SID": SERVICE,
            "TWILIO_BASE_URL": url,
            "TWILIO_PORT": url.rpartition(":")[2],
            "WEBHOOK_URL": site.url,
        }.items():
            monkeypatch.setenv(name, value)
        yield twilio
        servers.close()


def test_every_block_of_python_runs_and_prints_what_the_page_shows(twilio: Twilio) -> None:
    examples = [(code, shown) for code, shown in blocks(PAGE, "python") if code != COMPLETE]
    names: dict[str, Any] = {}

    for code, shown in examples:
        if "handle_webhook(request" in code:
            names["request"] = twilio.next_message("Are you open?")
        elif "update_state" in code:
            wait_until(lambda: ANSWER in twilio.inbox(), what="the answer of the page's agent")
        printed = run(here(code, twilio), names)
        assert matches(here(shown, twilio), printed), f"{code}\nshown: {shown}\nprinted: {printed}"

    assert len(examples) > 10
    assert twilio.inbox().count(ANSWER) == 1


def here(text: str, twilio: Twilio) -> str:
    """Return a text of the page with the addresses of this test."""
    for of_the_page, ours in zip(OF_THE_PAGE, (twilio.url, twilio.site.url), strict=True):
        text = text.replace(of_the_page, ours)
    return text


def run(code: str, names: dict[str, Any]) -> str:
    """Run some Python, and return what it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "docs/guide.md", "exec"), names)  # noqa: S102 -- our own page
    return printed.getvalue()


def test_the_python_of_the_readme_runs(twilio: Twilio) -> None:
    readme = blocks((ROOT / "README.md").read_text(), "python")

    for code, _ in readme:
        run(code, {})

    assert twilio.requests["POST"] == 2
    assert len(readme) == 1


def test_the_complete_example_is_on_the_page_as_it_is() -> None:
    assert COMPLETE in [code for code, _ in blocks(PAGE, "python")]


def test_each_call_costs_the_requests_that_the_page_says(twilio: Twilio) -> None:
    rows = re.findall(r"^\| (`.+`) \| (\d) \|$", section("Cost"), re.MULTILINE)
    documented = {name: int(count) for names, count in rows for name in re.findall(r"`(\w+)`", names)}

    assert cost_of_each_call(twilio) == documented


def cost_of_each_call(twilio: Twilio) -> dict[str, int]:
    costs: dict[str, int] = {}

    def cost(name: str, *given: object, **named: object) -> Any:  # noqa: ANN401 -- whatever the call returns
        before = twilio.requests.total()
        returned = getattr(provider, name)(*given, **named)
        costs[name] = twilio.requests.total() - before
        return returned

    provider = Provider.from_env()
    cost("start")
    cost("health")
    sid = cost("create_conversation").sid
    cost("get_conversation", sid)
    cost("list_conversations")
    cost("set_attributes", sid, {})
    participant = cost("add_participant", sid, identity=VISITOR)
    cost("list_participants", sid)
    cost("remove_participant", sid, participant.sid)
    message = cost("send_message", sid, "hello")
    cost("list_messages", sid)
    cost("delete_message", sid, message.message_sid)
    cost("configure_webhook")
    cost("update_state", sid, "inactive")
    cost("close_conversation", sid)
    request = twilio.next_message("hello")
    cost("parse_webhook", request)
    provider.stop()
    costs["handle_webhook"] = 0  # counted below, where the sweep's own requests are known
    return costs


def test_a_turn_costs_one_request_the_first_one_two_and_a_provider_that_answers_one_a_minute(twilio: Twilio) -> None:
    with Provider.from_env() as provider:
        provider.configure_webhook()
        provider.resume(lambda _question: "Hello!")
        wait_until(lambda: twilio.requests["GET"] == 4, what="the first sweep")  # two at the start, one to configure
        before = twilio.requests.copy()

        provider.handle_webhook(twilio.next_message("hello"), lambda _question: "Hello!")
        wait_until(twilio.inbox, what="the answer")

        assert twilio.requests - before == {"GET": 1, "POST": 1}

        before = twilio.requests.copy()
        provider.handle_webhook(twilio.next_message("hello again"), lambda _question: "Hello!")
        wait_until(lambda: len(twilio.inbox()) == 2, what="the second answer")

        assert twilio.requests - before == {"POST": 1}


def test_the_table_of_every_call_names_each_public_method_and_no_other() -> None:
    named = re.findall(r"`Provider(?:\.(\w+)\(\)|\(…\))`", section("Every call"))
    public = {name for name in vars(Provider) if not name.startswith("_") and callable(getattr(Provider, name))}

    rows = re.findall(r"^\| .+ \| (.*) \|$", section("Every call"), re.MULTILINE)[2:]
    assert {*filter(None, named)} == public
    assert "" in named, "the constructor"
    assert [row for row in rows if not row.strip()] == []


def section(title: str) -> str:
    """Return what stands under a heading of the second level."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]

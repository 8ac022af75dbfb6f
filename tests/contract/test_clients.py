"""The official `twilio` packages of Python and Node run one script of calls, `calls.json`, against the emulator.

The emulator's clock is stopped and its SIDs come from a seed, so that both packages get identical responses.
"""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests import skips
from tests.contract import calls
from tests.contract.calls import Outcome, Step
from tests.emulator.emulator_server import ACCOUNT, TOKEN
from tests.emulator.webhook_site import Received, WebhookSite
from tests.waiting import wait_until
from twilio_emulator import Emulator
from twilio_emulator.models.events import POST_EVENTS, PRE_EVENTS, USER_EVENTS
from twilio_emulator.rest.urls import ROUTES, match_route
from twilio_emulator.server import Servers, listen

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
INSTALLED = HERE / "node" / "node_modules" / ".installed"
STEPS: Sequence[Step] = json.loads((HERE / "calls.json").read_text())["steps"]
NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
OF_CONVERSATIONS = re.compile(
    r"/v1/(?!Content|Services/[^/]+/Media)"
)  # the packages do not upload media; templates are another API

# Python's package (9.13.0) does not send the webhook header with a delete, so that no webhook is sent.
SENDS_NO_HEADER = {("python", "delete")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """The outcome of the script in one language."""

    language: str
    outcomes: Sequence[Outcome]
    known: Mapping[str, Any]
    site: WebhookSite

    @property
    def results(self) -> dict[str, Any]:
        """The values of the script's references."""
        named = zip(STEPS, self.outcomes, strict=True)
        return {**self.known, **{step["as"]: outcome.get("gives") for step, outcome in named if "as" in step}}

    @property
    def expected_webhooks(self) -> Counter[str]:
        """How many webhooks of each event the successful steps cause."""
        expected_webhooks = Counter[str]()
        for step, outcome in zip(STEPS, self.outcomes, strict=True):
            if "gives" in outcome and (self.language, step["call"].rpartition(".")[2]) not in SENDS_NO_HEADER:
                expected_webhooks.update(step.get("tells", {}))
        return expected_webhooks

    def missing(self) -> Counter[str]:
        """Return the webhooks that have not been received yet."""
        return self.expected_webhooks - Counter(self.site.types())

    def webhooks(self) -> Sequence[Received]:
        """Wait for all webhooks that the steps cause."""
        with suppress(AssertionError):  # the next assertion shows which are missing
            wait_until(lambda: not self.missing())
        assert not self.missing()
        return self.site.received


@pytest.fixture(scope="module")
def python() -> Iterator[Played]:
    with stage() as (site, known):
        outcomes = calls.perform(STEPS, url=known["emulator"]["url"], known=known)
        yield Played(language="python", outcomes=outcomes, known=known, site=site)


@pytest.fixture(scope="module")
def node() -> Iterator[Played]:
    with stage() as (site, known):
        given = {"url": known["emulator"]["url"], "account": ACCOUNT, "token": TOKEN, "known": known}
        yield Played(language="node", outcomes=run_node("calls.js", given), known=known, site=site)


@pytest.fixture(params=["python", "node"])
def played(request: pytest.FixtureRequest) -> Played:
    """Run the script in either language."""
    play: Played = request.getfixturevalue(request.param)
    return play


@contextmanager
def stage() -> Iterator[tuple[WebhookSite, Mapping[str, Any]]]:
    """Serve an emulator and a site for its webhooks; yield the site and the first references' values."""
    emulator = Emulator(clock=lambda: NOW, seed="contract", actions_per_second=None)
    listening = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with WebhookSite() as site, closing(Servers({listening: emulator.app}, at_end=emulator.aclose)):
        yield site, {"emulator": {"url": url}, "site": {"url": site.url}, "account": {"sid": ACCOUNT}}


def run_node(script: str, given: object) -> Any:  # noqa: ANN401 -- JSON
    """Run a script with Node's package; its input and output are JSON."""
    program = skips.program("node")
    if not INSTALLED.exists():
        skips.missing(f"twilio package of Node: `make {INSTALLED.relative_to(ROOT)}` installs it")
    done = subprocess.run(  # noqa: S603 -- our own script
        [program, HERE / "node" / script],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("number", range(len(STEPS)), ids=[step["step"] for step in STEPS])
def test_a_package_parses_the_emulators_response(played: Played, number: int) -> None:
    step, outcome = STEPS[number], played.outcomes[number]
    expected = calls.resolved({name: step[name] for name in ("gives", "refused") if name in step}, played.results)

    seen = {name: like(expected.get(name), outcome[name]) for name in ("gives", "refused", "failed") if name in outcome}

    assert seen == expected
    assert len(outcome["requests"]) == step.get("requests", 1)


def like(expected: Any, parsed: Any) -> Any:  # noqa: ANN401 -- JSON
    """Reduce a parsed result to the attributes that the script names; a SID with the expected prefix becomes `CH…`."""
    if isinstance(expected, list) and isinstance(parsed, list):
        return [like(expected[n] if n < len(expected) else {}, each) for n, each in enumerate(parsed)]
    if not isinstance(expected, dict) or not isinstance(parsed, dict):
        return parsed
    return {name: _like_sid(value, parsed.get(name, "(no such attribute)")) for name, value in expected.items()}


def _like_sid(expected: Any, parsed: Any) -> Any:  # noqa: ANN401 -- JSON
    asked = re.fullmatch(r"([A-Z]{2})…", str(expected))
    return expected if asked and re.fullmatch(rf"{asked[1]}[0-9a-f]{{32}}", str(parsed)) else parsed


def test_both_packages_send_the_same_requests_and_parse_the_same_results(python: Played, node: Played) -> None:
    outcomes = zip(STEPS, without_addresses(python), without_addresses(node), strict=True)

    different = {step["step"]: (by_python, by_node) for step, by_python, by_node in outcomes if by_python != by_node}

    assert different == {}


def without_addresses(played: Played) -> list[Outcome]:
    """Return the outcomes with the addresses of the servers replaced."""
    text = json.dumps(played.outcomes)
    for server in ("emulator", "site"):
        text = text.replace(played.known[server]["url"], server)
    outcomes: list[Outcome] = json.loads(text)
    return outcomes


def test_the_script_has_the_packages_call_every_route(python: Played) -> None:
    requests = [request.split() for outcome in python.outcomes for request in outcome["requests"]]

    called = {route.methods[method] for method, path in requests if (route := match_route(path))}

    left_out = [
        f"{method} {route}"
        for route, methods in ROUTES.items()
        if OF_CONVERSATIONS.match(route)
        for method, respond in methods.items()
        if respond not in called
    ]
    assert left_out == []


def test_every_webhook_that_a_step_causes_is_sent(played: Played) -> None:
    received = played.webhooks()

    assert Counter(each.type for each in received) == played.expected_webhooks


def test_the_script_causes_every_event_and_every_form_of_a_webhook(python: Played) -> None:
    received = python.webhooks()

    assert {event for step in STEPS for event in step.get("tells", {})} == {*PRE_EVENTS, *POST_EVENTS, *USER_EVENTS}
    assert {each.method for each in received} == {"GET", "POST"}
    assert any(len(each.pairs) > len(each.fields) for each in received), "no field repeated"
    assert any("" in each.fields.values() for each in received), "no empty value"
    assert any(not value.isascii() for each in received for value in each.fields.values()), "nothing beyond ASCII"


@pytest.mark.parametrize("validator", ["python", "node"])
def test_a_packages_validator_accepts_every_webhook_and_rejects_every_changed_one(
    played: Played, validator: str
) -> None:
    genuine = played.webhooks()
    forged = [forgery for each in genuine for forgery in forgeries(each)]

    accepted = accepts(validator, [*genuine, *forged])

    refused = [each.type for each, yes in zip(genuine, accepted[: len(genuine)], strict=True) if not yes]
    believed = [each.type for each, yes in zip(forged, accepted[len(genuine) :], strict=True) if yes]
    assert (refused, believed) == ([], [])


def accepts(validator: str, webhooks: Sequence[Received]) -> list[bool]:
    if validator == "python":
        return [each.is_signed() for each in webhooks]
    signed = [
        {
            "token": TOKEN,
            "signature": each.headers["x-twilio-signature"],
            "url": each.url,
            "fields": {name: each.getlist(name) for name in each} if each.method == "POST" else {},
        }
        for each in webhooks
    ]
    accepted: list[bool] = run_node("signatures.js", signed)
    return accepted


def forgeries(webhook: Received) -> Iterator[Received]:
    """Yield a webhook with another URL, another signature, and a field changed, added and left out."""
    signature = webhook.headers["x-twilio-signature"]
    yield replace(webhook, url=f"{webhook.url}0")
    yield replace(webhook, headers={**webhook.headers, "x-twilio-signature": signature[::-1]})
    if webhook.method == "POST":
        (name, value), *others = webhook.pairs
        yield replace(webhook, pairs=((name, f"{value}0"), *others))
        yield replace(webhook, pairs=(*webhook.pairs, ("Surplus", "")))
        yield replace(webhook, pairs=tuple(others))

"""Files at a URL of an answer: fetched right before their POST, and sent as a link where they cannot be had."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from switchboard.channels.channel import Channel
from switchboard.channels.files import most_bytes
from switchboard.errors import Permanent, Transient
from switchboard.files import FetchedFile
from switchboard.turn.context import Step
from switchboard.turn.timing import MIN_LEASE_FOR_FETCH, MIN_LEASE_FOR_UPLOAD
from tests.builders import CONVERSATION
from tests.fakes.twilio import Upload
from tests.unit.turn.harness import Harness

URL = "https://shop.example/files/menu.pdf?v=2"
MENU = Upload(name="menu.pdf", content_type="application/pdf", content=b"%PDF-1.4 our menu")
SMS = "+12025550110"
WHATSAPP = f"whatsapp:{SMS}"
CHAT = f"visitor-{'0' * 32}"
MEGABYTE = 1024 * 1024


@dataclass
class Shop:
    """Another host, with one file; `fails` is raised in its place."""

    content: bytes = MENU.content
    content_type: str = "application/pdf"
    fails: Exception | None = None
    while_fetching: Callable[[], object] = lambda: None
    asked: list[tuple[str, int]] = field(default_factory=list)

    def may_fetch(self, url: str) -> bool:
        return url.startswith("https://shop.example/")

    def fetch(self, url: str, *, max_bytes: int) -> FetchedFile:
        self.asked.append((url, max_bytes))
        self.while_fetching()
        if self.fails:
            raise self.fails
        return FetchedFile(content=self.content, content_type=self.content_type)


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def harness(harness: Harness, shop: Shop) -> Harness:
    harness.fetcher = shop
    harness.agent.text, harness.agent.files = "Our menu.", (URL,)
    return harness


def asks(harness: Harness, author: str) -> None:
    harness.deliver(*(replace(message, author=author) for message in harness.customer_writes("hi")))


@pytest.mark.parametrize(
    ("author", "channel"), [(SMS, Channel.SMS), (WHATSAPP, Channel.WHATSAPP), (CHAT, Channel.CHAT)]
)
def test_a_file_at_an_allowed_host_is_a_message_after_the_text(
    harness: Harness, shop: Shop, author: str, channel: Channel
) -> None:
    asks(harness, author)

    assert harness.replies == ["Our menu.", ""]
    assert harness.twilio.attached == [MENU]
    assert shop.asked == [(URL, most_bytes(channel))]


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example/menu.pdf",
        "https://shop.example/menu",
        "https://shop.example/",
        "https://shop.example/a.html",
    ],
)
def test_a_url_of_another_host_or_of_no_file_is_a_link_in_the_text(harness: Harness, shop: Shop, url: str) -> None:
    harness.agent.files = (url,)

    asks(harness, CHAT)

    assert (harness.replies, shop.asked) == ([f"Our menu.\n\n{url}"], [])


def test_without_allowed_hosts_every_url_is_a_link(harness: Harness) -> None:
    harness.fetcher = None

    asks(harness, CHAT)

    assert harness.replies == [f"Our menu.\n\n{URL}"]


def test_a_channel_that_carries_no_files_gets_the_link(harness: Harness, shop: Shop) -> None:
    asks(harness, "messenger:1234")

    assert (harness.replies, shop.asked) == ([f"Our menu.\n\n{URL}"], [])


@pytest.mark.parametrize(
    "changes",
    [
        {"fails": Transient("503")},
        {"fails": Permanent("404")},
        {"content_type": "text/html"},
        {"content_type": "image/png"},
        {"content": b""},
        {"content": bytes(5 * MEGABYTE)},
    ],
    ids=["away", "gone", "a page", "another type", "empty", "too large"],
)
def test_what_cannot_be_had_or_carried_is_the_link_and_the_turn_ends(
    harness: Harness, shop: Shop, changes: dict[str, object]
) -> None:
    for name, value in changes.items():
        setattr(shop, name, value)

    result = harness.says("hi")

    assert (harness.replies, harness.twilio.uploads) == (["Our menu.", URL], {})
    assert (result.outcome, len(shop.asked)) == ("answered", 1)


def test_a_file_that_twilio_refuses_is_the_link(harness: Harness) -> None:
    harness.twilio.upload_ends.append("refused")

    result = harness.says("hi")

    assert (result.outcome, harness.replies) == ("answered", ["Our menu.", URL])


def test_an_upload_that_failed_is_tried_again_with_the_file_as_it_is_then(harness: Harness, shop: Shop) -> None:
    harness.twilio.upload_ends.append("not_sent")

    harness.deliver_until_it_ends(*harness.customer_writes("hi"))

    assert (harness.replies, harness.twilio.attached, len(shop.asked)) == (["Our menu.", ""], [MENU], 2)


def test_nothing_is_asked_before_the_reply_is_frozen(harness: Harness, shop: Shop) -> None:
    harness.deliver_and_crash(*harness.customer_writes("hi"), after=Step.FREEZE)

    reply = harness.item.pending_reply
    assert reply
    assert (reply.parts, reply.files, shop.asked) == (("Our menu.", URL), (URL,), [])


@pytest.mark.parametrize("comes_back", [True, False])
def test_one_message_brings_the_file_or_its_link_whatever_the_host_does_after_a_crash(
    harness: Harness, shop: Shop, *, comes_back: bool
) -> None:
    messages = harness.customer_writes("hi")
    shop.fails = Transient("503") if comes_back else None
    harness.twilio.post_ends.extend(["sent", "response_lost"])
    harness.deliver(*messages)
    shop.fails = None if comes_back else Transient("503")

    harness.deliver_until_it_ends(*messages)

    assert harness.replies == ["Our menu.", URL if comes_back else ""]
    assert len(shop.asked) == 1


def test_the_assistant_reads_later_which_file_it_has_sent(harness: Harness) -> None:
    harness.says("one")

    harness.says("two")

    assert harness.history()[-1] == ("assistant", f"Our menu.\n\n{URL}")


def test_a_takeover_while_a_file_is_fetched_stops_also_its_link(harness: Harness, shop: Shop) -> None:
    shop.fails = Transient("503")
    shop.while_fetching = lambda: harness.conversations.take_over(CONVERSATION, index=9, at=harness.clock())

    result = harness.says("hi")

    assert (result.outcome, harness.replies) == ("fenced", ["Our menu."])


def test_no_fetch_starts_with_too_little_lease_left_to_send_the_file(harness: Harness, shop: Shop) -> None:
    left = MIN_LEASE_FOR_FETCH.total_seconds() - 1
    assert left > MIN_LEASE_FOR_UPLOAD.total_seconds()
    harness.agent.while_thinking = lambda: harness.clock.move(seconds=60 - left)
    messages = harness.customer_writes("hi")

    harness.deliver(*messages)

    assert (harness.replies, shop.asked) == (["Our menu."], [])
    harness.deliver_until_it_ends(*messages)
    assert harness.twilio.attached == [MENU]


def test_where_the_function_never_has_the_time_to_fetch_the_link_is_sent(harness: Harness, shop: Shop) -> None:
    messages = harness.customer_writes("hi")

    for _ in range(2):
        harness.deliver(*messages, lease_seconds=MIN_LEASE_FOR_FETCH.total_seconds() - 1)
        harness.clock.move(seconds=120)

    assert (harness.twilio.attached, shop.asked) == ([], [])
    assert harness.replies == ["Our menu.", URL]

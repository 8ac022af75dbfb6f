"""The plain handler, beside an emulator: what it does right, and what such code does not do."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx
import pytest

from local.naive import plain_handler
from tests.signing import ACCOUNT, SERVICE, TOKEN, message_fields, signature_of
from tests.waiting import wait_until
from twilio_emulator import Emulator
from twilio_emulator.client import CustomerClient
from twilio_emulator.faults.armed import Fault, FaultKind
from twilio_emulator.server import Servers, listen

CUSTOMER = "+12025550110"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """The handler and its emulator, both over HTTP. `asked` is what its assistant was asked."""

    emulator: Emulator
    customer: CustomerClient
    webhook_url: str
    asked: list[str] = field(default_factory=list)

    def post(self, fields: Mapping[str, str], *, token: str = TOKEN) -> int:
        """Post a webhook, signed with a token, and return the status."""
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signature_of(fields, url=self.webhook_url, token=token),
        }
        return httpx.post(self.webhook_url, content=urlencode(fields), headers=headers).status_code

    def read(self, count: int) -> list[str]:
        """Return what the customer has read, once it is so much."""
        wait_until(lambda: len(self.customer.inbox()) >= count, what=f"{count} replies")
        return [message.body for message in self.customer.inbox()]


@contextmanager
def plain(answer: Callable[[str], str]) -> Iterator[Plain]:
    emulator = Emulator()
    with listen("127.0.0.1", 0) as for_twilio, listen("127.0.0.1", 0) as for_handler:
        twilio_url = f"http://127.0.0.1:{for_twilio.getsockname()[1]}"
        webhook_url = f"http://127.0.0.1:{for_handler.getsockname()[1]}/webhook"
        emulator.set_webhook(webhook_url)
        asked: list[str] = []

        def ask(text: str) -> str:
            asked.append(text)
            return answer(text)

        handler = plain_handler(ask, webhook_url=webhook_url, twilio_url=twilio_url, account=(ACCOUNT, TOKEN, SERVICE))
        servers = Servers({for_twilio: emulator.app, for_handler: handler}, at_end=emulator.aclose)
        try:
            with CustomerClient(twilio_url, CUSTOMER) as customer:
                yield Plain(emulator=emulator, customer=customer, webhook_url=webhook_url, asked=asked)
        finally:
            servers.close()


@pytest.fixture
def handler() -> Iterator[Plain]:
    with plain(lambda text: f"You said: {text}") as started:
        yield started


def raises(_text: str) -> str:
    raise RuntimeError("the model is away")


def test_a_text_is_answered(handler: Plain) -> None:
    handler.customer.send("Are you open? ñ&+")

    assert handler.read(1) == ["You said: Are you open? ñ&+"]


def test_its_own_replies_are_not_answered(handler: Plain) -> None:
    sent = handler.customer.send("hi")
    handler.read(1)

    status = handler.post(message_fields(ConversationSid=str(sent.conversation_sid), Source="API"))

    assert (status, handler.asked) == (200, ["hi"])


def test_a_webhook_that_comes_twice_is_answered_twice(handler: Plain) -> None:
    handler.emulator.faults.arm(Fault(kind=FaultKind.DUPLICATE_WEBHOOK, count=1, on="onMessageAdded"))
    handler.customer.send("hi")

    assert handler.read(2) == ["You said: hi", "You said: hi"]


def test_a_request_that_twilio_did_not_sign_is_refused(handler: Plain) -> None:
    assert handler.post(message_fields(), token="another") == 403
    assert handler.asked == []


def test_what_the_assistant_raises_is_a_500_and_the_end() -> None:
    with plain(raises) as handler:
        sent = handler.customer.send("hi")
        wait_until(lambda: handler.asked == ["hi"])

        assert handler.post(message_fields(ConversationSid=str(sent.conversation_sid))) == 500
        assert handler.customer.inbox() == []


def test_a_reply_that_twilio_refuses_is_a_500_and_is_not_sent_again(handler: Plain) -> None:
    handler.emulator.faults.arm(Fault(kind=FaultKind.ANSWER, code=20429, count=2, on="POST */Messages"))
    sent = handler.customer.send("hi")
    wait_until(lambda: handler.emulator.faults.armed[0].times_triggered == 1)

    assert handler.post(message_fields(ConversationSid=str(sent.conversation_sid))) == 500
    assert handler.customer.inbox() == []


def test_an_assistant_that_says_nothing_sends_nothing() -> None:
    with plain(lambda _text: "") as handler:
        sent = handler.customer.send("thanks")

        assert handler.post(message_fields(ConversationSid=str(sent.conversation_sid))) == 200
        assert handler.customer.inbox() == []

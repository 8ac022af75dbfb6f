"""The payloads of `events/` are what AWS and Twilio send: what one function queues is the next one's event."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from local.fixtures.payloads import EVENTS, form, logical_id, read
from local.twilio_account import BUILT_IN, TwilioAccount
from switchboard.author import AuthorRules
from switchboard.aws.secrets import TwilioSecret
from switchboard.aws.sqs.queue import read_record
from switchboard.errors import NotAuthentic
from switchboard.events import Event
from switchboard.twilio.webhook.read import WebhookReader
from tests.builders import NOON
from tests.stacks import Running

PAYLOADS = sorted(EVENTS.rglob("*.json"))
CHANNELS = ("sms", "whatsapp", "chat")
TEMPLATE = EVENTS.parent / "template.yaml"
PUBLIC_URL = "https://bot.example.com/webhook"


class Secrets:
    """The secret of a Twilio account."""

    def __init__(self, account: TwilioAccount) -> None:
        self._secret = TwilioSecret(
            auth_tokens=(account.auth_token,),
            account_sid=account.account_sid,
            api_key_sid="",
            api_key_secret="",
            service_sid=account.service_sid,
            customer_key=b"",
        )

    def read(self) -> TwilioSecret:
        return self._secret

    def refresh(self) -> None:
        return None


def parsed(payload: dict[str, object], *, account: TwilioAccount = BUILT_IN, public_url: str | None = None) -> Event:
    """Return the event that the webhook function makes of a payload."""
    return WebhookReader(secrets=Secrets(account), public_url=public_url, author_rules=AuthorRules()).read(payload)


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.relative_to(EVENTS).as_posix())
def test_a_payload_lies_in_the_folder_of_its_function(path: Path) -> None:
    functions = yaml_parse(TEMPLATE.read_text())["Resources"]

    assert functions[logical_id(path)]["Properties"]["CodeUri"].rstrip("/") == f"functions/{path.parent.name}"


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_agent_is_given_what_the_webhook_function_makes_of_a_text(channel: str) -> None:
    webhook = json.loads((EVENTS / "webhook" / f"{channel}.json").read_text())
    (record,) = json.loads((EVENTS / "agent" / f"{channel}.json").read_text())["Records"]

    assert parsed(webhook) == read_record(record).event


@pytest.mark.parametrize("path", [path for path in PAYLOADS if path.parent.name in {"agent", "lifecycle"}], ids=str)
def test_a_batch_is_as_sqs_hands_it_over(path: Path) -> None:
    (record,) = json.loads(path.read_text())["Records"]

    event = read_record(record).event

    assert record["attributes"]["MessageGroupId"] == event.conversation_sid
    assert record["md5OfBody"] == hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_webhook_is_dated_now_and_signed_for_its_url(channel: str) -> None:
    account = TwilioAccount(account_sid="AC" + "2" * 32, auth_token="another-token", service_sid="IS" + "2" * 32)
    path = EVENTS / "webhook" / f"{channel}.json"

    fresh = read(path, now=NOON, account=account, public_url=PUBLIC_URL)

    event = parsed(fresh, account=account, public_url=PUBLIC_URL)
    assert event.at == NOON  # type: ignore[union-attr]
    assert form(fresh)["DateCreated"] == "2026-03-02T12:00:00.000Z"
    assert fresh["requestContext"]["timeEpoch"] == int(NOON.timestamp() * 1000)
    with pytest.raises(NotAuthentic):
        parsed(fresh, account=account)  # it was not signed for the API's own URL


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_batch_was_sent_long_enough_ago_to_wait_for_nothing(channel: str) -> None:
    path = EVENTS / "agent" / f"{channel}.json"
    longest_wait = timedelta(seconds=yaml_parse(TEMPLATE.read_text())["Parameters"]["CoalesceSeconds"]["MaxValue"])

    (raw,) = read(path, now=NOON, account=BUILT_IN, public_url="")["Records"]

    record = read_record(raw)
    assert record.event.at == record.sent_at == NOON - longest_wait
    assert raw["md5OfBody"] == hashlib.md5(raw["body"].encode(), usedforsecurity=False).hexdigest()


def test_a_schedules_event_is_dated_now() -> None:
    fresh = read(EVENTS / "sweeper" / "every_minute.json", now=NOON, account=BUILT_IN, public_url="")

    assert datetime.fromisoformat(fresh["time"]) == NOON.astimezone(UTC)


def test_a_file_that_is_not_a_valid_payload_is_refused(tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.json"
    stranger.write_text('{"Payload": 1}')

    with pytest.raises(ValueError, match=r"stranger\.json is not a valid payload"):
        read(stranger, now=NOON, account=BUILT_IN, public_url="")


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_emulator_starts_with_the_conversation_of_each_payload(stack: Running, channel: str) -> None:
    webhook = form(json.loads((EVENTS / "webhook" / f"{channel}.json").read_text()))

    first, *_ = stack.messages(webhook["ConversationSid"])

    names = {"sid": "MessageSid", "participant_sid": "ParticipantSid", "author": "Author", "body": "Body"}
    assert {name: first[name] for name in names} == {name: webhook[field] for name, field in names.items()}
    assert first["index"] == int(webhook["Index"])

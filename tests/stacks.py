"""A running local stack, used as a customer, a stranger and an operator use it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

import httpx

from local.activity import Activity, InvocationEnded, LogLine, Outcome
from local.stack import LocalStack
from switchboard.aws.dynamodb.items import HISTORY
from tests.assistants import copy_bakery
from tests.signing import signature_of
from tests.waiting import wait_until

OUR_NUMBER = "+12025550100"
OUR_WHATSAPP = "whatsapp:+12025550101"
WEB_CHAT = "chat"

# A text waits for no other: the tests take minutes less. A reply is what the assistant said.
AT_ONCE = {"COALESCE_SECONDS": "0", "DISCLOSURE_SENTENCE": "off"}
FORM = "application/x-www-form-urlencoded; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A local stack that is up, with every activity that it reported so far."""

    stack: LocalStack
    http: httpx.Client
    activities: list[Activity] = field(default_factory=list)

    def phone(self, address: str, *, to: str = OUR_NUMBER) -> "Phone":
        """Return a customer's phone; tests that share a stack use different addresses."""
        return Phone(running=self, address=address, to=to)

    def post_webhook(self, fields: Mapping[str, str], *, signed: Mapping[str, str] | None) -> int:
        """Post a webhook with the signature of `signed`, Twilio's for the same fields, and return the status."""
        url = f"{self.stack.url}/webhook"
        headers = {"Content-Type": FORM}
        if signed is not None:
            token = self.stack.twilio_account.auth_token
            headers["X-Twilio-Signature"] = signature_of(signed, url=url, token=token)
        return self.http.post(url, content=urlencode(fields), headers=headers).status_code

    def messages(self, conversation_sid: str) -> list[dict[str, Any]]:
        """Return all messages of a conversation as Twilio lists them, oldest first."""
        account = self.stack.twilio_account
        path = f"/v1/Services/{account.service_sid}/Conversations/{conversation_sid}/Messages"
        answer = self.http.get(
            f"{self.stack.twilio_url}{path}?PageSize=100", auth=(account.account_sid, account.auth_token)
        )
        listed: list[dict[str, Any]] = answer.raise_for_status().json()["messages"]
        return listed

    def turns(self, conversation_sid: str) -> list[dict[str, Any]]:
        """Return the turn records of a conversation, in the order of the messages that they answered."""
        answer = self.stack.client("dynamodb").query(
            TableName=self.environment("AgentFunction")["CONVERSATIONS_TABLE"],
            KeyConditionExpression="pk = :sid AND begins_with(sk, :history)",
            ExpressionAttributeValues={":sid": {"S": conversation_sid}, ":history": {"S": HISTORY}},
        )
        items: list[dict[str, Any]] = answer["Items"]
        return [item for item in items if "outcome" in item]

    def environment(self, logical_id: str) -> dict[str, str]:
        """Return a function's variables."""
        return self.stack.environments[logical_id]

    def queued(self) -> int:
        """Return how many messages are in both queues, visible or not."""
        sqs = self.stack.client("sqs")
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        urls = [self.environment("WebhookFunction")[f"{queue}_QUEUE_URL"] for queue in ("MESSAGES", "LIFECYCLE")]
        found = [sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"] for url in urls]
        return sum(int(attributes[name]) for attributes in found for name in names)

    def errors(self) -> list[str]:
        """Return the functions' log lines at level ERROR, and the invocations that did not return."""
        lines = [
            activity.text
            for activity in self.activities
            if isinstance(activity, LogLine) and '"level":"ERROR"' in activity.text
        ]
        ended = [
            activity
            for activity in self.activities
            if isinstance(activity, InvocationEnded) and activity.outcome is not Outcome.RETURNED
        ]
        return lines + [f"{activity.function} {activity.outcome}: {activity.detail}" for activity in ended]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A customer, on any channel."""

    running: Running
    address: str
    to: str

    def text(self, body: str) -> dict[str, str]:
        """Send a text; return its `conversation_sid` and `message_sid`."""
        sent = {"from": self.address, "to": self.to, "body": body}
        answer = self.running.http.post(f"{self.running.stack.twilio_url}/_emulator/inbound", json=sent)
        assert answer.status_code == 202, answer.text
        taken: dict[str, str] = answer.json()
        return taken

    def inbox(self) -> list[dict[str, str]]:
        """Return the messages that reached this phone, oldest first."""
        answer = self.running.http.get(
            f"{self.running.stack.twilio_url}/_emulator/inbox", params={"address": self.address}
        )
        arrived: list[dict[str, str]] = answer.raise_for_status().json()
        return arrived

    def wait_for_replies(self, count: int = 1, *, within_seconds: float = 300) -> list[dict[str, str]]:
        """Return the inbox once it holds so many messages."""
        wait_until(lambda: len(self.inbox()) >= count, within_seconds=within_seconds, what=f"{count} replies")
        return self.inbox()


@contextmanager
def running(
    *,
    changes: Mapping[tuple[str, str], object] | None = None,
    environment: Mapping[str, str] | None = None,
    state_file: Path | None = None,
    on: Callable[[LocalStack, Activity], None] = lambda _stack, _happening: None,
) -> Iterator[Running]:
    """Run a local stack on free ports; it waits while `on` handles an activity.

    It answers a text at once and without the disclosure, unless `environment` has other values for these, and with the
    bakery's assistant, unless `changes` has another. A function has the name of its folder.
    """
    activities: list[Activity] = []

    def listener(activity: Activity) -> None:
        activities.append(activity)
        on(stack, activity)

    environment = {**AT_ONCE, **(environment or {})}
    with TemporaryDirectory() as folder, httpx.Client(timeout=120) as http:
        changes = {("AgentFunction", "CodeUri"): str(copy_bakery(Path(folder) / "agent")), **(changes or {})}
        stack = LocalStack(changes=changes, environment=environment, listener=listener, state_file=state_file)
        with stack:
            yield Running(stack=stack, http=http, activities=activities)

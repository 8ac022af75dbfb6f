"""The whole local stack under load, over HTTP, SQS and DynamoDB, with faults and with processes killed.

Customers text numbers, the model repeats the numbers it was asked about, and the same invariants are checked.
"""

import json
import os
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from local.activity import Activity, ConversationMessage, LogLine
from local.stack import LocalStack
from switchboard.author import AuthorRole, AuthorRules
from switchboard.aws.dynamodb.items import HISTORY, conversation_from_item, from_wire, turn_or_note_from_item
from switchboard.conversation import Conversation, TurnRecord
from switchboard.events import MessageAdded
from switchboard.twilio import fields
from tests.simulation.aws_faults import RATES
from tests.simulation.faulty_aws import FaultyAws
from tests.simulation.invariants import DISCLOSURE, FALLBACK, Evidence, check
from tests.stacks import OUR_NUMBER
from tests.waiting import wait_until

HUMAN = "robin"
CUSTOMER_NUMBERS = "+120255501"  # without the last two digits
# The rates leave most requests undisturbed. No commit is later than COMMIT_WINDOW of turn/timing.py allows.
FAULTS: Sequence[Mapping[str, object]] = (
    {"kind": "drop_webhook", "rate": 0.08},
    {"kind": "duplicate_webhook", "rate": 0.08},
    {"kind": "delay_webhook", "rate": 0.05, "seconds": 3},
    {"kind": "reorder_webhook", "rate": 0.08, "seconds": 5},
    {"kind": "answer", "code": 20429, "rate": 0.03, "on": "POST */Messages"},
    {"kind": "answer", "code": 20500, "rate": 0.02, "on": "POST */Messages"},
    {"kind": "answer", "code": 20503, "rate": 0.02, "on": "POST */Messages", "commit": "first"},
    {"kind": "answer", "code": 20503, "rate": 0.05, "on": "GET */Messages"},
    {"kind": "reset", "rate": 0.02, "on": "POST */Messages"},
    {"kind": "reset", "rate": 0.03, "on": "POST */Messages", "commit": "first"},
    {"kind": "timeout", "rate": 0.01, "on": "POST */Messages", "seconds": 9, "commit": "first"},
    {"kind": "timeout", "rate": 0.01, "on": "POST */Messages", "seconds": 20, "commit": "late"},
    {"kind": "skip_index", "rate": 0.05},
)
OF_SWEEPS = {"unprocessed keys", "lagging read"}  # a run has one or two sweeps: these may not meet them
AWS_FAULTS = (*(RATES.keys() - OF_SWEEPS), "model error", "characters that SQS refuses")  # each must be seen in a run
REFUSED_BY_SQS = (" \x0b", " \ufffe", " \uffff")  # characters that it takes in no body, and a customer may write
# Shorter than in the template: a crash costs seconds, and records are visible again while their worker may still run.
CHANGES = {("AgentFunction", "Timeout"): 20, ("MessagesQueue", "VisibilityTimeout"): 8}
SETTLES_WITHIN_SECONDS = 600


@dataclass(slots=True)
class Report:
    """What was done, and what was found."""

    texts: int = 0
    conversations: int = 0
    replies: int = 0
    kills: int = 0
    dead_letters: int = 0
    seconds: float = 0
    struck: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Load:
    """Customers who text, humans who take over, and processes that are killed."""

    stack: LocalStack
    http: httpx.Client
    chance: random.Random
    report: Report
    humans_wrote_in: set[str] = field(default_factory=set)
    handed_back: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)

    def run(self, *, customers: int, texts: int, seconds: float) -> None:
        """Spread texts, takeovers and kills over so many seconds."""
        phones = [f"{CUSTOMER_NUMBERS}{10 + number:02}" for number in range(customers)]
        actions = [(self.chance.uniform(0, seconds), phone) for phone in phones for _ in range(texts)]
        actions += [(self.chance.uniform(0, seconds), "kill") for _ in range(round(seconds / 5))]
        started, sids = time.monotonic(), list[str]()
        for number, (at, actor) in enumerate(sorted(actions)):
            wait_until(lambda at=at: time.monotonic() - started >= at, within_seconds=seconds + 60)  # type: ignore[misc]
            if actor == "kill":
                self._kill_a_process()
                continue
            sids.append(self._text(actor, f"{number}{self.chance.choice(REFUSED_BY_SQS) if number % 10 == 0 else ''}"))
            if self.chance.random() < 0.04:
                self._take_over_hand_back_or_close(self.chance.choice(sids))

    def _text(self, phone: str, body: str) -> str:
        answer = self.http.post(
            f"{self.stack.twilio_url}/_emulator/inbound", json={"from": phone, "to": OUR_NUMBER, "body": body}
        )
        self.report.texts += 1
        sid: str = answer.raise_for_status().json()["conversation_sid"]
        return sid

    def _kill_a_process(self) -> None:
        name = self.chance.choice(["agent", "agent", "agent", "webhook", "lifecycle", "sweeper"])
        os.kill(self.chance.choice(self.stack.functions[name].pids), signal.SIGKILL)
        self.report.kills += 1

    def _take_over_hand_back_or_close(self, sid: str) -> None:
        """Change who owns a conversation, or close it, as a human does."""
        if sid in self.closed:
            return
        match self.chance.choice(["take over", "take over", "hand back", "hand back", "close"]):
            case "take over":
                self.humans_wrote_in.add(sid)
                self.rest("POST", f"/Conversations/{sid}/Participants", Identity=HUMAN)
                self.rest("POST", f"/Conversations/{sid}/Messages", Author=HUMAN, Body="I take this")
            case "hand back":
                self.handed_back.add(sid)
                owner_set = {"owner": "assistant", "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
                self.rest("POST", f"/Conversations/{sid}", Attributes=json.dumps({"switchboard": owner_set}))
            case _:
                self.closed.add(sid)
                self.rest("POST", f"/Conversations/{sid}", State="closed")

    def rest(self, method: str, path: str, *, with_webhook: bool = True, **form: str) -> dict[str, Any]:
        """Call Twilio. A request that a fault refuses is not repeated."""
        account = self.stack.twilio_account
        try:
            answer = self.http.request(
                method,
                f"{self.stack.twilio_url}/v1/Services/{account.service_sid}{path}",
                data=form or None,
                auth=(account.account_sid, account.auth_token),
                headers={"X-Twilio-Webhook-Enabled": str(with_webhook).lower()},
            )
        except httpx.TransportError:
            return {}
        body: dict[str, Any] = answer.json()
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """Checks the invariants once nothing is left to do."""

    load: Load

    def sids(self) -> Iterator[str]:
        """Yield the SIDs of all conversations except the stack's fixtures."""
        page = self.load.rest("GET", "/Conversations?PageSize=100")
        while page:
            yield from (each["sid"] for each in page["conversations"] if not each["sid"].startswith("CH000"))
            following = page["meta"]["next_page_url"]
            page = self.load.rest("GET", f"/Conversations?{following.partition('?')[2]}") if following else {}

    def is_idle(self, sids: Sequence[str]) -> bool:
        """Tell whether every customer message is handled, and no turn is open."""
        for sid in sids:
            item = self.item(sid)
            if item.turn and not item.closed:
                return False
            indices = (message.index for message in self._messages(sid) if message.author_role is AuthorRole.CUSTOMER)
            if not item.closed and not all(map(item.coverage.covers, indices)):
                return False
        return True

    def violations(
        self, sids: Sequence[str], dead_letters: Collection[str], *, redriven: Collection[str] = ()
    ) -> Iterator[str]:
        """Check every invariant of every conversation; yield the violations. Both collections are of MessageSids."""
        for sid in sids:
            evidence = self._evidence(sid, frozenset(dead_letters), frozenset(redriven))
            self.load.report.replies += len(evidence.replies)
            try:
                check(evidence)
            except AssertionError as error:
                yield f"{sid}: {error} ({_story(evidence)})"

    def _evidence(self, sid: str, dead_letters: frozenset[str], redriven: frozenset[str]) -> Evidence:
        messages = self._messages(sid)
        numbers: dict[str, str] = {}
        for message in messages:
            if message.author_role is AuthorRole.CUSTOMER and (number := re.search(r"\d+", message.body)):
                numbers.setdefault(number[0], str(message.index))
        return Evidence(
            messages=[_renumbered(message, numbers, fallback=self._fallback) for message in messages],
            dead_letters=[message for message in messages if message.message_sid in dead_letters],
            letters=[message for message in messages if message.message_sid in redriven | dead_letters],
            redriven={message.index for message in messages if message.message_sid in redriven},
            item=self.item(sid),
            records=list(self._records(sid)),
            human_wrote=sid in self.load.humans_wrote_in,
            was_closed=sid in self.load.closed,
            was_handed_back=sid in self.load.handed_back,
            discloses=self.load.stack.environments["AgentFunction"]["DISCLOSURE_SENTENCE"] == DISCLOSURE,
        )

    def records_waiting(self) -> int:
        """Return how many records the messages queue holds."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.load.stack.environments["AgentFunction"]["MESSAGES_QUEUE_URL"]
        answer = self.load.stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(map(int, answer["Attributes"].values()))

    def _messages(self, sid: str) -> list[MessageAdded]:
        listed = self.load.rest("GET", f"/Conversations/{sid}/Messages?PageSize=100")["messages"]
        return [_message(each, self._author_rules) for each in listed]

    def item(self, sid: str) -> Conversation:
        """Return what the table holds of a conversation."""
        key = {"pk": {"S": sid}, "sk": {"S": "CONVERSATION"}}
        answer = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return conversation_from_item(sid, from_wire(answer.get("Item", {})))

    def _records(self, sid: str) -> Iterator[TurnRecord]:
        answer = self._dynamodb.query(
            TableName=self._table,
            KeyConditionExpression="pk = :sid AND begins_with(sk, :history)",
            ExpressionAttributeValues={":sid": {"S": sid}, ":history": {"S": HISTORY}},
        )
        history = map(turn_or_note_from_item, map(from_wire, answer["Items"]))
        return (item for item in history if isinstance(item, TurnRecord))

    @property
    def _author_rules(self) -> AuthorRules:
        addresses = self.load.stack.environments["AgentFunction"].get("HUMAN_ADDRESSES", "").split()
        return AuthorRules(human_addresses=tuple(map(re.compile, addresses)))

    @property
    def _dynamodb(self) -> Any:  # noqa: ANN401 -- botocore makes its client classes at run time
        return self.load.stack.client("dynamodb")

    @property
    def _fallback(self) -> str:
        return self.load.stack.environments["AgentFunction"]["FALLBACK_SENTENCE"]

    @property
    def _table(self) -> str:
        return self.load.stack.environments["AgentFunction"]["CONVERSATIONS_TABLE"]


def _story(evidence: Evidence) -> str:
    """Return what stands at Twilio, how each turn ended, and what the item holds to be handled."""
    said = [f"{message.index} {message.author_role} {message.body!r}" for message in evidence.messages]
    turns = [f"{record.index} {record.outcome} {record.rule}".strip() for record in evidence.records]
    return f"{', '.join(said)}; turns: {', '.join(turns)}; {evidence.item.coverage}"


def _message(resource: Mapping[str, Any], author_rules: AuthorRules) -> MessageAdded:
    author = resource["author"]
    return MessageAdded(
        conversation_sid=resource["conversation_sid"],
        message_sid=resource["sid"],
        index=resource["index"],
        author_role=author_rules.classify(author),
        author=author,
        body=resource["body"],
        at=datetime.fromisoformat(resource["date_created"]),
        marker=fields.marker(resource["attributes"]),
    )


def _renumbered(message: MessageAdded, numbers: Mapping[str, str], *, fallback: str) -> MessageAdded:
    """Return a reply with the indices of the messages it answers in place of the numbers that customers wrote."""
    body = " ".join(numbers.get(word, word) for word in message.body.split()) if message.marker else message.body
    return MessageAdded(
        conversation_sid=message.conversation_sid,
        message_sid=message.message_sid,
        index=message.index,
        author_role=message.author_role,
        author=message.author,
        body=FALLBACK if body == fallback else body,
        at=message.at,
        marker=message.marker,
    )


def prove(*, customers: int, texts: int, seconds: float, seed: int, load_is_over: threading.Event) -> Report:
    """Run the load once, and return what was found; set `load_is_over` after the last text, whatever happens."""
    try:
        return _prove(customers=customers, texts=texts, seconds=seconds, seed=seed, load_is_over=load_is_over)
    finally:
        load_is_over.set()


def _prove(*, customers: int, texts: int, seconds: float, seed: int, load_is_over: threading.Event) -> Report:
    report, started = Report(), time.monotonic()

    def listener(activity: Activity) -> None:
        if isinstance(activity, LogLine):
            if CUSTOMER_NUMBERS in activity.text:
                report.violations.append(f"a phone number in the log: {activity.text}")
            if activity.function == "agent":
                report.decisions.update({logged_object(activity.text).get("message", "step")} - {"step"})
        if isinstance(activity, ConversationMessage) and activity.author == HUMAN:
            report.decisions["human_messages"] += 1

    with FaultyAws(upstream=lambda: stack.aws_endpoint, seed=seed) as aws:
        environment = {
            "ASSISTANT_MODEL": "bedrock:proof",
            "DISCLOSURE_SENTENCE": DISCLOSURE,
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": aws.url,
            "AWS_ENDPOINT_URL_DYNAMODB": aws.url,
            "AWS_ENDPOINT_URL_SQS": aws.url,
        }
        stack = LocalStack(changes=CHANGES, environment=environment, listener=listener)
        with stack, httpx.Client(timeout=60) as http:
            for number, fault in enumerate(FAULTS):
                armed = {**fault, "seed": seed + number}
                http.post(f"{stack.twilio_url}/_emulator/faults", json=armed).raise_for_status()
            load = Load(stack=stack, http=http, chance=random.Random(seed), report=report)  # noqa: S311 -- repeatable
            load.run(customers=customers, texts=texts, seconds=seconds)
            load_is_over.set()
            report.struck = Counter(aws.struck)
            report.violations += [f"the fault never struck: {fault}" for fault in AWS_FAULTS if not aws.struck[fault]]
            for fault in http.get(f"{stack.twilio_url}/_emulator/faults").json():
                report.struck[fault["kind"]] += fault["struck"]
            http.delete(f"{stack.twilio_url}/_emulator/faults").raise_for_status()
            aws.is_faulty = False
            checker = Checker(load=load)
            sids = list(checker.sids())
            report.conversations = len(sids)
            report.violations += _wait_until_idle(checker, sids)
            letters = list(_take_dead_letters(stack))
            report.dead_letters = len(letters)
            _put_back(stack, letters)
            report.violations += _wait_until_idle(checker, sids)
            redriven, dead_letters = (
                [json.loads(body)["message_sid"] for body in letters],
                list(read_dead_letters(stack)),
            )
            report.violations += [f"{sid}: a dead letter comes back although nothing is wrong" for sid in dead_letters]
            report.violations += checker.violations(sids, dead_letters, redriven=redriven)
    report.seconds = time.monotonic() - started
    return report


def _wait_until_idle(checker: Checker, sids: Sequence[str]) -> Iterator[str]:
    """Wait until nothing is left to do; yield a violation if that takes too long."""
    try:
        wait_until(
            lambda: checker.is_idle(sids) and not checker.records_waiting(),
            within_seconds=SETTLES_WITHIN_SECONDS,
            what="every message to be handled",
            pause_seconds=2,
        )
    except AssertionError as error:
        yield str(error)


def read_dead_letters(stack: LocalStack) -> Iterator[str]:
    """Take the dead letters from their queue, and yield their MessageSids."""
    yield from (json.loads(body)["message_sid"] for body in _take_dead_letters(stack))


def _take_dead_letters(stack: LocalStack) -> Iterator[str]:
    """Take the dead letters from their queue, and yield their bodies."""
    url = stack.environments["AgentFunction"]["MESSAGES_DEAD_LETTER_QUEUE_URL"]
    sqs = stack.client("sqs")
    while received := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        for record in received:
            yield record["Body"]
            sqs.delete_message(QueueUrl=url, ReceiptHandle=record["ReceiptHandle"])


def _put_back(stack: LocalStack, bodies: Sequence[str]) -> None:
    """Put dead letters back on the queue as AWS's redrive does: the bodies stay, the ids are new."""
    for body in bodies:
        stack.client("sqs").send_message(
            QueueUrl=stack.environments["AgentFunction"]["MESSAGES_QUEUE_URL"],
            MessageBody=body,
            MessageGroupId=json.loads(body)["conversation_sid"],
            MessageDeduplicationId=uuid4().hex,
        )


def logged_object(line: str) -> dict[str, Any]:
    """Return what a log line says as JSON, empty where it is none."""
    try:
        logged = json.loads(line)
    except ValueError:
        return {}
    return logged if isinstance(logged, dict) else {}

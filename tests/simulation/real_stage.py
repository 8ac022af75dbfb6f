"""A local stack whose suppliers fail on demand, and the customers and humans who write to it while they do."""

import itertools
import random
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from local.activity import Activity, LogLine
from local.stack import LOCAL_FOLDER, ROOT, LocalStack
from switchboard.events import Owner
from tests.simulation.faulty_aws import FaultyAws
from tests.simulation.invariants import REPLY
from tests.simulation.outage_assistant import SHOP
from tests.simulation.real_stack import CUSTOMER_NUMBERS, Checker, Load, Report, logged_object
from tests.simulation.scripts import Script
from tests.stacks import OUR_NUMBER, OUR_WHATSAPP, Phone, Running, running
from tests.waiting import wait_until

HUMAN_NUMBERS = "+120255502"  # without the last two digits
FOLDER = LOCAL_FOLDER / "for-real"
ASSISTANT = ROOT / "tests" / "simulation" / "outage_assistant.py"
TIMING = "layers/switchboard/switchboard/turn/timing.py"
LAYER = ("SwitchboardLayer", "ContentUri")
SPEEDUP = 10
# The waits of turn/timing.py that no setting shortens, and what they are on a stack that is ten times as fast.
SHORTER_WAITS = {
    "COMMIT_WINDOW = timedelta(seconds=30)": "COMMIT_WINDOW = timedelta(seconds=3)",
    "timedelta(minutes=2), timedelta(minutes=5)": "timedelta(seconds=12), timedelta(seconds=30)",
    "MAX_BACKOFF_SECONDS = 60": "MAX_BACKOFF_SECONDS = 6",
}
LOST: Mapping[str, object] = {"kind": "drop_webhook"}
BUSY_MACHINE_SECONDS = 240  # that anything may take longer
ANSWER_SECONDS = 60  # until a plain answer, from a machine that has much to do


@dataclass(slots=True)
class TwilioFault:
    """A fault of the emulator. `struck` counts what it met, once it has ended."""

    id: int
    struck: int = 0


type TwilioOutage = AbstractContextManager[TwilioFault]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stack, with many conversations side by side. `decisions` are what the functions logged, by conversation."""

    running: Running
    aws: FaultyAws
    checker: Checker
    decisions: Mapping[str, list[str]]
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1000))
    phones: Iterator[int] = field(default_factory=lambda: itertools.count(10))
    writing: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def fault(self, **form: object) -> Iterator[TwilioFault]:
        """Arm a fault of the emulator for the block."""
        armed = self.running.http.post(self._faults_url, json=form).raise_for_status().json()
        fault = TwilioFault(armed["id"])
        try:
            yield fault
        finally:
            ended = self.running.http.delete(f"{self._faults_url}/{fault.id}").raise_for_status().json()
            fault.struck = ended["struck"]

    def twilio_is_away(self, sid: str, *, method: str = "*", **how: object) -> TwilioOutage:
        """Let every request for a conversation's messages fail in the block, or those of a method."""
        return self.fault(on=f"{method} */{sid}/Messages", rate=1, **how)

    def awaits_strikes(self, faults: Sequence[TwilioFault], times: int) -> None:
        """Return once these armed faults have struck so often, together: on a slow machine that takes longer."""
        wait_until(lambda: sum(map(self._struck, faults)) >= times, what=f"{times} strikes of faults")

    def _struck(self, fault: TwilioFault) -> int:
        armed = self.running.http.get(self._faults_url).raise_for_status().json()
        (struck,) = (each["struck"] for each in armed if each["id"] == fault.id)
        return int(struck)

    def phone(self, number: str) -> Phone:
        """Return a phone, which writes by SMS if its number is even, else by WhatsApp."""
        if int(number) % 2:
            return Phone(running=self.running, address=f"whatsapp:{number}", to=OUR_WHATSAPP)
        return Phone(running=self.running, address=number, to=OUR_NUMBER)

    def text(self, phone: Phone, body: str, *, webhook: Mapping[str, object] | None = None) -> str:
        """Send a text from a phone, with a fault of its webhook if there is one; return its conversation."""
        with self.writing:  # a fault meets the next webhook, whoever writes
            if webhook is None:
                return phone.text(body)["conversation_sid"]
            with self.fault(on="onMessageAdded", count=1, **webhook) as fault:
                sid = phone.text(body)["conversation_sid"]
        assert fault.struck == 1, f"the fault met {fault.struck} webhooks"
        return sid

    def rest(self, path: str, *, with_webhook: bool, **form: str) -> None:
        """Post a form to a conversation over REST."""
        with self.writing:
            answer = self.checker.load.rest("POST", f"/Conversations/{path}", with_webhook=with_webhook, **form)
        assert "sid" in answer, answer

    @property
    def _faults_url(self) -> str:
        return f"{self.running.stack.twilio_url}/_emulator/faults"


@dataclass(slots=True, kw_only=True)
class Customer:
    """A customer with a phone. What they write is a number, which the answer repeats."""

    stage: Stage
    phone: Phone
    sid: str = ""

    def writes(
        self, script: Script | None = None, *, webhook: Mapping[str, object] | None = None, words: str = ""
    ) -> str:
        """Send the next number, after some words if there are any, and return the number."""
        number = str(next(self.stage.numbers))
        if script:
            self.stage.aws.scripts[number] = script
        self.says(f"{words} {number}".strip(), webhook=webhook)
        return number

    def says(self, body: str, *, webhook: Mapping[str, object] | None = None) -> None:
        """Send a text."""
        self.sid = self.stage.text(self.phone, body, webhook=webhook)

    def reads(self) -> list[str]:
        """Return what has reached the phone."""
        return [message["body"] for message in self.phone.inbox()]

    def answers(self, number: str) -> list[str]:
        """Return the answers to a number."""
        return [body for body in self.reads() if body.startswith(REPLY) and number in body.split()]

    def awaits(self, number: str, *, within_seconds: float = ANSWER_SECONDS) -> float:
        """Return how many seconds it took until a number was answered."""
        began, longest = time.monotonic(), within_seconds + BUSY_MACHINE_SECONDS
        try:
            wait_until(lambda: self.answers(number), within_seconds=longest, what="an answer", pause_seconds=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}: {', '.join(self.decisions)}; {self.reads()}") from None
        return time.monotonic() - began

    def awaits_the_end(self, within_seconds: float = ANSWER_SECONDS) -> None:
        """Wait until everything that was written is handled."""
        wait_until(
            lambda: self.stage.checker.is_idle([self.sid]),
            within_seconds=within_seconds + BUSY_MACHINE_SECONDS,
            what="every message to be handled",
            pause_seconds=0.2,
        )

    def has_one_answer_to(self, *numbers: str) -> None:
        """Assert that each number was answered once, and that no human owns the conversation."""
        for number in numbers:
            assert len(self.answers(number)) == 1, f"answers to {number}: {self.answers(number)}"
        assert self.stage.checker.item(self.sid).owner is Owner.ASSISTANT, "a human owns the conversation"

    @property
    def decisions(self) -> list[str]:
        """What the functions decided about the conversation."""
        return self.stage.decisions.get(self.sid, [])


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One scenario's part of a stage: its customers."""

    stage: Stage
    customers: list[Customer] = field(default_factory=list)

    def customer(self) -> Customer:
        """Return a customer who has not written yet, on one channel or another."""
        number = next(self.stage.phones)
        self.customers.append(Customer(stage=self.stage, phone=self.stage.phone(f"{CUSTOMER_NUMBERS}{number:02}")))
        return self.customers[-1]

    def known_customers(self, number: int) -> list[Customer]:
        """Return customers who have written, and were answered."""
        known = [self.customer() for _ in range(number)]
        texts = [customer.writes() for customer in known]
        for customer, text in zip(known, texts, strict=True):
            customer.awaits(text)
        return known


@contextmanager
def stage(
    *, environment: Mapping[str, str], changes: Mapping[tuple[str, str], object], is_faster: bool, report: Report
) -> Iterator[Stage]:
    """Run a stack; where it is faster, with shorter waits than any setting allows. `report` gets what its logs leak."""
    decisions: dict[str, list[str]] = {}

    def listener(_stack: LocalStack, activity: Activity) -> None:
        if not isinstance(activity, LogLine):
            return
        if CUSTOMER_NUMBERS in activity.text or HUMAN_NUMBERS in activity.text:
            report.violations.append(f"a phone number in the log: {activity.text}")
        logged = logged_object(activity.text)
        is_decision = "conversation_sid" in logged and logged["message"] != "step"
        if is_decision and activity.function == "agent":
            decisions.setdefault(logged["conversation_sid"], []).append(logged["message"])

    with FaultyAws(upstream=lambda: up.stack.aws_endpoint, seed=0, is_faulty=False) as aws:
        suppliers = {
            "ASSISTANT_MODEL": "bedrock:proof",
            "COALESCE_SECONDS": "1",
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": aws.url,
            "AWS_ENDPOINT_URL_DYNAMODB": aws.url,
            SHOP: aws.url,
        }
        code = {("AgentFunction", "CodeUri"): _assistant()} | ({LAYER: _faster_layer()} if is_faster else {})
        with running(environment={**suppliers, **environment}, changes={**code, **changes}, on=listener) as up:
            load = Load(stack=up.stack, http=up.http, chance=random.Random(0), report=report)  # noqa: S311 -- unused
            yield Stage(running=up, aws=aws, checker=Checker(load=load), decisions=decisions)


def _assistant() -> str:
    """Return a copy of the agent function with an assistant that asks a shop."""
    copy = FOLDER / "agent"
    shutil.copytree(ROOT / "functions" / "agent", copy, dirs_exist_ok=True)
    shutil.copy(ASSISTANT, copy / "assistant.py")
    return str(copy)


def _faster_layer() -> str:
    """Return a copy of the layer with shorter waits."""
    copy = FOLDER / "layers"
    shutil.copytree(ROOT / "layers", copy, dirs_exist_ok=True)
    timing = FOLDER / TIMING
    timing.write_text(with_shorter_waits(timing.read_text()))
    return str(copy / "switchboard")


def with_shorter_waits(text: str) -> str:
    """Return timing.py with shorter waits."""
    for wait, shorter in SHORTER_WAITS.items():
        assert text.count(wait) == 1, wait
        text = text.replace(wait, shorter)
    return text

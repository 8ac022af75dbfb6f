"""The agent function when it cannot be built: nothing is lost, nobody is charged, and it answers once it is mended.

AWS is moto. The function is a copy of `functions/agent`, whose files a test breaks and mends.
"""

import gc
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto import mock_aws

from switchboard.agent import Answer, Question
from switchboard.aws.sqs.queue import encoded
from switchboard.bootstrap.agent import agent_function
from switchboard.errors import Permanent
from switchboard.prices import NO_PRICES
from tests import functions
from tests.builders import message_added, sid
from tests.lambda_context import LambdaContext

SETTINGS = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "POWERTOOLS_SERVICE_NAME": "agent",
    "POWERTOOLS_METRICS_NAMESPACE": "Switchboard",
    "TWILIO_SECRET_ID": "twilio",
    "SYSTEM_AUTHORS": "system",
    "CONVERSATIONS_TABLE": "there-is-none",  # whoever claims a conversation fails
    "EVENT_BUS_NAME": "there-is-none",
    "ASSISTANT_MODEL": "offline",
    "ASSISTANT_MEMORY": "conversation",
    "ANSWER_WITHIN_MINUTES": "5",
    "MAX_EVENT_AGE_MINUTES": "60",
    "MAX_ATTEMPTS": "3",
    "COALESCE_SECONDS": "30",
    "TURNS_PER_TEN_MINUTES": "20",
    "MAX_SEGMENTS": "10",
    "SMART_ENCODING": "on",
    "WAIT_FOR_DELIVERY": "off",
    "DISCLOSURE_SENTENCE": "off",
    "VOICE_NOTE_SENTENCE": "",
    "HELP_SENTENCE": "off",
    "WINDOW_TEMPLATE_SID": "",
    "FALLBACK_SENTENCE": "Sorry.",
    "LIMIT_SENTENCE": "Enough for today.",
    "CUSTOMER_TURNS_PER_DAY": "10",
    "TURNS_PER_DAY": "10",
}
SECRET = json.dumps({"auth_tokens": ["a-token"], "account_sid": sid("AC", 1), "service_sid": sid("IS", 1)})


@dataclass
class Deployed:
    """The function, its queue, and what it printed."""

    app: ModuleType
    folder: Path
    queue: str
    capture: pytest.CaptureFixture[str]
    waits: dict[str, int]  # in seconds, by receipt handle, as SQS was told

    def receive(self, *, count: int = 1) -> list[dict[str, Any]]:
        """Return records as Lambda hands them over, one a conversation."""
        sqs = boto3.client("sqs")
        for number in range(1, count + 1):
            sqs.send_message(
                QueueUrl=self.queue,
                MessageBody=encoded(message_added(conversation_sid=sid("CH", number))),
                MessageGroupId=sid("CH", number),
                MessageDeduplicationId=str(number),
            )
        received = sqs.receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        )["Messages"]
        return [
            {
                "messageId": each["MessageId"],
                "receiptHandle": each["ReceiptHandle"],
                "attributes": each["Attributes"],
                "body": each["Body"],
            }
            for each in received
        ]

    def handle(self, records: list[dict[str, Any]]) -> list[str]:
        answer = self.app.lambda_handler({"Records": records}, LambdaContext())
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def printed(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.capture.readouterr().out.splitlines() if line.startswith("{")]


@pytest.fixture
def deployed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> Iterator[Deployed]:
    folder = tmp_path / "agent"
    shutil.copytree(functions.FUNCTIONS / "agent", folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "assistant", raising=False)
    with mock_aws():
        # A name of its own: Powertools' logger of a name keeps the standard output of the test that made it.
        for name, value in {**SETTINGS, "POWERTOOLS_SERVICE_NAME": request.node.name}.items():
            monkeypatch.setenv(name, value)
        session = boto3.Session()
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)  # of which boto3.client makes its clients
        boto3.client("secretsmanager").create_secret(Name="twilio", SecretString=SECRET)
        sqs = boto3.client("sqs")
        for name in ("MESSAGES_QUEUE", "MESSAGES_DEAD_LETTER_QUEUE"):
            url = sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
            monkeypatch.setenv(f"{name}_URL", url)
        agent_function.cache_clear()
        waits: dict[str, int] = {}
        session.events.register("provide-client-params.sqs.ChangeMessageVisibilityBatch", partial(note, waits))
        yield Deployed(
            app=functions.load("agent", folder=folder),
            folder=folder,
            queue=sqs.get_queue_url(QueueName="MESSAGES_QUEUE.fifo")["QueueUrl"],
            capture=capsys,
            waits=waits,
        )
        agent_function.cache_clear()
        sys.modules.pop("assistant", None)


def note(waits: dict[str, int], params: dict[str, Any], **_: object) -> None:
    waits |= {entry["ReceiptHandle"]: entry["VisibilityTimeout"] for entry in params["Entries"]}


NEXT_LINE = len((functions.FUNCTIONS / "agent/assistant.py").read_text().splitlines()) + 1
BROKEN = {
    "x = (": (f"assistant.py, line {NEXT_LINE}", "SyntaxError"),
    "import a_module_that_nobody_wrote": (f"assistant.py, line {NEXT_LINE}", "a_module_that_nobody_wrote"),
    "opening_hours": (f"assistant.py, line {NEXT_LINE}", "NameError"),
    "import os\nos.environ['SHOP_API_KEY']": (f"assistant.py, line {NEXT_LINE + 1}", "SHOP_API_KEY"),
    "import sys\nsys.exit('no')": (f"assistant.py, line {NEXT_LINE + 1}", "SystemExit"),
    "raise KeyboardInterrupt": (f"assistant.py, line {NEXT_LINE}", "KeyboardInterrupt"),
    "import prices": ("prices.py, line 2", "ZeroDivisionError"),
    "from delivery import FREE_FROM": (f"assistant.py, line {NEXT_LINE}", "FREE_FROM"),
    "del assistant": ("assistant.py", "declares no `assistant`"),
    "assistant = Assistant": ("assistant.py", "declares no `assistant` that can answer: it is the class Assistant"),
}


@pytest.mark.parametrize(("line", "named"), BROKEN.items(), ids=range(len(BROKEN)))
def test_a_broken_assistant_loses_nothing_and_answers_once_it_is_mended(
    deployed: Deployed, line: str, named: tuple[str, str]
) -> None:
    (deployed.folder / "prices.py").write_text("\nPRICE = 1 / 0\n")
    (deployed.folder / "delivery.py").write_text("")
    source = deployed.folder / "assistant.py"
    mended = source.read_text()
    source.write_text(f"{mended}{line}\n")
    records = deployed.receive(count=3)

    for _ in range(2):
        assert sorted(deployed.handle(records)) == sorted(record["messageId"] for record in records)
        log, metrics = deployed.printed()
        assert (log["message"], log["level"]) == ("failed", "ERROR")
        assert all(word in log["detail"] for word in named)
        assert metrics["failed"] == [1.0]
    if named[1] == "FREE_FROM":
        (deployed.folder / "delivery.py").write_text("FREE_FROM = 50\n")
    else:
        source.write_text(mended)
    deployed.handle(records)

    assert [line["message"] for line in deployed.printed() if "message" in line] == ["coalescing"] * 3


SHOUT = "return '<think>loud</think>' + ' '.join(question.messages).upper()"
ASSISTANTS = {
    "a function": f"def assistant(question):\n    {SHOUT}\n",
    "a coroutine function": f"async def assistant(question):\n    {SHOUT}\n",
    "a partial": f"from functools import partial\ndef say(_, question):\n    {SHOUT}\nassistant = partial(say, 1)\n",
    "an object without a hash": (
        "from dataclasses import dataclass\n@dataclass\nclass Shop:\n    name: str\n"
        f"    def __call__(self, question):\n        {SHOUT}\nassistant = Shop('Heron')\n"
    ),
    "an object with answer": f"class Shop:\n    def answer(self, question):\n        {SHOUT}\nassistant = Shop()\n",
}


@pytest.mark.parametrize("assistant", ASSISTANTS.values(), ids=ASSISTANTS)
def test_whatever_answers_a_question_is_an_assistant(deployed: Deployed, assistant: str) -> None:
    (deployed.folder / "assistant.py").write_text(assistant)
    question = Question(turn="T1", history=(), messages=("Hello", "there"), timeout_seconds=5)

    assert deployed.app.start().ports.agent.answer(question) == Answer(text="HELLO THERE")
    assert deployed.app.start() is deployed.app.start()


@pytest.mark.parametrize("line", ["", "1 / 0"], ids=["it is built", "it cannot be built"])
def test_garbage_is_looked_for_from_the_first_start_on_not_before(deployed: Deployed, line: str) -> None:
    with (deployed.folder / "assistant.py").open("a") as source:
        source.write(line)
    assert not gc.isenabled()

    deployed.handle(deployed.receive())

    assert gc.isenabled()


def test_a_bare_agent_is_an_assistant_on_the_model_of_the_setting(deployed: Deployed) -> None:
    (deployed.folder / "assistant.py").write_text("from pydantic_ai import Agent\nassistant = Agent(name='bare')\n")
    question = Question(turn="T1", history=(), messages=("Hello",), timeout_seconds=5)

    assert deployed.app.start().ports.agent.answer(question) == Answer(text="Hello! How can I help you?")


def test_a_link_that_is_not_allowed_is_not_said_by_a_function_either(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOWED_LINK_HOSTS", "shop.example")
    (deployed.folder / "assistant.py").write_text("def assistant(_):\n    return 'https://evil.example/pay'\n")
    question = Question(turn="T1", history=(), messages=("Hello",), timeout_seconds=5)

    with pytest.raises(Permanent, match="the answer was refused"):
        deployed.app.start().ports.agent.answer(question)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ASSISTANT_MODEL", "nonsense"),
        ("ASSISTANT_MEMORY", "customers"),
        ("ASSISTANT_MODEL", "nobody:has-this"),
        ("DISCLOSURE_SENTENCE", "true"),
        ("HELP_SENTENCE", "true"),
        ("WINDOW_TEMPLATE_SID", "HX1"),
        ("WAIT_FOR_DELIVERY", "maybe"),
        ("ASSISTANT_FALLBACK_MODEL", "nobody:has-this"),
        ("TURNS_PER_DAY", "many"),
        ("TWILIO_SECRET_ID", "another"),
        ("CONVERSATIONS_TABLE", ""),
        ("POWERTOOLS_LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_setting_is_named_and_loses_nothing(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    records = deployed.receive()

    returned = deployed.handle(records)

    log, metrics = deployed.printed()
    assert returned == [records[0]["messageId"]]
    assert log["detail"].startswith(variable)
    assert metrics["failed"] == [1.0]


def test_a_wrong_price_is_named_and_loses_nothing(deployed: Deployed) -> None:
    (deployed.folder / "prices.toml").write_text('currency = "USD"\nchat = { message = "free" }\n')
    records = deployed.receive()

    returned = deployed.handle(records)

    log, metrics = deployed.printed()
    assert returned == [records[0]["messageId"]]
    assert log["detail"].startswith("prices.toml: chat.source is not a valid source")
    assert metrics["failed"] == [1.0]


def test_without_a_price_table_the_function_knows_no_price(deployed: Deployed) -> None:
    (deployed.folder / "prices.toml").unlink()

    assert deployed.app.start().settings.prices == NO_PRICES


def test_an_empty_knowledge_is_named_before_a_customer_asks(deployed: Deployed) -> None:
    for file in (deployed.folder / "knowledge").iterdir():
        file.unlink()
    records = deployed.receive()

    returned = deployed.handle(records)

    assert returned == [records[0]["messageId"]]
    assert "the knowledge folder is empty" in deployed.printed()[0]["detail"]


@pytest.mark.parametrize(
    ("deliveries", "shortest", "longest"), [(1, 2, 2), (2, 2, 4), (4, 8, 16), (6, 30, 60), (999, 30, 60)]
)
def test_the_wait_doubles_with_the_deliveries_from_2_to_60_seconds(
    deployed: Deployed, deliveries: int, shortest: int, longest: int
) -> None:
    (deployed.folder / "assistant.py").unlink()
    records = deployed.receive(count=5)
    for record in records:
        record["attributes"]["ApproximateReceiveCount"] = str(deliveries)

    deployed.handle(records)

    waits = [deployed.waits[record["receiptHandle"]] for record in records]
    assert all(shortest <= seconds <= longest for seconds in waits), waits
    assert longest < 8 or len(set(waits)) > 1, "without jitter all come back at once"


def test_the_records_of_one_conversation_come_back_together(deployed: Deployed) -> None:
    (deployed.folder / "assistant.py").unlink()
    (first,) = deployed.receive()
    first["attributes"]["ApproximateReceiveCount"] = "6"
    second = {**first, "messageId": "2", "receiptHandle": "handle-2"}
    second["attributes"] = {**first["attributes"], "ApproximateReceiveCount": "1"}

    deployed.handle([first, second])

    assert deployed.waits["handle-2"] == deployed.waits[first["receiptHandle"]] >= 30


@pytest.mark.parametrize("variable", ["MESSAGES_QUEUE_URL", "AWS_DEFAULT_REGION"])
def test_without_its_queue_the_records_come_back_when_their_visibility_timeout_ends(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    records = deployed.receive()
    monkeypatch.delenv(variable)

    returned = deployed.handle(records)

    assert returned == [records[0]["messageId"]]
    assert deployed.printed()[0]["message"] == "failed"
    assert deployed.waits == {}

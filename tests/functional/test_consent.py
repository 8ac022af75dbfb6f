"""STOP, texts, START and HELP by SMS, WhatsApp and web chat, over the local stack: HTTP, both queues, the table."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from switchboard.consent_sentences import HELP, OPT_IN, OPT_OUT
from switchboard.languages import Language
from tests.assistants import APP
from tests.stacks import OUR_NUMBER, OUR_WHATSAPP, WEB_CHAT, Phone, Running, running
from tests.waiting import wait_until
from twilio_emulator.models.inbound import GOODBYE, HOW_TO_STOP, WELCOME_BACK

ASSISTANT = """
import time
from pathlib import Path

def assistant(question):
    with (Path(__file__).parent / "asked.txt").open("a") as asked:
        asked.write("|".join(question.messages) + "\\n")
    while "think long" in question.messages[-1] and not (Path(__file__).parent / "thought.txt").exists():
        time.sleep(0.1)
    return f"You said: {'|'.join(question.messages)}"
"""
CHANNELS = {"sms": OUR_NUMBER, "whatsapp": OUR_WHATSAPP, "chat": WEB_CHAT}
# What a customer writes, and in which language they read what follows; on SMS, whether Twilio says it.
WORDS = {
    Language.ENGLISH: ("STOP", "START", "HELP"),
    Language.GERMAN: ("Bitte keine Nachrichten mehr", "anmelden", "Hilfe"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A running stack, and the file in which its assistant writes down what it was asked."""

    stack: Running
    file: Path

    def phone(self, channel: str, number: int) -> Phone:
        addresses = {"sms": "+12025550{}", "whatsapp": "whatsapp:+12025550{}", "chat": "visitor-" + "0" * 29 + "{}"}
        return self.stack.phone(addresses[channel].format(number), to=CHANNELS[channel])

    def lines(self) -> list[str]:
        return self.file.read_text().splitlines() if self.file.exists() else []

    def says(self, phone: Phone, body: str, *, rule: str) -> None:
        """Let a customer write, and wait until the turn has ended by this rule."""
        self.ends(phone.text(body), rule=rule)

    def ends(self, sent: dict[str, str], *, rule: str) -> None:
        def has_ended() -> bool:
            turns = self.stack.turns(sent["conversation_sid"])
            return any(
                {"S": sent["message_sid"]} in turn["message_sids"]["L"] and turn["rule"]["S"] == rule for turn in turns
            )

        wait_until(has_ended, what=f"the rule {rule!r}")

    def struck(self, fault: str) -> int:
        """Return how often a fault, known by its URL, has struck."""
        faults, _, number = fault.rpartition("/")
        return next(int(each["struck"]) for each in self.stack.http.get(faults).json() if str(each["id"]) == number)

    def fault(self, **fault: object) -> str:
        url = f"{self.stack.stack.twilio_url}/_emulator/faults"
        return f"{url}/{self.stack.http.post(url, json=fault).raise_for_status().json()['id']}"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder = tmp_path_factory.mktemp("agent")
    shutil.copy(APP, folder)
    (folder / "assistant.py").write_text(ASSISTANT)
    with running(changes={("AgentFunction", "CodeUri"): str(folder)}, environment={"HELP_SENTENCE": "on"}) as stack:
        yield Asked(stack=stack, file=folder / "asked.txt")


def bodies(phone: Phone) -> list[str]:
    return [message["body"] for message in phone.inbox()]


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("channel", CHANNELS)
def test_from_stop_to_start_nobody_thinks_and_nothing_is_sent(asked: Asked, channel: str, language: Language) -> None:
    number = 110 + 10 * list(CHANNELS).index(channel) + list(WORDS).index(language)
    phone, (stop, start, help_word) = asked.phone(channel, number), WORDS[language]
    by_twilio = channel == "sms" and language is Language.ENGLISH
    first = f"First {number}"

    asked.says(phone, first, rule="")
    asked.says(phone, help_word, rule="help" if by_twilio else "")
    asked.says(phone, stop, rule="opt_out")
    for nothing in (f"Anybody {number}?", help_word, stop):
        asked.says(phone, nothing, rule="opted_out")
    asked.says(phone, start, rule="opt_in")
    asked.says(phone, f"Last {number}", rule="")

    ours = [HELP[language], OPT_OUT[language], OPT_IN[language]]
    twilios = [HOW_TO_STOP, GOODBYE, HOW_TO_STOP, WELCOME_BACK]
    expected = [f"You said: {first}", *(twilios if by_twilio else ours), f"You said: Last {number}"]
    wait_until(lambda: bodies(phone) == expected, what=f"{expected}, not {bodies(phone)}")
    assert [line for line in asked.lines() if str(number) in line] == [first, f"Last {number}"]


@pytest.mark.parametrize("channel", ["whatsapp", "chat"])
def test_an_opt_out_does_not_wait_behind_an_assistant_that_thinks(asked: Asked, channel: str) -> None:
    phone, thought = asked.phone(channel, 150), asked.file.with_name("thought.txt")
    question = phone.text("think long about it " + channel)
    wait_until(lambda: "think long about it " + channel in asked.lines(), what="the assistant's question")

    stop = phone.text("STOP")
    wait_until(partial(is_opted_out, asked, stop["conversation_sid"]), what="the opt-out, while it thinks")
    thought.touch()

    asked.ends(stop, rule="opt_out")

    wait_until(lambda: bodies(phone) == [OPT_OUT[Language.ENGLISH]], what="the confirmation alone")
    asked.ends(question, rule="opt_out")
    thought.unlink()


def test_a_reply_that_is_tried_again_is_not_sent_after_an_opt_out(asked: Asked) -> None:
    phone = asked.phone("whatsapp", 160)
    sid = phone.text("Hello")["conversation_sid"]
    wait_until(lambda: bodies(phone) == ["You said: Hello"], what="the first answer")
    fault = asked.fault(kind="answer", on=f"POST */{sid}/Messages", code=20429, rate=1)
    question = phone.text("Are you there?")
    wait_until(lambda: asked.struck(fault) > 0, what="a reply that Twilio does not take")

    stop = phone.text("Stop texting me")
    wait_until(partial(is_opted_out, asked, sid), what="the opt-out, which waits for no reply")
    asked.stack.http.delete(fault).raise_for_status()

    asked.ends(question, rule="opted_out")
    asked.ends(stop, rule="opt_out")
    assert bodies(phone) == ["You said: Hello", OPT_OUT[Language.ENGLISH]]


def test_a_takeover_a_hand_back_and_a_new_conversation_change_nothing(asked: Asked) -> None:
    phone = asked.phone("whatsapp", 170)
    sid = phone.text("STOP")["conversation_sid"]
    wait_until(partial(is_opted_out, asked, sid), what="the opt-out")
    wait_until(lambda: len(bodies(phone)) == 1, what="the confirmation")
    url = (
        f"{asked.stack.stack.twilio_url}/v1/Services/{asked.stack.stack.twilio_account.service_sid}/Conversations/{sid}"
    )
    auth = (asked.stack.stack.twilio_account.account_sid, asked.stack.stack.twilio_account.auth_token)
    hooks = {"X-Twilio-Webhook-Enabled": "true"}

    for owner in ("human", "assistant"):
        attributes = f'{{"switchboard": {{"owner": "{owner}"}}}}'
        asked.stack.http.post(url, data={"Attributes": attributes}, auth=auth, headers=hooks).raise_for_status()
    asked.says(phone, "Hello 170?", rule="opted_out")
    asked.stack.http.post(url, data={"State": "closed"}, auth=auth, headers=hooks).raise_for_status()
    asked.says(phone, "And 170 here?", rule="opted_out")

    assert bodies(phone) == [OPT_OUT[Language.ENGLISH]]
    assert not [line for line in asked.lines() if "170" in line]


def is_opted_out(asked: Asked, sid: str) -> bool:
    return bool(item_of(asked, sid).get("opted_out", {}).get("BOOL"))


def item_of(asked: Asked, sid: str) -> dict[str, dict[str, object]]:
    answer = asked.stack.stack.client("dynamodb").get_item(
        TableName=asked.stack.environment("AgentFunction")["CONVERSATIONS_TABLE"],
        Key={"pk": {"S": sid}, "sk": {"S": "CONVERSATION"}},
        ConsistentRead=True,
    )
    item: dict[str, dict[str, object]] = answer.get("Item", {})
    return item

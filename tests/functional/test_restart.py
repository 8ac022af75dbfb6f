"""A run that goes on where another one ended: no message is answered again, and a waiting message is answered."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stacks import Running, running
from tests.waiting import wait_until
from twilio_emulator.state_file import StateFileNotSaved, StateFileUnusable

ANSWERED, WAITING, HANDED_OFF = "+12025550150", "+12025550151", "+12025550152"

type Text = dict[str, str]  # its `conversation_sid` and `message_sid`


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """A run that has ended, and what it left: the first text is answered, the webhook of the second was lost."""

    file: Path
    answered: Text
    lost: Text
    handed_off: Text


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Before:
    file = tmp_path_factory.mktemp("before") / "state.json"
    with running(state_file=file) as stack:
        answered = stack.phone(ANSWERED).text("When are you open on Saturday?")
        handed_off = stack.phone(HANDED_OFF).text("I want to talk to a person")
        wait_for_turns(stack, answered, 1)
        wait_for_turns(stack, handed_off, 1)
        drop_the_next_webhook(stack)
        lost = stack.phone(WAITING).text("And on Sunday?")
    return Before(file=file, answered=answered, lost=lost, handed_off=handed_off)


@pytest.fixture(scope="module")
def after(before: Before, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The run that goes on."""
    with running(state_file=Path(shutil.copy(before.file, tmp_path_factory.mktemp("after")))) as stack:
        yield stack


@pytest.fixture
def file(before: Before, tmp_path: Path) -> Path:
    """A state file of its own for a test that spoils it."""
    return Path(shutil.copy(before.file, tmp_path))


def wait_for_turns(stack: Running, text: Text, count: int) -> None:
    wait_until(lambda: len(stack.turns(text["conversation_sid"])) == count and stack.queued() == 0)


def drop_the_next_webhook(stack: Running) -> None:
    fault = {"kind": "drop_webhook", "on": "onMessageAdded", "count": 1}
    stack.http.post(f"{stack.stack.twilio_url}/_emulator/faults", json=fault).raise_for_status()


def answered(stack: Running, conversation_sid: str) -> list[list[str]]:
    """Return the messages that each turn answered."""
    return [[sid["S"] for sid in turn["message_sids"]["L"]] for turn in stack.turns(conversation_sid)]


def test_after_a_restart_each_message_has_one_answer(before: Before, after: Running) -> None:
    after.stack.functions["sweeper"].invoke({})
    after.phone(WAITING).wait_for_replies()
    second = after.phone(ANSWERED).text("And on Sunday?")
    wait_for_turns(after, second, 2)

    first, lost = before.answered, before.lost
    assert answered(after, first["conversation_sid"]) == [[first["message_sid"]], [second["message_sid"]]]
    assert answered(after, lost["conversation_sid"]) == [[lost["message_sid"]]]
    assert (len(after.phone(ANSWERED).inbox()), len(after.phone(WAITING).inbox())) == (2, 1)


def test_a_human_keeps_the_conversation_through_a_restart(before: Before, after: Running) -> None:
    second = after.phone(HANDED_OFF).text("Are you there?")
    wait_for_turns(after, second, 2)

    assert second["conversation_sid"] == before.handed_off["conversation_sid"]
    assert [turn["outcome"]["S"] for turn in after.turns(second["conversation_sid"])] == ["handed_off", "refused"]


@pytest.mark.parametrize("tables", [{}, {"ConversationsTable": [{"name": {"S": "x"}}]}, {"Things": []}])
def test_a_run_without_its_tables_is_refused_and_the_file_stays(file: Path, tables: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), "tables": tables}))
    edited = file.read_text()

    with pytest.raises(StateFileUnusable, match=r"state\.json"), running(state_file=file):
        pass

    assert file.read_text() == edited


def test_a_run_whose_local_aws_is_gone_says_that_it_was_not_kept(file: Path) -> None:
    kept = file.read_text()

    with pytest.raises(StateFileNotSaved, match="AWS"):
        run_whose_local_aws_dies(file)

    assert file.read_text() == kept


def run_whose_local_aws_dies(file: Path) -> None:
    with running(state_file=file) as stack:
        stack.phone(ANSWERED).text("hi")
        stack.stack._aws.close()  # noqa: SLF001 -- ended, as by SIGKILL

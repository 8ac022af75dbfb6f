"""A run that goes on where another one ended: no message is answered again, and a waiting message is answered."""

import json
from pathlib import Path

import pytest

from tests.stacks import Running, running
from tests.waiting import wait_until
from twilio_emulator.state_file import StateFileNotSaved, StateFileUnusable

ANSWERED, WAITING = "+12025550150", "+12025550151"


def test_after_a_restart_each_message_has_one_answer(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with running(state_file=file) as before:
        first = before.phone(ANSWERED).text("When are you open on Saturday?")
        wait_until(lambda: len(before.turns(first["conversation_sid"])) == 1 and before.queued() == 0)
        drop_the_next_webhook(before)
        lost = before.phone(WAITING).text("And on Sunday?")

    with running(state_file=file) as after:
        after.stack.functions["sweeper"].invoke({})
        after.phone(WAITING).wait_for_replies()
        second = after.phone(ANSWERED).text("And on Sunday?")
        wait_until(lambda: len(after.turns(second["conversation_sid"])) == 2 and after.queued() == 0)

        assert answered(after, first["conversation_sid"]) == [[first["message_sid"]], [second["message_sid"]]]
        assert answered(after, lost["conversation_sid"]) == [[lost["message_sid"]]]
        assert (len(after.phone(ANSWERED).inbox()), len(after.phone(WAITING).inbox())) == (2, 1)


def drop_the_next_webhook(stack: Running) -> None:
    fault = {"kind": "drop_webhook", "on": "onMessageAdded", "count": 1}
    stack.http.post(f"{stack.stack.twilio_url}/_emulator/faults", json=fault).raise_for_status()


def answered(stack: Running, conversation_sid: str) -> list[list[str]]:
    """Return the messages that each turn answered."""
    return [[sid["S"] for sid in turn["message_sids"]["L"]] for turn in stack.turns(conversation_sid)]


def test_a_human_keeps_the_conversation_through_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with running(state_file=file) as before:
        first = before.phone(ANSWERED).text("I want to talk to a person")
        wait_until(lambda: len(before.turns(first["conversation_sid"])) == 1 and before.queued() == 0)

    with running(state_file=file) as after:
        second = after.phone(ANSWERED).text("Are you there?")
        wait_until(lambda: len(after.turns(second["conversation_sid"])) == 2 and after.queued() == 0)

        assert [turn["outcome"]["S"] for turn in after.turns(second["conversation_sid"])] == ["handed_off", "refused"]


@pytest.mark.parametrize("tables", [{}, {"ConversationsTable": [{"name": {"S": "x"}}]}, {"Things": []}])
def test_a_run_without_its_tables_is_refused_and_the_file_stays(tmp_path: Path, tables: object) -> None:
    file = tmp_path / "state.json"
    with running(state_file=file):
        pass
    kept = json.loads(file.read_text())
    file.write_text(json.dumps({**kept, "tables": tables}))
    edited = file.read_text()

    with pytest.raises(StateFileUnusable, match=r"state\.json"), running(state_file=file):
        pass

    assert file.read_text() == edited


def test_a_run_whose_local_aws_is_gone_says_that_it_was_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with running(state_file=file):
        pass
    kept = file.read_text()

    with pytest.raises(StateFileNotSaved, match="AWS"):
        run_whose_local_aws_dies(file)

    assert file.read_text() == kept


def run_whose_local_aws_dies(file: Path) -> None:
    with running(state_file=file) as stack:
        stack.phone(ANSWERED).text("hi")
        stack.stack._aws.close()  # noqa: SLF001 -- ended, as by SIGKILL

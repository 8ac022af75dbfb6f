"""What waits in a web process: in order, once, and what comes later behind what came first."""

from datetime import timedelta

import pytest

from switchboard.stores.inbox import DeadLetters, Inbox
from tests.builders import CONVERSATION, NOON, message_added, sid

LATER = NOON + timedelta(minutes=1)


@pytest.fixture
def inbox() -> Inbox:
    inbox = Inbox()
    inbox.put(message_added(index=0), id="first", due=NOON)
    inbox.put(message_added(index=1), id="second", due=NOON)
    return inbox


def test_a_repeat_changes_nothing_while_the_event_waits(inbox: Inbox) -> None:
    before = inbox.of(CONVERSATION)

    inbox.put(message_added(index=0), id="first", due=LATER)

    assert inbox.of(CONVERSATION) == before


def test_a_conversation_is_due_when_its_first_event_is(inbox: Inbox) -> None:
    inbox.put_off(inbox.of(CONVERSATION)[:1], until=LATER)

    assert inbox.due_at() == {CONVERSATION: LATER}


def test_conversations_wait_each_for_itself(inbox: Inbox) -> None:
    other = sid("CH", 2)
    inbox.put(message_added(conversation_sid=other), id="other", due=LATER)

    assert inbox.due_at() == {CONVERSATION: NOON, other: LATER}
    assert [each.id for each in inbox.of(CONVERSATION)] == ["first", "second"]


def test_what_was_handled_is_gone_and_what_failed_is_counted(inbox: Inbox) -> None:
    first, second = inbox.of(CONVERSATION)
    inbox.remove([first])
    inbox.put_off([first, second], until=LATER)

    (left,) = inbox.of(CONVERSATION)
    assert (left.id, left.tries, left.due) == ("second", 1, LATER)


def test_a_dead_letter_is_kept_once_for_each_turn_in_which_it_failed() -> None:
    letters = DeadLetters()
    for turn in ("T1", "T1", "T2"):
        letters.copy([message_added()], turn=turn)

    assert len(letters.all()) == 2
    letters.remove(next(iter(letters.all())))
    assert len(letters.all()) == 1

"""Freeze: the reply is stored, in parts, before it is sent."""

from switchboard.conversation import PendingReply, ReplyKind
from switchboard.turn.context import Step
from switchboard.turn.timing import COMMIT_WINDOW
from tests.unit.turn.harness import Harness


def test_the_reply_is_stored_before_it_is_sent(harness: Harness) -> None:
    (message,) = harness.customer_writes("hi")

    harness.deliver_and_crash(message, after=Step.FREEZE)

    assert harness.twilio.post_count == 0
    assert harness.item.pending_reply == PendingReply(
        turn=harness.item.turn,
        kind=ReplyKind.ANSWER,
        covers=frozenset({message.index}),
        parts=("You said: hi",),
        send_attempts=(1,),
        ownership_epoch=0,
        frozen_at=harness.clock(),
        verify_not_before=harness.item.lease_until + COMMIT_WINDOW,
    )


def test_a_long_reply_is_sent_in_parts_and_in_order(harness: Harness) -> None:
    harness.agent.text = "word " * 700

    harness.deliver(*harness.customer_writes("tell me everything"))

    assert [len(part) <= 1600 for part in harness.replies] == [True, True, True]
    assert " ".join(harness.replies) == ("word " * 700).strip()

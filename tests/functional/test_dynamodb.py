"""The stores on moto, and their twin in memory that the protocol's tests run on: one contract for both."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from switchboard.budgets import Spent
from switchboard.conversation import (
    Conversation,
    Coverage,
    PendingReply,
    ReplyKind,
    TurnMessage,
    TurnOutcome,
    TurnRecord,
)
from switchboard.events import Owner
from switchboard.ports import Busy, Fenced, Takeover
from tests.builders import CONVERSATION, NOON, sid
from tests.dynamodb import FIRST, LATER, Store, claim, stores_on_moto
from tests.fakes.conversations import ConversationsInMemory

SECOND = TurnMessage(index=1, message_sid=sid("IM", 2))
DRAFT = PendingReply(
    turn="T1",
    kind=ReplyKind.ANSWER,
    covers=frozenset({0}),
    parts=("a", "b"),
    send_attempts=(1, 1),
    ownership_epoch=0,
    verify_not_before=LATER,
)
RECORD = TurnRecord(
    turn="T1",
    first_index=0,
    message_sids=(FIRST.message_sid,),
    said=("hi",),
    parts=("hello",),
    outcome=TurnOutcome.ANSWERED,
    rule="",
    at=NOON,
    customer="+12025550110",
    kind=ReplyKind.ANSWER,
)


@pytest.fixture(params=["memory", "moto"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        yield ConversationsInMemory()
    else:
        yield from stores_on_moto()


def claim_again(store: Store, *, worker: str = "two", seconds: int = 0) -> Conversation | Busy:
    return store.claim(
        CONVERSATION,
        messages=frozenset({FIRST}),
        turn="T2",
        token=worker,
        now=NOON + timedelta(seconds=seconds),
        lease_until=NOON + timedelta(seconds=seconds + 60),
    )


def test_a_claim_opens_a_turn_under_a_lease(store: Store) -> None:
    claimed = claim(store)

    assert (claimed.fencing_token, claimed.attempts, claimed.turn) == (1, 1, "T1")
    assert claimed.turn_messages == {FIRST}
    assert (claimed.lease_until, claimed.lease_token, claimed.lease_fencing_token) == (LATER, "one", 1)
    assert claimed.coverage == Coverage()


def test_when_we_first_heard_of_a_conversation_is_remembered(store: Store) -> None:
    store.take_over(CONVERSATION, index=0, at=NOON)
    store.hand_back(CONVERSATION, at=LATER)

    claimed = claim(store, seconds=61)

    assert claimed.first_seen_at == NOON


def test_a_live_lease_keeps_others_out(store: Store) -> None:
    claim(store)

    assert claim_again(store, seconds=59) == Busy(until=LATER)


def test_a_claim_whose_answer_was_lost_may_be_repeated(store: Store) -> None:
    claim(store, worker="one")

    assert isinstance(claim_again(store, worker="one"), Conversation)


def test_a_lease_that_is_over_lets_the_next_join_the_same_turn(store: Store) -> None:
    claim(store)

    claimed = claim(store, SECOND, worker="two", turn="T2", seconds=60)

    assert (claimed.turn, claimed.attempts) == ("T1", 2)
    assert claimed.turn_messages == {FIRST, SECOND}


def test_a_takeover_ends_the_lease_and_raises_fence_and_era(store: Store) -> None:
    claimed = claim(store)

    store.take_over(CONVERSATION, index=3, at=NOON)

    after = claim(store, worker="two", turn="T2")
    assert (after.owner, after.ownership_epoch, after.fencing_token) == (Owner.HUMAN, 1, claimed.fencing_token + 2)
    assert after.coverage.covers(3)


def test_a_takeover_tells_whether_a_customer_has_spoken_and_whether_it_is_outdated(store: Store) -> None:
    before_any = [store.take_over(CONVERSATION, index=index, at=NOON + timedelta(seconds=index)) for index in (0, 1)]
    claimed = claim(store, SECOND, seconds=2)
    while_a_turn_is_open = store.take_over(CONVERSATION, index=3, at=LATER)
    store.hand_back(CONVERSATION, at=LATER + timedelta(seconds=1))
    outdated = store.take_over(CONVERSATION, index=4, at=LATER)
    claimed = claim(store, SECOND, worker="two", seconds=90)
    store.settle(claimed, coverage=claimed.coverage.with_handled({1}, now=LATER), owner=Owner.ASSISTANT, now=LATER)
    after_a_turn = store.take_over(CONVERSATION, index=None, at=LATER + timedelta(seconds=9))

    assert before_any == [Takeover.BEFORE_ANY_CUSTOMER] * 2
    assert (while_a_turn_is_open, outdated, after_a_turn) == (Takeover.APPLIED, Takeover.OUTDATED, Takeover.APPLIED)


@pytest.mark.parametrize("write", ["join", "freeze", "resend", "settle", "refuse"])
def test_nothing_is_written_under_a_fence_that_was_raised(store: Store, write: str) -> None:
    claimed = claim(store)
    store.take_over(CONVERSATION, index=None, at=NOON)
    coverage = claimed.coverage.with_handled({0}, now=NOON)
    writes: dict[str, Callable[[], object]] = {
        "join": lambda: store.join(claimed, frozenset({SECOND})),
        "freeze": lambda: store.freeze(claimed, DRAFT),
        "resend": lambda: store.record_resend(claimed, DRAFT),
        "settle": lambda: store.settle(claimed, coverage=coverage, owner=Owner.ASSISTANT, now=NOON),
        "refuse": lambda: store.refuse(
            claimed, RECORD, coverage=coverage, left_to_human=frozenset(), owner=Owner.ASSISTANT, now=NOON
        ),
    }

    with pytest.raises(Fenced):
        writes[write]()

    after = claim(store, worker="two")
    assert (after.pending_reply, after.turn_messages, after.coverage.covers(0)) == (None, frozenset({FIRST}), False)
    assert store.history(CONVERSATION) == ()


def test_a_frozen_draft_comes_back_as_it_was(store: Store) -> None:
    store.freeze(claim(store), DRAFT)

    assert claim(store, worker="two", seconds=61).pending_reply == DRAFT


def test_a_draft_given_back_keeps_its_posts_and_frees_the_conversation(store: Store) -> None:
    claimed = claim(store)
    store.freeze(claimed, DRAFT)
    known = PendingReply(
        turn="T1",
        kind=ReplyKind.ANSWER,
        covers=frozenset({0}),
        parts=("a", "b"),
        send_attempts=(1, 0),
        ownership_epoch=0,
        verify_not_before=NOON,
    )

    store.give_back(claimed, pending_reply=known)

    assert claim(store, worker="two").pending_reply == known


def test_giving_back_a_lease_that_another_holds_changes_nothing(store: Store) -> None:
    claimed = claim(store)
    claim(store, worker="two", seconds=61)

    store.give_back(claimed, pending_reply=DRAFT)

    assert isinstance(claim_again(store, worker="three", seconds=62), Busy)


def test_settling_closes_the_turn_and_remembers_holes(store: Store) -> None:
    claimed = claim(store)
    store.freeze(claimed, DRAFT)

    store.settle(claimed, coverage=claimed.coverage.with_handled({0, 3}, now=NOON), owner=Owner.HUMAN, now=NOON)

    after = claim(store, SECOND, worker="two", turn="T2")
    assert (after.pending_reply, after.turn, after.attempts, after.owner) == (None, "T2", 1, Owner.HUMAN)
    assert after.turn_messages == {SECOND}
    assert after.coverage.low_watermark == 3
    assert after.coverage.gaps == {1: NOON, 2: NOON}


def test_what_a_colleague_adds_meanwhile_survives_a_settle(store: Store) -> None:
    store.take_over(CONVERSATION, index=5, at=NOON)
    claimed = claim(store)
    store.take_over(CONVERSATION, index=7, at=NOON)

    store.settle(claimed, coverage=claimed.coverage.with_handled({0}, now=NOON), owner=Owner.HUMAN, now=NOON)

    coverage = claim(store, worker="two").coverage
    assert (coverage.low_watermark, coverage.covers(5), coverage.covers(7), coverage.covers(6)) == (
        5,
        True,
        True,
        False,
    )


def test_what_is_dealt_with_above_very_many_waiting_messages_is_remembered(store: Store) -> None:
    claimed = claim(store)
    coverage = claimed.coverage.with_handled({0, 500}, now=NOON)
    store.settle(claimed, coverage=coverage, owner=Owner.ASSISTANT, now=NOON)
    again = claim(store, SECOND, worker="two", turn="T2")
    assert again.coverage == coverage

    every = again.coverage.with_handled(range(1, 500), now=NOON)
    store.settle(again, coverage=every, owner=Owner.ASSISTANT, now=NOON)

    assert claim(store, SECOND, worker="three", turn="T3").coverage == Coverage(low_watermark=500)


def test_an_empty_turn_leaves_no_trace_of_its_attempt(store: Store) -> None:
    store.close_empty(claim(store))

    after = claim(store, SECOND, worker="two", turn="T2")
    assert (after.turn, after.attempts, after.turn_messages) == ("T2", 1, frozenset({SECOND}))


def test_a_refused_message_is_covered_and_left_to_the_human(store: Store) -> None:
    claimed = claim(store)
    coverage = claimed.coverage.with_handled({0}, now=NOON)
    refused = TurnRecord(
        turn="T1",
        first_index=0,
        message_sids=(),
        said=("hi",),
        parts=(),
        outcome=TurnOutcome.REFUSED,
        rule="human",
        at=NOON,
        customer="+12025550110",
        kind=None,
    )

    store.refuse(claimed, refused, coverage=coverage, left_to_human=frozenset({0}), owner=Owner.HUMAN, now=NOON)

    assert store.history(CONVERSATION) == ()  # to an agent it would be a question that still waits
    assert store.hand_back(CONVERSATION, at=LATER) == frozenset({0})


def test_a_turn_is_recorded_once(store: Store) -> None:
    store.record(CONVERSATION, RECORD)
    store.record(CONVERSATION, RECORD)

    (exchange,) = store.history(CONVERSATION)
    assert (exchange.said, exchange.replied) == (("hi",), "hello")


def test_a_turn_is_charged_once_to_its_customer_and_to_everybody(store: Store) -> None:
    store.record(CONVERSATION, RECORD)
    store.record(CONVERSATION, RECORD)
    store.record(CONVERSATION, replace(RECORD, turn="T2", customer="+12025550111"))

    assert store.spent("+12025550110", now=NOON) == Spent(by_customer=1, by_all=2, limit_notice_sent=False)


def test_a_new_day_is_a_new_budget(store: Store) -> None:
    store.record(CONVERSATION, RECORD)

    assert store.spent("+12025550110", now=NOON + timedelta(days=1)) == Spent()


def test_who_was_told_of_the_limit_is_remembered_and_not_charged(store: Store) -> None:
    store.record(CONVERSATION, replace(RECORD, kind=ReplyKind.LIMIT))

    assert store.spent("+12025550110", now=NOON) == Spent(by_customer=0, by_all=0, limit_notice_sent=True)
    assert store.spent("+12025550111", now=NOON) == Spent()


def test_an_older_takeover_does_not_undo_a_newer_hand_back(store: Store) -> None:
    store.hand_back(CONVERSATION, at=LATER)

    store.take_over(CONVERSATION, index=1, at=NOON)

    assert claim(store).owner is Owner.ASSISTANT


def test_a_hand_back_where_no_human_was_takes_the_conversation_from_nobody(store: Store) -> None:
    claimed = claim(store)
    store.freeze(claimed, DRAFT)

    store.hand_back(CONVERSATION, at=LATER)

    assert claim(store, worker="one").ownership_epoch == claimed.ownership_epoch
    assert store.read_fencing_token(CONVERSATION) == claimed.fencing_token + 1


def test_a_colleagues_word_clears_what_was_left_before_it_but_not_after(store: Store) -> None:
    store.take_over(CONVERSATION, index=0, at=NOON)
    claimed = claim(
        store, TurnMessage(index=1, message_sid=sid("IM", 2)), TurnMessage(index=3, message_sid=sid("IM", 4))
    )
    store.refuse(
        claimed,
        RECORD,
        coverage=claimed.coverage.with_handled({1, 3}, now=NOON),
        left_to_human=frozenset({1, 3}),
        owner=Owner.HUMAN,
        now=NOON,
    )

    store.take_over(CONVERSATION, index=2, at=NOON + timedelta(seconds=1))

    assert store.hand_back(CONVERSATION, at=LATER) == frozenset({3})


def test_a_hand_back_told_twice_names_the_same_messages(store: Store) -> None:
    store.take_over(CONVERSATION, index=0, at=NOON)
    claimed = claim(store, SECOND)
    coverage = claimed.coverage.with_handled({1}, now=NOON)
    store.refuse(claimed, RECORD, coverage=coverage, left_to_human=frozenset({1}), owner=Owner.HUMAN, now=NOON)

    first = store.hand_back(CONVERSATION, at=LATER)
    second = store.hand_back(CONVERSATION, at=LATER)

    assert first == second == frozenset({1})


def test_an_answer_takes_its_message_out_of_the_reopened(store: Store) -> None:
    store.take_over(CONVERSATION, index=0, at=NOON)
    claimed = claim(store, SECOND)
    coverage = claimed.coverage.with_handled({1}, now=NOON)
    store.refuse(claimed, RECORD, coverage=coverage, left_to_human=frozenset({1}), owner=Owner.HUMAN, now=NOON)
    store.hand_back(CONVERSATION, at=LATER)
    again = claim(store, SECOND, worker="two")
    assert not again.coverage.covers(1)

    store.settle(again, coverage=again.coverage.with_handled({1}, now=NOON), owner=Owner.ASSISTANT, now=NOON)

    assert claim(store, SECOND, worker="three").coverage.covers(1)


def test_closed_is_final(store: Store) -> None:
    store.close(CONVERSATION, at=NOON)
    store.close(CONVERSATION, at=LATER)

    claimed = claim(store)
    assert (claimed.closed, claimed.ownership_epoch) == (True, 1)


def test_the_fence_is_read_as_it_is_now(store: Store) -> None:
    claim(store)
    store.take_over(CONVERSATION, index=None, at=NOON)

    assert store.read_fencing_token(CONVERSATION) == 2


def test_an_opt_out_is_remembered_with_its_latest_time(store: Store) -> None:
    store.opt_out(CONVERSATION, at=LATER)
    store.opt_out(CONVERSATION, at=NOON)

    assert claim(store).opted_out_at == LATER

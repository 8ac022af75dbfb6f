"""The turn store, on DynamoDB (moto) and in memory: claims, conditional writes under the fencing token, records."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from switchboard.author import AuthorRole
from switchboard.aws.dynamodb.items import conversation_from_item, from_wire, pending_reply_to_value
from switchboard.channels.channel import Channel
from switchboard.conversation import (
    MAX_HISTORY_ITEMS,
    UNIX_EPOCH,
    Conversation,
    Coverage,
    History,
    Note,
    OwnerReason,
    RefusalRule,
    Summary,
    TurnOutcome,
    TurnRecord,
)
from switchboard.cost import Cost, MessageCategory
from switchboard.effects import Effect, EffectState, TurnEffects
from switchboard.events import Owner
from switchboard.loops import LoopPause, RecentReply
from switchboard.ports import Busy, Fenced, Remembered
from tests.builders import CONVERSATION, NOON, sid
from tests.dynamodb import (
    FIRST,
    LATER,
    RECORD,
    REPLY,
    SECOND,
    Store,
    claim,
    settlement,
    stores_of,
    table_on_moto,
    try_claim,
)


def test_a_claim_opens_a_turn_under_a_lease(store: Store) -> None:
    claimed = claim(store)

    assert (claimed.fencing_token, claimed.attempts, claimed.turn) == (1, 1, "T1")
    assert claimed.turn_messages == {FIRST}
    assert (claimed.lease_until, claimed.lease_token, claimed.lease_fencing_token) == (LATER, "one", 1)
    assert claimed.coverage == Coverage()


def test_while_a_lease_lasts_another_worker_finds_the_conversation_busy(store: Store) -> None:
    claim(store)

    assert try_claim(store, worker="two", seconds=59) == Busy(until=LATER)


def test_a_claim_whose_response_was_lost_can_be_repeated_by_the_same_worker(store: Store) -> None:
    claim(store, worker="one")

    assert isinstance(try_claim(store, worker="one"), Conversation)


def test_after_the_end_of_a_lease_the_next_claim_joins_the_same_turn(store: Store) -> None:
    claim(store)

    claimed = claim(store, SECOND, worker="two", turn="T2", seconds=60)

    assert (claimed.turn, claimed.attempts) == ("T1", 2)
    assert claimed.turn_messages == {FIRST, SECOND}


def test_what_a_list_has_shown_joins_the_open_turn(store: Store) -> None:
    claimed = claim(store)

    joined = store.join(claimed, frozenset({SECOND}))

    assert joined == replace(claimed, turn_messages=frozenset({FIRST, SECOND}))
    assert store.read_unclaimed(CONVERSATION) == joined


def test_a_conversation_is_read_as_it_is_and_nobody_is_charged(store: Store) -> None:
    assert store.read_unclaimed(CONVERSATION) == Conversation(sid=CONVERSATION)
    claimed = claim(store)

    assert store.read_unclaimed(CONVERSATION) == claimed
    assert store.read_unclaimed(CONVERSATION) == claimed


def test_a_suspect_goes_first_until_it_is_claimed(store: Store) -> None:
    suspect = claim(store)

    store.let_go_first(suspect)

    assert store.read_unclaimed(CONVERSATION) == replace(suspect, goes_first=True)
    assert not claim(store, worker="two", seconds=61).goes_first


@pytest.mark.parametrize("takes", ["claim", "take_over"])
def test_a_suspect_that_somebody_has_taken_does_not_go_first(store: Store, takes: str) -> None:
    suspect = claim(store)
    if takes == "claim":
        claim(store, worker="two", seconds=61)
    else:
        store.take_over(CONVERSATION, index=None, at=NOON)

    store.let_go_first(suspect)

    assert not store.read_unclaimed(CONVERSATION).goes_first


@pytest.mark.parametrize("write", ["join", "freeze", "record_resend", "settle", "refuse"])
def test_a_write_with_an_older_fencing_token_is_refused_and_changes_nothing(store: Store, write: str) -> None:
    claimed = claim(store)
    store.take_over(CONVERSATION, index=None, at=NOON)
    coverage = claimed.coverage.with_handled({0}, now=NOON)
    writes: dict[str, Callable[[], object]] = {
        "join": lambda: store.join(claimed, frozenset({SECOND})),
        "freeze": lambda: store.freeze(claimed, REPLY),
        "record_resend": lambda: store.record_resend(claimed, REPLY),
        "settle": lambda: store.settle(claimed, settlement(coverage)),
        "refuse": lambda: store.refuse(claimed, RECORD, coverage=coverage, left_to_human=frozenset()),
    }

    with pytest.raises(Fenced):
        writes[write]()

    after = claim(store, worker="two")
    assert (after.pending_reply, after.turn_messages, after.coverage.covers(0)) == (None, frozenset({FIRST}), False)
    assert store.history(CONVERSATION).items == ()


def test_a_frozen_reply_is_read_back_unchanged(store: Store) -> None:
    store.freeze(claim(store), REPLY)

    assert claim(store, worker="two", seconds=61).pending_reply == REPLY


def test_giving_back_stores_the_send_attempts_and_ends_the_lease(store: Store) -> None:
    claimed = claim(store)
    store.freeze(claimed, REPLY)
    reply = replace(REPLY, send_attempts=(1, 0), verify_not_before=NOON)

    store.give_back(claimed, pending_reply=reply)

    assert claim(store, worker="two").pending_reply == reply


def test_giving_back_a_lease_that_another_worker_has_changes_nothing(store: Store) -> None:
    claimed = claim(store)
    claim(store, worker="two", seconds=61)

    store.give_back(claimed, pending_reply=REPLY)

    assert isinstance(try_claim(store, worker="three", seconds=62), Busy)


def test_settling_closes_the_turn_and_stores_its_gaps(store: Store) -> None:
    claimed = claim(store)
    store.freeze(claimed, REPLY)

    store.settle(
        claimed, settlement(claimed.coverage.with_handled({0, 3}, now=NOON), human_because=OwnerReason.HANDOFF)
    )

    after = claim(store, SECOND, worker="two", turn="T2")
    assert (after.pending_reply, after.turn, after.attempts, after.owner) == (None, "T2", 1, Owner.HUMAN)
    assert after.turn_messages == {SECOND}
    assert after.coverage.low_watermark == 3
    assert after.coverage.gaps == {1: NOON, 2: NOON}


def test_indices_of_humans_that_were_added_during_a_turn_survive_its_settle(store: Store) -> None:
    store.take_over(CONVERSATION, index=5, at=NOON)
    claimed = claim(store)
    store.take_over(CONVERSATION, index=7, at=NOON)

    store.settle(claimed, settlement(claimed.coverage.with_handled({0}, now=NOON), human_because=OwnerReason.HANDOFF))

    coverage = claim(store, worker="two").coverage
    assert coverage.low_watermark == 5
    assert [index for index in (5, 6, 7) if coverage.covers(index)] == [5, 7]


def test_handled_indices_far_above_the_low_watermark_are_stored_until_it_reaches_them(store: Store) -> None:
    claimed = claim(store)
    coverage = claimed.coverage.with_handled({0, 500}, now=NOON)
    store.settle(claimed, settlement(coverage))
    again = claim(store, SECOND, worker="two", turn="T2")
    assert again.coverage == coverage

    all_handled = again.coverage.with_handled(range(1, 500), now=NOON)
    store.settle(again, settlement(all_handled))

    assert claim(store, SECOND, worker="three", turn="T3").coverage == Coverage(low_watermark=500)


def test_closing_an_empty_turn_removes_its_id_its_attempt_and_its_messages(store: Store) -> None:
    store.close_empty(claim(store))

    after = claim(store, SECOND, worker="two", turn="T2")
    assert (after.turn, after.attempts, after.turn_messages) == ("T2", 1, frozenset({SECOND}))


def test_a_refused_message_is_left_to_a_human_and_part_of_the_history(store: Store) -> None:
    store.take_over(CONVERSATION, index=None, at=NOON)
    claimed = claim(store)
    coverage = claimed.coverage.with_handled({0}, now=NOON)
    refused = replace(RECORD, parts=(), outcome=TurnOutcome.REFUSED, rule="human", kind=None)

    store.refuse(claimed, refused, coverage=coverage, left_to_human=frozenset({0}))

    (record,) = store.history(CONVERSATION).items
    assert isinstance(record, TurnRecord)
    assert (record.said, record.outcome, record.rule) == (("hi",), TurnOutcome.REFUSED, "human")
    assert store.hand_back(CONVERSATION, at=LATER) == frozenset({0})


def test_a_requeued_message_is_covered_again_once_it_is_answered(store: Store) -> None:
    store.take_over(CONVERSATION, index=0, at=NOON)
    claimed = claim(store, SECOND)
    coverage = claimed.coverage.with_handled({1}, now=NOON)
    store.refuse(claimed, RECORD, coverage=coverage, left_to_human=frozenset({1}))
    store.hand_back(CONVERSATION, at=LATER)
    again = claim(store, SECOND, worker="two")
    assert not again.coverage.covers(1)

    store.settle(again, settlement(again.coverage.with_handled({1}, now=NOON)))

    assert claim(store, SECOND, worker="three").coverage.covers(1)


def test_a_turn_is_recorded_once(store: Store) -> None:
    store.record(CONVERSATION, RECORD)
    store.record(CONVERSATION, RECORD)

    assert store.history(CONVERSATION) == History(items=(replace(RECORD, customer=""),), is_complete=True)


def test_turns_and_notes_are_read_in_order_by_one_query(store: Store) -> None:
    second = replace(RECORD, turn="T2", index=3, at=LATER)
    by_human = Note(index=1, author_role=AuthorRole.HUMAN, text="I take this", at=NOON)
    by_program = Note(index=2, author_role=AuthorRole.SYSTEM, text="order shipped", at=NOON)
    store.record(CONVERSATION, second)
    store.keep_notes(CONVERSATION, [by_program, by_human])
    store.record(CONVERSATION, RECORD)

    store.keep_notes(CONVERSATION, [by_human])

    first, last = (replace(record, customer="") for record in (RECORD, second))
    assert store.history(CONVERSATION) == History(items=(first, by_human, by_program, last), is_complete=True)


def test_turns_of_one_place_are_read_in_the_order_in_which_they_ended(store: Store) -> None:
    store.record(CONVERSATION, replace(RECORD, turn="A", at=LATER))
    store.record(CONVERSATION, replace(RECORD, turn="B"))

    assert [item.at for item in store.history(CONVERSATION).items] == [NOON, LATER]


@pytest.mark.parametrize("more", [0, 1])
def test_only_the_newest_turns_and_notes_are_read_and_whether_there_are_older_ones(store: Store, more: int) -> None:
    notes = [
        Note(index=index, author_role=AuthorRole.HUMAN, text=str(index), at=NOON)
        for index in range(MAX_HISTORY_ITEMS + more)
    ]
    store.keep_notes(CONVERSATION, notes)

    history = store.history(CONVERSATION)

    assert history == History(items=tuple(notes[more:]), is_complete=not more)


def test_the_history_from_an_index_on_has_that_index_and_the_summary_and_is_not_complete(store: Store) -> None:
    records = [replace(RECORD, customer="", index=index, turn=f"T{index}") for index in (3, 7, 12)]
    for record in records:
        store.record(CONVERSATION, record)
    note = Note(index=8, author_role=AuthorRole.HUMAN, text="I call you.", at=NOON)
    store.keep_notes(CONVERSATION, [note])
    store.freeze(claim(store), REPLY, remembered=Remembered(summary=SUMMARY))

    history = store.history(CONVERSATION, since=7)

    assert history == History(items=(records[1], note, records[2]), is_complete=False, summary=SUMMARY)


def test_a_record_that_stands_before_the_first_message_is_read(store: Store) -> None:
    store.record(CONVERSATION, replace(RECORD, index=-1))

    assert store.history(CONVERSATION) == History(items=(replace(RECORD, index=-1, customer=""),), is_complete=True)


def test_a_new_summary_tells_from_where_the_history_is_read(store: Store) -> None:
    assert claim(store).history_from == 0
    store.freeze(claim(store), REPLY, remembered=Remembered(summary=replace(SUMMARY, read_from=2)))

    assert store.read_unclaimed(CONVERSATION).history_from == 2


def test_a_takeover_is_seen_at_once_in_the_fencing_token(store: Store) -> None:
    claim(store)
    store.take_over(CONVERSATION, index=None, at=NOON)

    assert store.read_fencing_token(CONVERSATION) == 2


def test_a_claim_repeated_with_its_own_token_counts_one_attempt_and_raises_one_token(store: Store) -> None:
    first = claim(store)

    again = claim(store)

    assert (again.attempts, again.fencing_token) == (first.attempts, first.fencing_token) == (1, 1)


def test_a_claim_repeated_after_a_takeover_is_not_ours_and_may_be_made_anew_at_once(store: Store) -> None:
    claim(store)
    store.take_over(CONVERSATION, index=None, at=NOON)

    assert try_claim(store, worker="one", seconds=5) == Busy(until=NOON + timedelta(seconds=5))


def test_a_turn_begins_with_its_first_claim(store: Store) -> None:
    claim(store)

    later = claim(store, worker="two", seconds=61)

    assert later.turn_started_at == NOON


def test_a_turn_given_back_takes_its_attempt_back(store: Store) -> None:
    store.give_back(claim(store))

    assert claim(store, worker="two").attempts == 1


@pytest.mark.parametrize("event", ["take_over", "close"])
def test_what_takes_a_conversation_from_its_worker_is_a_verdict_on_the_attempt(store: Store, event: str) -> None:
    claim(store)
    if event == "take_over":
        store.take_over(CONVERSATION, index=None, at=NOON)
    else:
        store.close(CONVERSATION, at=NOON)

    assert claim(store, worker="two").attempts == 1


def test_a_new_conversation_was_first_seen_when_twilio_told_us_of_it_and_not_when_it_was_claimed(store: Store) -> None:
    assert claim(store, seconds=7200, told_at=60).first_seen_at == NOON + timedelta(seconds=60)
    assert claim(store, worker="two", seconds=7300, told_at=30).first_seen_at == NOON + timedelta(seconds=60)


def test_a_message_from_the_future_is_seen_now(store: Store) -> None:
    assert claim(store, seconds=10, told_at=20).first_seen_at == NOON + timedelta(seconds=10)


def test_a_freeze_notes_the_disclosure_and_a_settle_takes_back_one_that_nobody_has_read(store: Store) -> None:
    claimed = claim(store)
    disclosing = replace(REPLY, discloses=True)
    store.freeze(claimed, disclosing)
    store.freeze(claimed, disclosing)
    frozen = store.read_unclaimed(CONVERSATION)
    assert (frozen.disclosed_at, frozen.pending_reply) == (REPLY.frozen_at, disclosing)
    coverage = claimed.coverage.with_handled({0}, now=NOON)

    store.settle(claimed, replace(settlement(coverage), disclosure_unread=True))

    assert store.read_unclaimed(CONVERSATION).disclosed_at == UNIX_EPOCH


def test_a_reply_that_an_older_version_has_frozen_does_not_disclose() -> None:
    older = {name: value for name, value in pending_reply_to_value(REPLY).items() if name != "discloses"}

    read = conversation_from_item(CONVERSATION, {"pending_reply": older})

    assert (read.pending_reply, read.disclosed_at) == (REPLY, UNIX_EPOCH)


def test_the_disclosure_stays_noted_after_its_reply_and_the_next(store: Store) -> None:
    claimed = claim(store)
    store.freeze(claimed, replace(REPLY, discloses=True))
    store.settle(claimed, settlement(claimed.coverage.with_handled({0}, now=NOON)))
    again = claim(store, SECOND, worker="two")

    store.freeze(again, replace(REPLY, frozen_at=LATER))

    assert (again.disclosed_at, store.read_unclaimed(CONVERSATION).disclosed_at) == (NOON, NOON)


def test_a_freeze_counts_attempts_anew_and_a_resend_does_not(store: Store) -> None:
    claim(store)
    store.freeze(claim(store, worker="two", seconds=61), REPLY)
    again = claim(store, worker="three", seconds=122)
    assert again.attempts == 2

    store.record_resend(again, REPLY)

    assert claim(store, worker="four", seconds=183).attempts == 3


def test_a_freeze_gives_back_a_conversation_that_a_human_has_because_of_a_failure(store: Store) -> None:
    claimed = claim(store)
    failed = settlement(claimed.coverage, human_because=OwnerReason.FAILURE, failed=frozenset({0}))
    store.settle(claimed, failed)
    again = claim(store, SECOND, worker="two", turn="T2")
    assert (again.has_failed, again.failed) == (True, frozenset({0}))

    store.freeze(again, REPLY)

    after = claim(store, SECOND, worker="three", seconds=61)
    assert (after.owner, after.owner_reason, after.has_failed) == (Owner.ASSISTANT, None, False)
    assert after.owner_since == UNIX_EPOCH
    assert after.ownership_epoch == again.ownership_epoch


def test_a_settle_that_makes_a_human_the_owner_hides_no_earlier_word_of_a_human(store: Store) -> None:
    claimed = claim(store)
    store.settle(claimed, settlement(claimed.coverage, human_because=OwnerReason.FAILURE))

    store.take_over(CONVERSATION, index=0, at=NOON - timedelta(seconds=5))

    assert claim(store, worker="two").owner_reason is OwnerReason.MESSAGE


COSTS = [
    Cost(channel=Channel.SMS, messages=2, segments=3, market="+1", price=Decimal("0.0249"), currency="USD"),
    Cost(
        channel=Channel.WHATSAPP,
        messages=1,
        category=MessageCategory.SERVICE,
        market="+351",
        price=Decimal("0.0221"),
        currency="USD",
    ),
    Cost(channel=Channel.CHAT, messages=1, price=Decimal(0), currency="USD"),
    Cost(channel=Channel.SMS, messages=1, segments=1),  # unknown
    None,
]


@pytest.mark.parametrize("cost", COSTS)
def test_what_a_reply_cost_is_kept_with_its_turn(store: Store, cost: Cost | None) -> None:
    store.record(CONVERSATION, replace(RECORD, cost=cost))

    assert store.history(CONVERSATION).items == (replace(RECORD, customer="", cost=cost),)


def test_a_repeated_record_changes_its_outcome_and_cost_and_is_charged_once(store: Store) -> None:
    store.record(CONVERSATION, replace(RECORD, outcome=TurnOutcome.VOID, cost=COSTS[0]))

    store.record(CONVERSATION, RECORD)

    assert store.history(CONVERSATION).items == (replace(RECORD, customer=""),)
    assert store.spent(RECORD.customer, now=NOON).by_customer == 1


def test_a_gap_that_was_looked_for_is_stored(store: Store) -> None:
    claimed = claim(store)
    coverage = claimed.coverage.with_handled({0, 3}, now=NOON, not_found=frozenset({1}))

    store.settle(claimed, settlement(coverage))

    after = claim(store, SECOND, worker="two", turn="T2").coverage
    assert (after.looked, after.first_unexplained_below(4, besides=())) == (frozenset({1}), 2)


def test_the_recent_replies_are_read_back_unchanged(store: Store) -> None:
    claimed = claim(store)
    replies = (
        RecentReply(frozen_at=NOON, settled_at=NOON, index=-1, asks=False),
        RecentReply(frozen_at=NOON, settled_at=LATER, index=7, asks=True, texts=frozenset({"0f", "1e"})),
    )

    store.settle(claimed, replace(settlement(claimed.coverage), recent_replies=replies))

    assert claim(store, SECOND, worker="two", turn="T2").recent_replies == replies


def test_a_pause_is_read_back_unchanged_and_a_later_refusal_leaves_it(store: Store) -> None:
    pause = LoopPause(since=NOON, times=3, texts=frozenset({"0f"}))
    refused = replace(RECORD, parts=(), outcome=TurnOutcome.REFUSED, rule="loop", kind=None)
    claimed = claim(store)
    store.refuse(
        claimed,
        refused,
        coverage=claimed.coverage.with_handled({0}, now=NOON),
        left_to_human=frozenset(),
        loop_pause=pause,
    )
    again = claim(store, SECOND, worker="two", turn="T2")

    store.refuse(again, refused, coverage=again.coverage.with_handled({1}, now=NOON), left_to_human=frozenset())

    assert again.loop_pause == claim(store, SECOND, worker="three", turn="T3").loop_pause == pause


def test_only_a_refusal_by_the_assistant_is_charged(store: Store) -> None:
    for number, rule in enumerate(RefusalRule):
        claimed = claim(store, worker=rule, turn=rule)
        store.refuse(claimed, refusal(rule, number), coverage=claimed.coverage, left_to_human=frozenset())

    spent = store.spent(RECORD.customer, now=NOON)
    assert (spent.by_customer, spent.by_all) == (1, 1)


def refusal(rule: RefusalRule, number: int) -> TurnRecord:
    return replace(RECORD, turn=f"T{number}", parts=(), outcome=TurnOutcome.REFUSED, rule=rule, kind=None)


def test_a_claim_of_a_redriven_message_requeues_it_where_it_has_failed_and_nowhere_else(store: Store) -> None:
    claimed = claim(store, FIRST, SECOND)
    failed = settlement(
        claimed.coverage.with_handled({0, 1}, now=NOON),
        human_because=OwnerReason.FAILURE,
        left_to_human=frozenset({0}),
        failed=frozenset({0}),
    )
    store.settle(claimed, failed)

    again = claim(store, FIRST, SECOND, worker="two", turn="T2", seconds=1, redriven=frozenset({0, 1}))

    assert [again.coverage.covers(index) for index in (0, 1)] == [False, True]
    assert (again.failed, again.left_to_human) == (frozenset(), frozenset())
    assert (again.redriven_at, again.requeued_at) == (NOON + timedelta(seconds=1),) * 2


def test_a_claim_of_a_redriven_message_that_is_repeated_by_its_worker_is_the_same_claim(store: Store) -> None:
    claimed = claim(store)
    store.settle(claimed, settlement(claimed.coverage.with_handled({0}, now=NOON), failed=frozenset({0})))
    first = claim(store, worker="two", turn="T2", redriven=frozenset({0}))

    repeated = claim(store, worker="two", turn="T2", redriven=frozenset({0}))

    assert (repeated.fencing_token, repeated.coverage) == (first.fencing_token, first.coverage)
    assert repeated.coverage.requeued == {0}


def test_a_redriven_message_that_was_answered_is_not_requeued_again(store: Store) -> None:
    claimed = claim(store)
    store.settle(claimed, settlement(claimed.coverage.with_handled({0}, now=NOON), failed=frozenset({0})))
    again = claim(store, worker="two", redriven=frozenset({0}))
    store.settle(again, settlement(again.coverage.with_handled({0}, now=NOON)))

    after = claim(store, worker="three", redriven=frozenset({0}))

    assert after.coverage.covers(0)


def test_what_was_too_old_waits_for_a_redrive(store: Store) -> None:
    claimed = claim(store)
    coverage = claimed.coverage.with_handled({0}, now=NOON)

    store.refuse(claimed, RECORD, coverage=coverage, failed=frozenset({0}))

    assert claim(store, worker="two").failed == {0}


def test_an_answer_takes_what_failed_before_it_from_the_human_and_leaves_it_to_a_redrive(store: Store) -> None:
    claimed = claim(store)
    failed = frozenset({0})
    store.settle(claimed, settlement(claimed.coverage.with_handled({0}, now=NOON), left_to_human=failed, failed=failed))
    again = claim(store, SECOND, worker="two", turn="T2")

    store.settle(again, settlement(again.coverage.with_handled({1}, now=NOON), answered_since=failed))

    after = claim(store, SECOND, worker="three", turn="T3")
    assert (after.left_to_human, after.failed) == (frozenset(), failed)


def test_a_redriven_message_that_another_worker_answers_between_our_read_and_our_claim_is_not_requeued() -> None:
    with table_on_moto() as table:
        store = stores_of(table)
        claimed = claim(store)
        store.settle(claimed, settlement(claimed.coverage.with_handled({0}, now=NOON), failed=frozenset({0})))
        others = iter(["two"])

        def answer_meanwhile(**_: object) -> None:
            for worker in others:
                theirs = claim(store, worker=worker, redriven=frozenset({0}))
                store.settle(theirs, settlement(theirs.coverage.with_handled({0}, now=NOON)))

        table.client.meta.events.register("after-call.dynamodb.GetItem", answer_meanwhile)

        ours = try_claim(store, worker="three", redriven=frozenset({0}))

        assert isinstance(ours, Busy)
        assert claim(store, worker="four").coverage.covers(0)


def test_every_item_is_deleted_ninety_days_after_it_was_written() -> None:
    with table_on_moto() as table:
        store = stores_of(table)
        claim(store)
        store.record(CONVERSATION, RECORD)
        store.keep_notes(CONVERSATION, [Note(index=1, author_role=AuthorRole.HUMAN, text="I take this", at=NOON)])

        items = [from_wire(item) for item in table.client.scan(TableName=table.name)["Items"]]

    a_conversation_a_turn_a_note_and_a_budget = 4
    assert len(items) == a_conversation_a_turn_a_note_and_a_budget
    assert {item["ttl"] for item in items} == {int((NOON + timedelta(days=90)).timestamp())}


def effect(*, call: int = 0, worker: str = "one", state: EffectState = EffectState.BEGUN, result: str = "") -> Effect:
    return Effect(tool="book", call=call, arguments="{}", token=worker, settled_by=LATER, state=state, result=result)


def test_an_effect_is_kept_as_it_began_and_as_it_ended(store: Store) -> None:
    claimed = claim(store)
    began, ended = effect(), effect(state=EffectState.HAPPENED, result='"booked"')

    store.begin_effect(claimed, began, so_far="the run", after=None)
    kept = store.read_effects(CONVERSATION, "T1")
    store.end_effect(claimed, ended)

    assert kept == TurnEffects(so_far="the run", effects=(began,))
    assert store.read_effects(CONVERSATION, "T1") == TurnEffects(so_far="the run", effects=(ended,))
    assert store.read_unclaimed(CONVERSATION).has_effects


def test_a_repeat_of_a_begin_or_an_end_changes_nothing(store: Store) -> None:
    claimed = claim(store)
    ended = effect(state=EffectState.HAPPENED, result='"booked"')

    for _ in range(2):
        store.begin_effect(claimed, effect(), so_far="the run", after=None)
    answers = [store.end_effect(claimed, ended) for _ in range(2)]

    assert answers == [ended, ended]
    assert store.read_effects(CONVERSATION, "T1").effects == (ended,)


def test_every_effect_of_a_turn_is_kept_with_the_newest_account(store: Store) -> None:
    claimed = claim(store)

    store.begin_effect(claimed, effect(), so_far="the run", after=None)
    store.begin_effect(claimed, effect(call=1), so_far="more of it", after=None)

    kept = store.read_effects(CONVERSATION, "T1")
    assert kept == TurnEffects(so_far="more of it", effects=(effect(), effect(call=1)))


def test_a_zombie_begins_no_effect(store: Store) -> None:
    zombie = claim(store)
    claim(store, worker="two", seconds=61)

    with pytest.raises(Fenced):
        store.begin_effect(zombie, effect(), so_far="", after=None)

    assert store.read_effects(CONVERSATION, "T1") == TurnEffects()
    assert not store.read_unclaimed(CONVERSATION).has_effects


def test_what_a_zombie_began_ends_as_it_says(store: Store) -> None:
    zombie = claim(store)
    store.begin_effect(zombie, effect(), so_far="", after=None)
    claim(store, worker="two", seconds=61)

    store.end_effect(zombie, effect(state=EffectState.HAPPENED, result="1"))

    assert store.read_effects(CONVERSATION, "T1").effects == (effect(state=EffectState.HAPPENED, result="1"),)


def test_an_effect_begins_again_only_after_what_is_known_of_it(store: Store) -> None:
    store.begin_effect(claim(store), effect(), so_far="", after=None)
    claimed, again = claim(store, worker="two", seconds=61), effect(worker="two")

    with pytest.raises(Fenced):
        store.begin_effect(claimed, again, so_far="", after=None)
    with pytest.raises(Fenced):
        store.begin_effect(claimed, again, so_far="", after=effect(state=EffectState.NOT_HAPPENED))
    store.begin_effect(claimed, again, so_far="", after=effect())

    assert store.read_effects(CONVERSATION, "T1").effects == (again,)


def test_an_end_is_final_and_only_of_what_its_worker_began(store: Store) -> None:
    claimed = claim(store)
    unknown = effect(state=EffectState.UNKNOWN, result="?")
    store.begin_effect(claimed, effect(), so_far="", after=None)
    of_another = store.end_effect(claimed, effect(worker="two", state=EffectState.HAPPENED))
    store.end_effect(claimed, unknown)

    kept = store.end_effect(claimed, effect(state=EffectState.HAPPENED, result="1"))

    assert of_another == effect()
    assert kept == unknown
    assert store.read_effects(CONVERSATION, "T1").effects == (unknown,)


def test_the_next_turn_has_no_effects(store: Store) -> None:
    claimed = claim(store)
    store.begin_effect(claimed, effect(), so_far="", after=None)
    store.settle(claimed, settlement(claimed.coverage.with_handled({0}, now=NOON)))

    assert not store.read_unclaimed(CONVERSATION).has_effects


def test_a_record_keeps_what_the_effects_of_its_turn_tell(store: Store) -> None:
    claim(store)
    told = replace(RECORD, effects=("The assistant called book.",))

    store.record(CONVERSATION, told)

    assert store.history(CONVERSATION).items == (replace(told, customer=""),)


def test_a_record_keeps_which_messages_its_parts_are_and_a_repeat_knows_no_less(store: Store) -> None:
    claim(store)
    sent, unknown = replace(RECORD, sent=(sid("IM", 7), "")), replace(RECORD, outcome=TurnOutcome.UNSURE)
    later = replace(RECORD, sent=(sid("IM", 7), sid("IM", 8)))

    for record, known in ((RECORD, ()), (sent, sent.sent), (unknown, sent.sent), (later, later.sent)):
        store.record(CONVERSATION, record)

        assert store.history(CONVERSATION).items == (replace(record, sent=known, customer=""),)


def test_what_tools_returned_is_kept_with_the_reply_and_with_its_record(store: Store) -> None:
    claimed = claim(store)
    reply = replace(REPLY, calls=("The assistant called stock.", "The assistant called price."))
    store.freeze(claimed, reply)
    record = replace(RECORD, calls=reply.calls)

    store.record(CONVERSATION, record)

    assert store.read_unclaimed(CONVERSATION).pending_reply == reply
    assert store.history(CONVERSATION).items == (replace(record, customer=""),)


SUMMARY = Summary(index=3, text="They have a red bike.", at=NOON, gaps=frozenset({1}))


def test_a_summary_is_kept_with_the_reply_and_comes_with_the_history_however_long_that_is(store: Store) -> None:
    claimed = claim(store)
    store.freeze(claimed, REPLY, remembered=Remembered(summary=SUMMARY))
    for index in range(MAX_HISTORY_ITEMS + 5):
        store.record(CONVERSATION, replace(RECORD, index=index, turn=f"T{index}"))

    history = store.history(CONVERSATION)

    assert history.summary == SUMMARY
    assert [item.index for item in history.items] == list(range(5, MAX_HISTORY_ITEMS + 5))
    assert not history.is_complete
    assert store.read_unclaimed(CONVERSATION).pending_reply == REPLY


def test_as_many_items_as_are_read_and_a_summary_are_a_complete_history(store: Store) -> None:
    store.freeze(claim(store), REPLY, remembered=Remembered(summary=SUMMARY))
    for index in range(MAX_HISTORY_ITEMS):
        store.record(CONVERSATION, replace(RECORD, index=index, turn=f"T{index}"))

    assert store.history(CONVERSATION).is_complete


def test_a_new_summary_replaces_the_last_one(store: Store) -> None:
    claimed = claim(store)
    store.freeze(claimed, REPLY, remembered=Remembered(summary=SUMMARY))
    newer = replace(SUMMARY, index=9, text="They have two bikes.", gaps=frozenset())

    store.freeze(claimed, REPLY, remembered=Remembered(summary=newer))

    assert store.history(CONVERSATION).summary == newer


def test_an_older_fencing_token_stores_no_summary_and_notes_no_conversation(store: Store) -> None:
    claimed = claim(store)
    store.take_over(CONVERSATION, index=None, at=NOON)

    with pytest.raises(Fenced):
        store.freeze(claimed, REPLY, remembered=Remembered(summary=SUMMARY, customer="key"))

    assert store.history(CONVERSATION).summary is None
    assert store.conversations_of("key", limit=3) == []
    assert not store.read_unclaimed(CONVERSATION).is_noted


def test_the_conversations_of_a_customer_are_found_the_newest_first(store: Store) -> None:
    conversations = [sid("CH", number) for number in range(1, 5)]
    for number, conversation in enumerate(conversations):
        claimed = claim_in(store, conversation)
        reply = replace(REPLY, frozen_at=NOON + timedelta(seconds=number))
        store.freeze(claimed, reply, remembered=Remembered(customer="other" if number == 1 else "key"))

    assert store.conversations_of("key", limit=2) == [conversations[3], conversations[2]]
    assert store.conversations_of("other", limit=2) == [conversations[1]]
    assert store.read_unclaimed(conversations[0]).is_noted


def test_a_customer_who_is_forgotten_has_no_conversations_and_these_have_no_summaries(store: Store) -> None:
    for number, customer in ((1, "key"), (2, "key"), (3, "other")):
        claimed = claim_in(store, sid("CH", number))
        store.freeze(claimed, REPLY, remembered=Remembered(summary=SUMMARY, customer=customer))

    store.forget_customer("key")
    store.forget_customer("key")

    assert store.conversations_of("key", limit=3) == []
    kept = [number for number in (1, 2, 3) if store.history(sid("CH", number)).summary]
    assert kept == [3]
    assert store.conversations_of("other", limit=3) == [sid("CH", 3)]


def claim_in(store: Store, conversation: str) -> Conversation:
    claimed = store.claim(
        conversation,
        messages=frozenset({FIRST}),
        redriven=frozenset(),
        turn="T1",
        token="one",
        told_at=NOON,
        now=NOON,
        lease_until=LATER,
    )
    assert isinstance(claimed, Conversation)
    return claimed

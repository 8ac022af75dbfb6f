"""The lifecycle store, on DynamoDB (moto) and in memory: takeover, hand back, close, consent, in any order."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from botocore.exceptions import NoCredentialsError

from switchboard.author import AuthorRole
from switchboard.aws.dynamodb.client import ConversationsTable
from switchboard.aws.dynamodb.items import from_wire
from switchboard.aws.dynamodb.lifecycle_store import LifecycleStore
from switchboard.channels.channel import Channel
from switchboard.consent import Consent, ConsentChange
from switchboard.conversation import UNIX_EPOCH, Conversation, Note, OwnerReason, TurnMessage
from switchboard.deliveries import MAX_UNDELIVERED
from switchboard.errors import Transient
from switchboard.events import DeliveryFailed, Owner
from switchboard.notices import notice_of_failed_delivery
from switchboard.ports import Takeover
from tests.builders import CONVERSATION, NOON, delivery_failed, sid
from tests.dynamodb import LATER, RECORD, REPLY, SECOND, Store, claim, settlement, stores_of, table_on_moto


def test_the_first_event_of_a_conversation_sets_when_we_first_saw_it(store: Store) -> None:
    store.take_over(CONVERSATION, index=0, at=NOON)
    store.hand_back(CONVERSATION, at=LATER)

    claimed = claim(store, seconds=61)

    assert claimed.first_seen_at == NOON


def test_a_takeover_ends_the_lease_and_raises_fencing_token_and_ownership_epoch(store: Store) -> None:
    claimed = claim(store)

    store.take_over(CONVERSATION, index=3, at=NOON)

    after = claim(store, worker="two", turn="T2")
    assert (after.owner, after.ownership_epoch, after.fencing_token) == (Owner.HUMAN, 1, claimed.fencing_token + 2)
    assert after.coverage.covers(3)


def test_a_takeover_tells_whether_a_customer_has_written_and_whether_it_is_outdated(store: Store) -> None:
    before_any = [store.take_over(CONVERSATION, index=index, at=NOON + timedelta(seconds=index)) for index in (0, 1)]
    claimed = claim(store, SECOND, seconds=2)
    while_a_turn_is_open = store.take_over(CONVERSATION, index=3, at=LATER)
    store.hand_back(CONVERSATION, at=LATER + timedelta(seconds=1))
    outdated = store.take_over(CONVERSATION, index=4, at=LATER)
    claimed = claim(store, SECOND, worker="two", seconds=90)
    store.settle(claimed, settlement(claimed.coverage.with_handled({1}, now=LATER)))
    after_a_turn = store.take_over(CONVERSATION, index=None, at=LATER + timedelta(seconds=9))

    assert before_any == [Takeover.BEFORE_ANY_CUSTOMER] * 2
    assert (while_a_turn_is_open, outdated, after_a_turn) == (Takeover.APPLIED, Takeover.OUTDATED, Takeover.APPLIED)


def test_a_takeover_leaves_the_messages_after_it_to_the_human(store: Store) -> None:
    store.take_over(CONVERSATION, index=0, at=NOON)
    before, after = (TurnMessage(index=index, message_sid=sid("IM", index)) for index in (1, 3))
    claimed = claim(store, before, after)
    coverage = claimed.coverage.with_handled({1, 3}, now=NOON)
    store.refuse(claimed, RECORD, coverage=coverage, left_to_human=frozenset({1, 3}))

    store.take_over(CONVERSATION, index=2, at=NOON + timedelta(seconds=1))

    assert store.hand_back(CONVERSATION, at=LATER) == frozenset({3})


def test_an_older_takeover_does_not_replace_a_newer_hand_back(store: Store) -> None:
    store.hand_back(CONVERSATION, at=LATER)

    store.take_over(CONVERSATION, index=1, at=NOON)

    assert claim(store).owner is Owner.ASSISTANT


def test_a_hand_back_to_an_assistant_that_owns_the_conversation_already_does_not_disturb_its_turn(store: Store) -> None:
    claimed = claim(store)
    store.freeze(claimed, REPLY)

    store.hand_back(CONVERSATION, at=LATER)

    assert store.read_fencing_token(CONVERSATION) == claimed.fencing_token
    assert claim(store, worker="one").ownership_epoch == claimed.ownership_epoch


def test_a_hand_back_that_arrives_twice_returns_the_same_messages(store: Store) -> None:
    store.take_over(CONVERSATION, index=0, at=NOON)
    claimed = claim(store, SECOND)
    coverage = claimed.coverage.with_handled({1}, now=NOON)
    store.refuse(claimed, RECORD, coverage=coverage, left_to_human=frozenset({1}))

    first = store.hand_back(CONVERSATION, at=LATER)
    second = store.hand_back(CONVERSATION, at=LATER)

    assert first == second == frozenset({1})


def test_a_close_that_arrives_twice_raises_the_ownership_epoch_once(store: Store) -> None:
    store.close(CONVERSATION, at=NOON)
    store.close(CONVERSATION, at=LATER)

    claimed = claim(store)
    assert (claimed.closed, claimed.ownership_epoch) == (True, 1)


def said(index: int | None, *, opted_out: bool, at: datetime = NOON) -> ConsentChange:
    return ConsentChange(opted_out=opted_out, at=at, index=index, customer="c" * 32, channel=Channel.SMS)


def test_an_opt_out_takes_the_conversation_from_its_worker_and_changes_no_owner(store: Store) -> None:
    before = claim(store)

    assert store.change_consent(CONVERSATION, said(3, opted_out=True))

    item = store.read_unclaimed(CONVERSATION)
    assert item.consent == Consent(opted_out=True, at=NOON, index=3, changed_by=3)
    assert (item.fencing_token, item.ownership_epoch) == (before.fencing_token + 1, before.ownership_epoch)
    assert (item.owner, item.attempts) == (Owner.ASSISTANT, 0)


@pytest.mark.parametrize("last", [True, False])
def test_the_word_with_the_highest_index_decides_in_whatever_order_words_come(store: Store, *, last: bool) -> None:
    words = [said(1, opted_out=not last), said(2, opted_out=last), said(3, opted_out=last), said(4, opted_out=last)]

    for word in (words[3], words[0], words[2], words[1], words[3]):
        store.change_consent(CONVERSATION, word)

    assert store.read_unclaimed(CONVERSATION).consent.opted_out is last


def test_a_word_that_says_what_is_known_raises_no_token_and_outdates_what_stands_below_it(store: Store) -> None:
    store.change_consent(CONVERSATION, said(1, opted_out=True))
    before = store.read_unclaimed(CONVERSATION)

    assert not store.change_consent(CONVERSATION, said(5, opted_out=True))
    assert not store.change_consent(CONVERSATION, said(3, opted_out=False))

    item = store.read_unclaimed(CONVERSATION)
    assert item.consent == Consent(opted_out=True, at=NOON, index=5, changed_by=1)
    assert item.fencing_token == before.fencing_token


class Stale(ConversationsTable):
    """A table that is read a moment before somebody else writes."""

    def read(self, sid: str) -> Conversation:
        return Conversation(sid=sid)


def test_a_word_that_somebody_else_has_written_meanwhile_is_not_lost() -> None:
    with table_on_moto() as table:
        stores_of(table).change_consent(CONVERSATION, said(5, opted_out=True))
        late = LifecycleStore(table=Stale(client=table.client, name=table.name))

        assert not late.change_consent(CONVERSATION, said(3, opted_out=False))

        assert table.read(CONVERSATION).consent == Consent(opted_out=True, at=NOON, index=5, changed_by=5)


def test_what_the_carrier_tells_counts_by_its_time(store: Store) -> None:
    store.change_consent(CONVERSATION, said(1, opted_out=True))
    store.change_consent(CONVERSATION, said(2, opted_out=False, at=LATER))

    assert not store.change_consent(CONVERSATION, said(None, opted_out=True))
    assert store.change_consent(CONVERSATION, said(None, opted_out=True, at=LATER + timedelta(seconds=1)))


def test_the_ledger_keeps_the_newest_word_of_a_customer_on_a_channel(store: Store) -> None:
    store.change_consent(CONVERSATION, said(1, opted_out=True, at=LATER))
    store.change_consent(sid("CH", 2), said(1, opted_out=True, at=NOON))  # of an earlier conversation, told late

    assert store.read_consent("c" * 32, Channel.SMS) == Consent(opted_out=True, at=LATER)
    assert store.read_consent("c" * 32, Channel.WHATSAPP) == Consent()
    assert store.read_consent("d" * 32, Channel.SMS) == Consent()


def no_credentials(**_: object) -> None:
    raise NoCredentialsError


def test_the_ledger_is_written_before_the_item_whose_writer_may_die() -> None:
    with table_on_moto() as table:
        store = stores_of(table)
        table.client.meta.events.register_first("before-call.dynamodb.UpdateItem", no_credentials)

        with pytest.raises(Transient, match="DynamoDB could not be asked"):
            store.change_consent(CONVERSATION, said(1, opted_out=True))

        assert store.read_consent("c" * 32, Channel.SMS).opted_out
        assert table.get(CONVERSATION) == {}


def test_what_twilio_knows_of_is_kept_with_the_opt_out_and_until_it_is_taken_back(store: Store) -> None:
    store.change_consent(CONVERSATION, replace(said(1, opted_out=True), by_twilio=True))
    store.change_consent(CONVERSATION, said(2, opted_out=False, at=LATER))

    assert store.read_unclaimed(CONVERSATION).consent == Consent(at=LATER, index=2, changed_by=2, by_twilio=True)


def test_what_was_told_long_ago_does_not_delete_the_item_sooner() -> None:
    with table_on_moto() as table:
        store = stores_of(table)
        claim(store)
        before = table.get(CONVERSATION)["ttl"]

        assert store.change_consent(CONVERSATION, said(None, opted_out=True, at=NOON - timedelta(days=300)))
        store.mark_undelivered(replace(failed(7), at=NOON - timedelta(days=300)), notice=None)

        assert table.get(CONVERSATION)["ttl"] == before


def test_an_opt_out_that_the_carrier_tells_is_the_customers_whom_the_last_reply_knew(store: Store) -> None:
    store.freeze(replace(claim(store), customer="c" * 32), replace(REPLY, channel=Channel.SMS))

    store.change_consent(CONVERSATION, ConsentChange(opted_out=True, at=LATER, index=None))

    assert store.read_consent("c" * 32, Channel.SMS) == Consent(opted_out=True, at=LATER)


def test_a_hand_back_that_is_older_than_the_handoff_it_would_end_changes_nothing(store: Store) -> None:
    claimed = claim(store)
    store.settle(claimed, settlement(claimed.coverage, human_because=OwnerReason.HANDOFF))

    assert store.hand_back(CONVERSATION, at=NOON - timedelta(seconds=1)) is None

    assert claim(store, worker="two").owner_reason is OwnerReason.HANDOFF


def test_at_equal_times_the_human_wins(store: Store) -> None:
    store.hand_back(CONVERSATION, at=NOON)

    assert store.take_over(CONVERSATION, index=None, at=NOON)

    assert claim(store).owner_reason is OwnerReason.ATTRIBUTE


def test_the_owner_has_a_reason_until_the_conversation_is_handed_back(store: Store) -> None:
    store.take_over(CONVERSATION, index=3, at=NOON)
    taken = claim(store)
    assert (taken.owner_reason, taken.owner_since) == (OwnerReason.MESSAGE, NOON)
    assert (taken.human_spoke_at, taken.human_spoke_index) == (NOON, 3)

    store.hand_back(CONVERSATION, at=LATER)

    after = claim(store, worker="two")
    assert (after.owner, after.owner_reason, after.handed_back_at) == (Owner.ASSISTANT, None, LATER)
    assert after.owner_since == UNIX_EPOCH


def test_a_hand_back_by_time_needs_that_no_human_has_written_since_and_hides_no_word_of_theirs(store: Store) -> None:
    store.take_over(CONVERSATION, index=0, at=NOON)
    read = claim(store, worker="reader")
    store.take_over(CONVERSATION, index=1, at=NOON + timedelta(seconds=1))

    assert store.hand_back_unless_spoken(read, now=LATER) is None

    read_again = claim(store, worker="another", seconds=1)
    assert store.hand_back_unless_spoken(read_again, now=LATER) is not None
    assert store.take_over(CONVERSATION, index=2, at=NOON + timedelta(seconds=2))
    assert claim(store, worker="last", seconds=2).owner_reason is OwnerReason.MESSAGE


def test_after_a_hand_back_by_time_the_event_that_made_a_human_the_owner_is_outdated_when_it_is_told_again(
    store: Store,
) -> None:
    store.take_over(CONVERSATION, index=None, at=NOON)
    read = claim(store, worker="reader")
    store.hand_back_unless_spoken(read, now=LATER)

    assert store.take_over(CONVERSATION, index=None, at=NOON) is Takeover.OUTDATED

    assert claim(store, worker="another", seconds=1).owner is Owner.ASSISTANT


def test_after_a_hand_back_by_time_a_humans_word_a_millisecond_after_the_last_event_counts(store: Store) -> None:
    store.take_over(CONVERSATION, index=None, at=NOON)
    store.hand_back_unless_spoken(claim(store, worker="reader"), now=LATER)

    assert store.take_over(CONVERSATION, index=1, at=NOON + timedelta(milliseconds=1)) is not Takeover.OUTDATED

    assert claim(store, worker="another", seconds=1).owner is Owner.HUMAN


def test_a_message_that_needs_no_answer_is_handled_also_where_it_is_the_first(store: Store) -> None:
    store.mark_handled(CONVERSATION, index=0, at=NOON)
    claim(store)

    store.mark_handled(CONVERSATION, index=1, at=NOON)

    claimed = claim(store, worker="two", seconds=61)
    assert (claimed.coverage.covers(0), claimed.coverage.covers(1)) == (True, True)
    assert claimed.first_seen_at == NOON


def test_an_item_of_a_message_that_needs_no_answer_is_deleted_and_not_swept() -> None:
    with table_on_moto() as table:
        store = stores_of(table)
        store.mark_handled(CONVERSATION, index=0, at=NOON)

        assert table.get(CONVERSATION).keys() == {"pk", "sk", "handled", "ttl"}
        assert store.untracked([CONVERSATION]) == [CONVERSATION]


def failed(number: int, *, code: int | None = 30005) -> DeliveryFailed:
    return delivery_failed(sid("IM", number), code=code)


NOTICE = notice_of_failed_delivery(CONVERSATION, error_code=30005, at=NOON)


def test_a_failed_delivery_is_kept_with_its_notice_and_a_repeat_changes_nothing(store: Store) -> None:
    claimed = claim(store)

    for _ in range(2):
        store.mark_undelivered(failed(7), notice=NOTICE)
    store.mark_undelivered(failed(7, code=30003), notice=NOTICE)
    store.mark_undelivered(failed(8, code=None), notice=None)

    assert store.read_unclaimed(CONVERSATION).undelivered == {sid("IM", 7): 30005, sid("IM", 8): None}
    assert store.due_failures(before=LATER, limit=10) == [NOTICE]
    assert store.read_fencing_token(CONVERSATION) == claimed.fencing_token


def test_a_failed_delivery_outlives_the_turn_that_is_open_and_the_next_claim_shows_it(store: Store) -> None:
    claimed = claim(store)
    store.freeze(claimed, REPLY)
    store.mark_undelivered(failed(7), notice=NOTICE)
    store.settle(claimed, settlement(claimed.coverage.with_handled({0}, now=NOON)))

    assert claim(store, worker="two", turn="T2").undelivered == {sid("IM", 7): 30005}


def test_the_newest_failed_deliveries_are_kept(store: Store) -> None:
    for number in range(MAX_UNDELIVERED + 5):
        store.mark_undelivered(failed(number), notice=NOTICE)

    kept = store.read_unclaimed(CONVERSATION).undelivered
    assert list(kept) == [sid("IM", number) for number in range(5, MAX_UNDELIVERED + 5)]


@pytest.mark.parametrize("before", [[], [6]])
def test_a_delivery_that_fails_while_another_is_being_kept_is_tried_again(before: list[int]) -> None:
    with table_on_moto() as table:
        store, events = stores_of(table), table.client.meta.events
        for number in before:
            store.mark_undelivered(failed(number), notice=NOTICE)

        def another(**_: object) -> None:
            events.unregister("before-call.dynamodb.TransactWriteItems", another)
            store.mark_undelivered(failed(8), notice=None)

        events.register_first("before-call.dynamodb.TransactWriteItems", another)
        with pytest.raises(Transient, match="the item changed"):
            store.mark_undelivered(failed(7), notice=NOTICE)

        store.mark_undelivered(failed(7), notice=NOTICE)

        kept = store.read_unclaimed(CONVERSATION).undelivered
        assert list(kept) == [sid("IM", number) for number in (*before, 8, 7)]


def test_an_item_of_a_failed_delivery_is_deleted_and_not_swept() -> None:
    with table_on_moto() as table:
        store = stores_of(table)
        store.mark_undelivered(failed(7), notice=None)

        assert table.get(CONVERSATION).keys() == {"pk", "sk", "undelivered", "ttl"}
        assert store.untracked([CONVERSATION]) == [CONVERSATION]


def test_a_note_holds_no_name_and_is_deleted_ninety_days_after_it_was_said() -> None:
    note = Note(index=1, author_role=AuthorRole.HUMAN, text="I take this", at=NOON)
    with table_on_moto() as table:
        stores_of(table).keep_notes(CONVERSATION, [note])

        (item,) = map(from_wire, table.client.scan(TableName=table.name)["Items"])
    assert item.keys() == {"pk", "sk", "author_role", "text", "at", "ttl"}
    assert item["ttl"] == (NOON + timedelta(days=90)).timestamp()


def test_a_hand_back_requeues_what_failed_so_that_no_redrive_answers_it_too(store: Store) -> None:
    claimed = claim(store)
    failed = frozenset({0})
    coverage = claimed.coverage.with_handled({0}, now=NOON)
    store.settle(claimed, settlement(coverage, human_because=OwnerReason.FAILURE, left_to_human=failed, failed=failed))

    assert store.hand_back(CONVERSATION, at=LATER) == failed

    after = claim(store, worker="two", redriven=failed)
    assert (after.coverage.requeued, after.failed, after.left_to_human) == (failed, frozenset(), frozenset())
    assert after.redriven_at < LATER


def test_a_hand_back_to_an_assistant_that_owns_the_conversation_already_requeues_nothing(store: Store) -> None:
    claimed = claim(store)
    store.settle(claimed, settlement(claimed.coverage, left_to_human=frozenset({0}), failed=frozenset({0})))

    assert store.hand_back(CONVERSATION, at=LATER) == frozenset()

    assert claim(store, worker="two").failed == {0}


def test_a_humans_message_answers_what_failed_before_it(store: Store) -> None:
    before, after = (TurnMessage(index=index, message_sid=sid("IM", index)) for index in (0, 3))
    claimed = claim(store, before, after)
    failed = frozenset({0, 3})
    store.settle(claimed, settlement(claimed.coverage.with_handled(failed, now=NOON), failed=failed))

    store.take_over(CONVERSATION, index=2, at=LATER)

    assert claim(store, worker="two").failed == {3}


def test_a_hand_back_does_not_end_a_newer_handoff_though_a_humans_older_word_comes_between(store: Store) -> None:
    claimed = claim(store)
    store.settle(claimed, replace(settlement(claimed.coverage, human_because=OwnerReason.HANDOFF), at=LATER))
    store.take_over(CONVERSATION, index=3, at=NOON + timedelta(seconds=1))

    assert store.hand_back(CONVERSATION, at=NOON + timedelta(seconds=2)) is None

    assert store.read_unclaimed(CONVERSATION).owner is Owner.HUMAN

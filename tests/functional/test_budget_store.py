"""The budget store, on DynamoDB (moto) and in memory: what the records of turns charge."""

from dataclasses import replace
from datetime import timedelta

from switchboard.budgets import Spent
from switchboard.conversation import ReplyKind
from tests.builders import CONVERSATION, NOON
from tests.dynamodb import RECORD, Store


def test_a_turn_is_charged_once_to_its_customer_and_to_all_customers(store: Store) -> None:
    store.record(CONVERSATION, RECORD)
    store.record(CONVERSATION, RECORD)
    store.record(CONVERSATION, replace(RECORD, turn="T2", customer="+12025550111"))

    assert store.spent("+12025550110", now=NOON) == Spent(by_customer=1, by_all=2, limit_notice_sent=False)


def test_a_new_day_has_a_new_budget(store: Store) -> None:
    store.record(CONVERSATION, RECORD)

    assert store.spent("+12025550110", now=NOON + timedelta(days=1)) == Spent()


def test_a_limit_notice_is_remembered_for_its_customer_and_not_charged(store: Store) -> None:
    store.record(CONVERSATION, replace(RECORD, kind=ReplyKind.LIMIT))

    assert store.spent("+12025550110", now=NOON) == Spent(by_customer=0, by_all=0, limit_notice_sent=True)
    assert store.spent("+12025550111", now=NOON) == Spent()


def test_what_confirms_an_opt_out_or_an_opt_in_is_recorded_and_not_charged(store: Store) -> None:
    for turn, kind in (("T1", ReplyKind.OPT_OUT), ("T2", ReplyKind.OPT_IN)):
        store.record(CONVERSATION, replace(RECORD, turn=turn, kind=kind))

    assert store.spent("+12025550110", now=NOON) == Spent()
    assert len(store.history(CONVERSATION).items) == 2

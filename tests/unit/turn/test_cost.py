"""What a turn's reply cost: it is recorded with the turn, and told to whoever reports the turn."""

from dataclasses import replace
from decimal import Decimal

import pytest

from switchboard.budgets import Budget
from switchboard.cost import Cost
from switchboard.prices import PriceTable
from switchboard.turn.context import Step
from tests.builders import turn_settings
from tests.fakes.twilio import PostEnd
from tests.unit.turn.harness import Harness

PRICES = PriceTable(currency="USD", sms={"+1": Decimal("0.01")}, chat=Decimal(0))
THREE_PARTS = "word " * 700  # of 10, 10 and 4 segments


@pytest.fixture
def priced() -> Harness:
    harness = Harness()
    harness.settings = turn_settings(prices=PRICES)
    return harness


def costs(harness: Harness) -> list[Cost | None]:
    return [record.cost for record in harness.records]


def test_a_reply_is_recorded_with_what_it_cost_and_the_turn_tells_it(priced: Harness) -> None:
    priced.agent.text = THREE_PARTS

    result = priced.says("hi")

    assert costs(priced) == [result.cost]
    assert result.cost
    assert (result.cost.messages, result.cost.segments, result.cost.market) == (3, 24, "+1")
    assert (result.cost.price, result.cost.currency) == (Decimal("0.24"), "USD")


def test_the_fallback_sentence_costs_as_much_as_any_text(priced: Harness) -> None:
    (message,) = priced.customer_writes("hi")
    priced.deliver_and_crash_repeatedly(message, after=Step.THINK, times=3)

    result = priced.deliver(message)

    assert result.outcome == "fell_back"
    assert result.cost
    assert result.cost.price == Decimal("0.01")


def test_a_reply_that_twilio_refuses_costs_nothing(priced: Harness) -> None:
    priced.twilio.post_ends.append("refused")

    result = priced.says("hi")

    assert result.outcome == "refused"
    assert result.cost
    assert (result.cost.price, result.cost.messages, result.cost.segments) == (Decimal(0), 0, 0)


def test_of_a_reply_that_twilio_takes_in_part_only_that_part_costs(priced: Harness) -> None:
    priced.agent.text = THREE_PARTS
    priced.twilio.post_ends.extend(["sent", "refused"])

    result = priced.says("hi")

    assert result.cost
    assert (result.cost.price, result.cost.segments) == (Decimal("0.10"), 10)


def test_what_a_part_costs_that_may_have_left_is_unknown(priced: Harness) -> None:
    priced.twilio.post_ends.extend(["request_lost"] * 100)

    result = priced.deliver_until_it_ends(*priced.customer_writes("hi"))[-1]

    assert result.outcome == "unsure"
    assert costs(priced) == [result.cost]
    assert result.cost
    assert (result.cost.price, result.cost.currency) == (None, "")


def test_what_certainly_never_left_costs_nothing(priced: Harness) -> None:
    priced.twilio.post_ends.extend(["not_sent"] * 200)

    result = priced.deliver_until_it_ends(*priced.customer_writes("hi"))[-1]

    assert result.outcome == "expired"
    assert result.cost
    assert (result.cost.price, result.cost.messages) == (Decimal(0), 0)


@pytest.mark.parametrize(("ends", "price"), [([], "0.01"), (["not_sent"], "0"), (["request_lost"], None)])
def test_what_a_rule_says_costs_like_any_reply(priced: Harness, ends: list[PostEnd], price: str | None) -> None:
    budget = Budget(turns_by_customer=1, turns_by_all=1000, sentence="Enough for today.")
    priced.settings = turn_settings(prices=PRICES, budget=budget)
    priced.says("one")
    priced.twilio.post_ends.extend(ends * 200)

    result = priced.deliver_until_it_ends(*priced.customer_writes("two"))[-1]

    assert (result.outcome, result.cause) == ("refused", "over_budget")
    assert result.cost
    assert result.cost.price == (price and Decimal(price))


def test_where_nothing_was_said_there_is_no_cost(priced: Harness) -> None:
    priced.agent.no_reply = True

    result = priced.says("thanks")

    assert (result.cost, costs(priced)) == (None, [None])


def test_what_twilio_takes_after_all_is_what_the_record_says_in_the_end(priced: Harness) -> None:
    priced.agent.text = THREE_PARTS
    priced.twilio.post_ends.extend(["sent", "refused"])
    (message,) = priced.customer_writes("hi")
    priced.deliver_and_crash(message, after=Step.RECORD)
    before = costs(priced)
    priced.clock.move(seconds=121)

    result = priced.deliver(message)

    assert [cost.segments for cost in before if cost] == [10]
    assert result.outcome == "answered"
    assert [cost.segments for cost in costs(priced) if cost] == [24]


def test_where_a_market_is_unknown_its_segments_are_known(priced: Harness) -> None:
    result = priced.deliver(*(replace(m, author="+33100") for m in priced.customer_writes("hi")))

    assert result.cost
    assert (result.cost.price, result.cost.market, result.cost.segments) == (None, "", 1)


def test_without_a_price_table_turns_are_taken_as_ever(harness: Harness) -> None:
    result = harness.says("hi")

    assert result.outcome == "answered"
    assert result.cost
    assert (result.cost.price, result.cost.segments) == (None, 1)


def test_the_assistant_is_not_told_what_its_replies_cost(priced: Harness) -> None:
    priced.says("one")
    priced.says("two")

    assert priced.history() == [("customer", "one"), ("assistant", "You said: one")]
    assert "0.01" not in repr(priced.agent.questions[-1])

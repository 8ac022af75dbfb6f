"""Fifty customers at once, counted on the wire: DynamoDB cancels two transactions that meet in one item.

Therefore no two customers' turns write one item in a transaction, and no turn waits for another's counter.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any

import pytest

from tests.builders import message_added, sid
from tests.functional.agent import DeployedAgent, deployed_agent, record_of

CUSTOMERS = 50
QUESTION = "When are you open on Saturday?"
THANKS = "Thank you!"


def answer_at_once(deployed: DeployedAgent, body: str) -> None:
    """Let fifty customers write, each in a conversation of their own; five processes take ten of them each."""
    messages = [
        message_added(conversation_sid=sid("CH", number), author=f"+120255501{number:02}", body=body)
        for number in range(CUSTOMERS)
    ]
    lease_until = datetime.now(UTC) + timedelta(seconds=60)
    with ThreadPoolExecutor() as processes:
        returned = processes.map(
            lambda batch: deployed.function.answer(map(record_of, batch), lease_until=lease_until),
            batched(messages, 10),
        )
        assert list(returned) == [[]] * 5


def written_items(transaction: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys of the items that a transaction writes or checks."""
    for item in transaction["TransactItems"]:
        (change,) = item.values()
        key = change.get("Key") or change["Item"]
        yield f"{key['pk']['S']} / {key['sk']['S']}"


@pytest.mark.parametrize("body", [QUESTION, THANKS], ids=["answered", "left without an answer"])
def test_of_fifty_customers_at_once_no_turn_waits_for_another(monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    with deployed_agent(monkeypatch) as deployed:
        answer_at_once(deployed, body)

        transactions = [request for request in deployed.to_aws if request.operation == "TransactWriteItems"]
        written = Counter(item for request in transactions for item in written_items(request.parameters))
        spent = deployed.function.ports.budgets.spent("+12025550100", now=datetime.now(UTC))
    assert len(transactions) == CUSTOMERS
    assert [item for item, transactions_of_it in written.items() if transactions_of_it > 1] == []
    assert (spent.by_customer, spent.by_all) == (1, CUSTOMERS)

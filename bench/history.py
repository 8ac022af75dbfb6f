"""What reading the history costs our process after 500 turns, compared with after 5, from a local DynamoDB.

Its CPU time, and not the time until the answer is there: the local DynamoDB looks at every item, and AWS's does not.
"""

import statistics
import time
from dataclasses import replace
from functools import partial
from itertools import batched

from local.aws.ministack import MAX_BATCH_WRITES, LocalAws
from switchboard.aws.dynamodb.budget_store import BudgetStore
from switchboard.aws.dynamodb.client import ConversationsTable
from switchboard.aws.dynamodb.items import record_to_item, summary_to_item, to_wire
from switchboard.aws.dynamodb.turn_store import TurnStore
from switchboard.conversation import Summary
from switchboard.memory import Memory
from tests.builders import NOON, sid
from tests.dynamodb import RECORD, create_table

MANY, FEW = 500, 5  # turns
CALLS = 100
LONG, SHORT = sid("CH", MANY), sid("CH", FEW)
SINCE_SUMMARY = (Memory().kept_items + Memory().due_items) // 2  # turns, in the middle between two summaries
LAST_IN_SUMMARY = 2 * (MANY - SINCE_SUMMARY - 1)  # an index: each turn has a message and a reply


def measure() -> tuple[float, float]:
    """Return the medians of interleaved calls, in seconds."""
    aws = LocalAws(host="127.0.0.1", reachable="127.0.0.1")
    try:
        aws.wait_until_ready()
        client = aws.client("dynamodb")
        create_table(client)
        table = ConversationsTable(client=client, name="Conversations")
        for conversation, turns in ((LONG, MANY), (SHORT, FEW)):
            _fill(table, conversation, turns)
        store = TurnStore(table=table, budgets=BudgetStore(table=table, customer_key=b"key"))
        calls = [partial(_read, store, LONG, since=LAST_IN_SUMMARY), partial(_read, store, SHORT, since=0)]
        times = [[call() for call in calls] for _ in range(CALLS)]
    finally:
        aws.close()
    ours, reference = (statistics.median(each) for each in zip(*times, strict=True))
    return ours, reference


def _fill(table: ConversationsTable, conversation: str, turns: int) -> None:
    """Write the turns of a conversation, and the summary that a long one has."""
    records = (replace(RECORD, index=2 * number, turn=f"T{number}") for number in range(turns))
    items = [record_to_item(conversation, record) for record in records]
    if turns > FEW:
        summary = Summary(index=LAST_IN_SUMMARY, text="They have a red bike. " * 50, at=NOON)
        items.append(summary_to_item(conversation, summary))
    for batch in batched(items, MAX_BATCH_WRITES):
        puts = [{"PutRequest": {"Item": to_wire(item)}} for item in batch]
        table.client.batch_write_item(RequestItems={table.name: puts})  # type: ignore[dict-item]


def _read(store: TurnStore, conversation: str, *, since: int) -> float:
    started = time.process_time()
    store.history(conversation, since=since)
    return time.process_time() - started

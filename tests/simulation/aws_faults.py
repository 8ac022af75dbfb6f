"""What DynamoDB and SQS answer now and then, as AWS documents it: where to cut a request, and what to answer to it.

Each fault is struck by chance, at the rate of its name, and counted.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

type Body = dict[str, Any]  # of a request or a response
type Refusal = tuple[str, Body]  # the exception's name, and the rest of the answer

RATES: Mapping[str, float] = {
    "throttled": 0.02,
    "key throttled": 0.005,
    "transaction conflict": 0.06,
    "item in a transaction": 0.01,
    "unprocessed keys": 1,  # a sweep asks once for all its new conversations
    "lagging read": 1,  # of an index, which only sweeps read
    "response lost": 0.02,
    "batch cut": 0.1,
}
WRITES = frozenset({"UpdateItem", "TransactWriteItems"})
KEY_IS_HOT_SECONDS = 3  # longer than a client's three tries
BATCHES = frozenset({"SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"})
# The characters that SQS takes: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
ALLOWED = ((0x9, 0xA), (0xD, 0xD), (0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF))


class AwsFaults:
    """Decides on faults. `is_on = False` ends them."""

    def __init__(self, chance: random.Random, *, rates: Mapping[str, float] = RATES) -> None:
        self._chance = chance
        self._rates = rates
        self._hot: dict[str, float] = {}  # keys that are throttled, until when
        self._older: dict[str, Body] = {}  # what was answered to a read last
        self.is_on = True
        self.struck: Counter[str] = Counter()

    def refusal(self, operation: str, request: Body) -> Refusal | None:
        """Return the exception that DynamoDB answers a request with, or None."""
        keys = sorted(_partition_keys(request))
        if self.strikes("throttled"):
            return "ProvisionedThroughputExceededException", {"message": "slow down"}
        if keys and self.strikes("key throttled"):
            self._hot[self._chance.choice(keys)] = time.monotonic() + KEY_IS_HOT_SECONDS
        if self.is_on and any(time.monotonic() < self._hot.get(key, 0) for key in keys):
            return "ThrottlingException", {"message": "this key is hot"}
        if operation == "UpdateItem" and self.strikes("item in a transaction"):
            return "TransactionConflictException", {"message": "a transaction is ongoing for the item"}
        if operation == "TransactWriteItems" and self.strikes("transaction conflict"):
            reasons = [{"Code": "None"} for _ in request["TransactItems"]]
            reasons[self._chance.randrange(len(reasons))] = {"Code": "TransactionConflict"}
            codes = ", ".join(reason["Code"] for reason in reasons)
            return "TransactionCanceledException", {
                "Message": f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
                "CancellationReasons": reasons,
            }
        return None

    def unprocessed(self, operation: str, request: Body) -> Body:
        """Take some of the keys out of a BatchGetItem, never all, and return them as `UnprocessedKeys`."""
        if operation != "BatchGetItem":
            return {}
        ((table, asked),) = request["RequestItems"].items()
        if len(asked["Keys"]) < 2 or not self.strikes("unprocessed keys"):
            return {}
        cut = self._chance.randrange(1, len(asked["Keys"]))
        left = asked["Keys"][cut:]
        request["RequestItems"] = {table: {**asked, "Keys": asked["Keys"][:cut]}}
        return {table: {**asked, "Keys": left}}

    def lagging(self, operation: str, request: Body, answer: Body) -> Body:
        """Return an answer, or, to a read that is not consistent, what was answered to it before."""
        if operation not in {"GetItem", "Query"} or request.get("ConsistentRead"):
            return answer
        read = f"{request.get('IndexName')} {sorted(_partition_keys(request))}"
        older = self._older.get(read, {"Items": [], "Count": 0, "ScannedCount": 0} if operation == "Query" else {})
        self._older[read] = answer
        return older if self.strikes("lagging read") else answer

    def failed(self, operation: str, request: Body) -> list[Body]:
        """Take some of the entries out of a batch for SQS, perhaps all, and return them as its `Failed`."""
        if operation not in BATCHES or not self.strikes("batch cut"):
            return []
        cut = self._chance.randrange(len(request["Entries"]))
        left = request["Entries"][cut:]
        request["Entries"] = request["Entries"][:cut]
        return [
            {"Id": entry["Id"], "SenderFault": False, "Code": "InternalError", "Message": "try again"} for entry in left
        ]

    def strikes(self, what: str, rate: float | None = None) -> bool:
        """Decide by chance, at the fault's rate."""
        struck = self.is_on and self._chance.random() < (self._rates.get(what, 0) if rate is None else rate)
        self.struck[what] += struck
        return struck


def has_refused_characters(text: str) -> bool:
    """Tell whether SQS answers `InvalidMessageContents` to a body."""
    return not all(any(first <= ord(character) <= last for first, last in ALLOWED) for character in text)


def _partition_keys(request: Body) -> Iterator[str]:
    """Yield the partition keys of the items that a request reads or writes; of an index, those of its partition."""
    for batch in request.get("RequestItems", {}).values():
        yield from (key["pk"]["S"] for key in batch["Keys"])
    for change in (each for item in request.get("TransactItems", ()) for each in item.values()):
        yield (change.get("Key") or change["Item"])["pk"]["S"]
    if key := request.get("Key") or request.get("Item"):
        yield key["pk"]["S"]
    if "KeyConditionExpression" in request:
        values = request["ExpressionAttributeValues"]
        yield next(value["S"] for name, value in values.items() if name in {":sid", ":day", ":shard", ":partition"})

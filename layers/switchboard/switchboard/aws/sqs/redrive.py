"""Put dead letters back on their queue, as an operator asks for it; AWS's own redrive does the same."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from switchboard.aws.sqs.queue import MAX_BATCH_ENTRIES

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient  # for development only: boto3 makes its client classes at run time

INVISIBLE_SECONDS = 600  # for what stays: longer than a run takes, so that it is not received twice
WAIT_SECONDS = 2  # long polling asks all of SQS's servers; a short poll may miss the last letters


@dataclass(frozen=True, slots=True, kw_only=True)
class Redriven:
    """How many dead letters were put back, by conversation. `left` are copies of what was put back in the same run."""

    put_back: Mapping[str, int]
    left: int


def redrive(client: "SQSClient", *, dead_letters: str, queue: str, conversation_sid: str = "") -> Redriven:
    """Move the dead letters of one queue's URL to the other's, those of all conversations or of one.

    What comes back at once, such as a record that is not an event, stays: a run puts each back once, and so it ends.
    A run that was interrupted can be repeated: a letter is deleted only when it is on the queue again.
    """
    put_back: Counter[str] = Counter()
    done: set[tuple[str, str]] = set()
    staying: dict[str, str] = {}
    left = 0
    while records := _receive(client, dead_letters, but=staying):
        for record in records:
            group, what = record["Attributes"]["MessageGroupId"], _what_it_is(record["Body"])
            is_wanted = conversation_sid in {"", group}
            if is_wanted and (group, what) not in done:
                _put_back(client, queue, record)
                client.delete_message(QueueUrl=dead_letters, ReceiptHandle=record["ReceiptHandle"])
                done.add((group, what))
                put_back[group] += 1
            else:
                staying[record["MessageId"]] = record["ReceiptHandle"]
                left += is_wanted
    for handle in staying.values():
        client.change_message_visibility(QueueUrl=dead_letters, ReceiptHandle=handle, VisibilityTimeout=0)
    return Redriven(put_back=put_back, left=left)


def _receive(client: "SQSClient", url: str, *, but: Mapping[str, str]) -> list[Any]:
    """Return the next dead letters; none where only those come that stay."""
    received = client.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=MAX_BATCH_ENTRIES,
        MessageSystemAttributeNames=["MessageGroupId"],
        VisibilityTimeout=INVISIBLE_SECONDS,
        WaitTimeSeconds=WAIT_SECONDS,
    )
    return [record for record in received.get("Messages", []) if record["MessageId"] not in but]


def _put_back(client: "SQSClient", url: str, record: Mapping[str, Any]) -> None:
    client.send_message(
        QueueUrl=url,
        MessageBody=_marked(record["Body"]),
        MessageGroupId=record["Attributes"]["MessageGroupId"],
        MessageDeduplicationId=f"redriven-{record['MessageId']}",
    )


def _marked(body: str) -> str:
    """Return a message's body that says `again`, as our own copies do: SQS itself gives records up as they are."""
    values = _message(body)
    return json.dumps({**values, "again": True}) if values else body


def _what_it_is(body: str) -> str:
    """Return the SID of a message, or the whole body where it carries none."""
    return str((_message(body) or {}).get("message_sid", body))


def _message(body: str) -> Mapping[str, Any] | None:
    try:
        values = json.loads(body)
    except (RecursionError, ValueError):
        return None
    return values if isinstance(values, dict) and values.get("type") == "MessageAdded" else None

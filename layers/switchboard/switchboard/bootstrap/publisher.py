"""What tells people of decisions, as the functions that decide build it."""

from switchboard.aws.dynamodb.client import ConversationsTable
from switchboard.aws.dynamodb.notice_store import NoticeStore
from switchboard.aws.eventbridge import EventBus
from switchboard.bootstrap.clients import events_client, now
from switchboard.publisher import Publisher


def publisher(table: ConversationsTable, bus_name: str) -> Publisher:
    """Return the publisher of the notices in a table."""
    return Publisher(notices=NoticeStore(table=table), bus=EventBus(client=events_client(), name=bus_name), clock=now)

"""What tells people and Twilio of decisions, as the functions that decide build it."""

from switchboard.aws.dynamodb.client import ConversationsTable
from switchboard.aws.dynamodb.notice_store import NoticeStore
from switchboard.aws.dynamodb.owner_index import OwnerIndex
from switchboard.aws.eventbridge import EventBus
from switchboard.bootstrap.clients import events_client, now
from switchboard.owner_updates import OwnerUpdates
from switchboard.publisher import Publisher
from switchboard.twilio.rest.conversations import Conversations
from switchboard.twilio.rest.services import Service


def publisher(table: ConversationsTable, bus_name: str) -> Publisher:
    """Return the publisher of the notices in a table."""
    return Publisher(notices=NoticeStore(table=table), bus=EventBus(client=events_client(), name=bus_name), clock=now)


def owner_updates(table: ConversationsTable, service: Service) -> OwnerUpdates:
    """Return what shows at Twilio the changes of owner in a table."""
    return OwnerUpdates(
        changes=NoticeStore(table=table),
        owners=OwnerIndex(table=table),
        attribute=Conversations(service=service),
        clock=now,
    )

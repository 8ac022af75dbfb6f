"""API Gateway → is it Twilio? → what happened? → the queue of those who care. Nothing else: Twilio waits 5 s."""

from collections.abc import Mapping
from typing import Any

from switchboard import bootstrap
from switchboard.errors import Permanent, Rejected, Transient
from switchboard.events import Ignored, MessageAdded, Speaker

OK = {"statusCode": 200, "body": ""}
FORBIDDEN = {"statusCode": 403, "body": "Forbidden"}  # the same for every reason: a stranger learns nothing
TRY_AGAIN = {"statusCode": 500, "body": "Try again"}  # where Twilio's retries are configured, they help


def lambda_handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Put what Twilio tells on a queue, and answer at once."""
    webhook = bootstrap.webhook()
    try:
        happened = webhook.inbound.event_of(event)
        if isinstance(happened, Ignored):
            return webhook.answers(OK, f"ignored_{happened.name}", {})
        by_customer = isinstance(happened, MessageAdded) and happened.speaker is Speaker.CUSTOMER
        queue = webhook.messages if by_customer else webhook.lifecycle
        queue.send(happened)
    except Rejected as error:
        return webhook.answers(FORBIDDEN, "rejected", {"cause": type(error).__name__})
    except (Transient, Permanent) as error:
        return webhook.fails(TRY_AGAIN, error)
    return webhook.answers(OK, "accepted", {"conversation_sid": happened.conversation_sid})

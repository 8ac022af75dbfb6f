"""API Gateway → is it Twilio? → what happened? → the queue of those who care. Nothing else: Twilio waits 5 s."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from switchboard.author import AuthorRole
from switchboard.bootstrap.startup import build, report_failed_start
from switchboard.bootstrap.webhook import WebhookFunction, webhook_function
from switchboard.consent import opts_out
from switchboard.errors import Permanent, Rejected, SwitchboardError, Transient
from switchboard.events import Ignored, MessageAdded

OK = {"statusCode": 200, "body": ""}
FORBIDDEN = {"statusCode": 403, "body": "Forbidden"}  # the same for every cause: a stranger learns nothing
TRY_AGAIN = {"statusCode": 500, "body": "Try again"}  # where Twilio's retries are configured, they help


def start() -> WebhookFunction:
    """Build what the function works with, once a process; raise a `SwitchboardError` that says what to correct."""
    return build(webhook_function, folder=Path(__file__).parent)


def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Put what Twilio tells on a queue, and answer at once."""
    try:
        webhook = start()
    except SwitchboardError as error:
        report_failed_start(error, context)
        return TRY_AGAIN
    with webhook.telemetry.invocation(context):
        try:
            return _take(event, webhook)
        except Rejected as error:
            webhook.telemetry.record_decision(f"rejected_{error.cause}", {"detail": str(error)})
            return FORBIDDEN
        except (Transient, Permanent) as error:
            webhook.telemetry.record_error(error, {})
            return TRY_AGAIN


def _take(event: Mapping[str, Any], webhook: WebhookFunction) -> dict[str, Any]:
    happened = webhook.reader.read(event)
    if isinstance(happened, Ignored):
        webhook.telemetry.record_decision(f"ignored_{happened.name}", _facts(happened))
        return OK
    by_customer = isinstance(happened, MessageAdded) and happened.author_role is AuthorRole.CUSTOMER
    if not by_customer or opts_out(happened):  # an opt-out waits behind no turn that thinks or is tried again
        webhook.lifecycle.send(happened)
    if by_customer:
        webhook.messages.send(happened)
    webhook.telemetry.record_decision("accepted", {"conversation_sid": happened.conversation_sid})
    return OK


def _facts(ignored: Ignored) -> dict[str, str | int]:
    """Return where somebody made a mistake, and which."""
    return {"conversation_sid": ignored.conversation_sid, "detail": ignored.detail} if ignored.detail else {}

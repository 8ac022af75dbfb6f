"""A warm webhook call with a stubbed queue, compared with the one call it always needs: RequestValidator.validate."""

import os
import sys
import timeit
from typing import TYPE_CHECKING, Any, cast

from twilio.request_validator import RequestValidator

from switchboard.author import AuthorRules
from switchboard.aws.secrets import TwilioSecret
from switchboard.aws.sqs.queue import Queue
from switchboard.bootstrap.webhook import WebhookFunction
from switchboard.telemetry import telemetry
from switchboard.twilio.webhook.read import WebhookReader
from tests import functions
from tests.lambda_context import LambdaContext
from tests.signing import ACCOUNT, SERVICE, TOKEN, URL, message_fields, signature_of, signed_event

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

CALLS = 2000
ROUNDS = 7


class _Sqs:
    """Accepts every message."""

    def send_message(self, **_: Any) -> None:  # noqa: ANN401 -- boto3's
        """Accept the request."""


class _Secrets:
    """The secret, in memory."""

    def read(self) -> TwilioSecret:
        return TwilioSecret(
            auth_tokens=(TOKEN,),
            account_sid=ACCOUNT,
            api_key_sid="",
            api_key_secret="",
            service_sid=SERVICE,
            customer_key=b"",
        )

    def refresh(self) -> None:
        return None


def measure() -> tuple[float, float]:
    """Return the best of several rounds, in seconds a call. Logs go to /dev/null."""
    os.environ |= {"POWERTOOLS_SERVICE_NAME": "webhook", "POWERTOOLS_METRICS_NAMESPACE": "Switchboard"}
    fields, event = message_fields(), signed_event(message_fields())
    validator, signature = RequestValidator(TOKEN), signature_of(fields)
    app = functions.load("webhook")
    handler, context = app.lambda_handler, LambdaContext()
    stdout = sys.stdout
    with open(os.devnull, "w") as devnull:  # noqa: PTH123 -- a device, not a path
        sys.stdout = devnull
        built = WebhookFunction(
            reader=WebhookReader(secrets=_Secrets(), public_url=URL, author_rules=AuthorRules()),
            messages=Queue(client=cast("SQSClient", _Sqs()), url=""),
            lifecycle=Queue(client=cast("SQSClient", _Sqs()), url=""),
            telemetry=telemetry(),
        )
        vars(app)["webhook_function"] = lambda: built
        assert handler(event, context)["statusCode"] == 200  # noqa: S101, PLR2004 -- otherwise the figure means nothing
        ours = min(timeit.repeat(lambda: handler(event, context), number=CALLS, repeat=ROUNDS)) / CALLS
        sys.stdout = stdout
    reference = min(timeit.repeat(lambda: validator.validate(URL, fields, signature), number=CALLS, repeat=ROUNDS))
    return ours, reference / CALLS

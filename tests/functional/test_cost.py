"""What a turn without faults costs: its requests to DynamoDB, SQS and Twilio, counted on the wire."""

from collections import Counter

import pytest

from switchboard.disclosure import SENTENCES
from switchboard.languages import Language
from tests.builders import message_added
from tests.functional.agent import deployed_agent, record_of
from tests.lambda_context import LambdaContext

WRITES = {"UpdateItem", "PutItem", "TransactWriteItems", "DeleteItem", "BatchWriteItem"}
READS = {"Query", "GetItem", "BatchGetItem", "TransactGetItems"}


def test_a_turn_without_faults_costs_one_post_and_at_most_four_writes_and_two_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with deployed_agent(monkeypatch, DISCLOSURE_SENTENCE="on") as deployed:
        for number in range(2):  # the first reads the ledger of consent, the second the history
            deployed.to_aws.clear()
            deployed.to_twilio.clear()
            record = record_of(message_added(index=2 * number, body="When are you open on Saturday?"))

            response = deployed.app.lambda_handler({"Records": [record]}, LambdaContext())

            to_aws = Counter(request.operation for request in deployed.to_aws)
            assert response == {"batchItemFailures": []}
            assert deployed.to_twilio == {"POST": 1}
            assert sum(count for operation, count in to_aws.items() if operation in WRITES) <= 4, to_aws
            assert sum(count for operation, count in to_aws.items() if operation in READS) <= 2, to_aws
            assert to_aws["UpdateItem"] >= 3, "nothing was counted"
            assert to_aws.total() <= 6, to_aws
    assert deployed.texts[0].startswith(SENTENCES[Language.ENGLISH])

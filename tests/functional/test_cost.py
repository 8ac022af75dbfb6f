"""What a turn without faults costs: its requests to DynamoDB, SQS and Twilio, counted on the wire."""

import json
from collections import Counter

import pytest

from switchboard.channels.channel import Channel
from switchboard.conversation import TurnRecord
from switchboard.cost import facts_of_cost
from switchboard.disclosure import SENTENCES
from switchboard.languages import Language
from tests.builders import CONVERSATION, message_added
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


def test_a_turn_logs_and_keeps_what_its_reply_cost_by_the_teams_price_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service = "agent-that-costs"  # Powertools' logger of a name keeps the standard output of the test that made it
    with deployed_agent(monkeypatch, POWERTOOLS_SERVICE_NAME=service) as deployed:
        message = message_added(body="When are you open on Saturday?")

        deployed.app.lambda_handler({"Records": [record_of(message)]}, LambdaContext())

        cost = deployed.function.settings.prices.cost(Channel.SMS, message.author, deployed.texts)
        (record,) = deployed.function.ports.conversations.history(CONVERSATION).items
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (answered,) = [line for line in lines if line.get("message") == "answered"]
    assert cost.segments > 0
    assert facts_of_cost(cost).items() <= answered.items()
    assert isinstance(record, TurnRecord)
    assert record.cost == cost

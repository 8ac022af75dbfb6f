"""The local event bus: the buses and rules that template.yaml declares, and queues in which notices can be read.

On AWS, an operator's SNS topic sends notices on, by mail for example. Here a topic sends them to a queue, and to one
of the page.
"""

import json
from typing import Any

from local.aws.ministack import ACCOUNT_ID, REGION, LocalAws, Names
from local.aws.template import PSEUDO_PARAMETERS, Template

BUS = "AWS::Events::EventBus"
RULE = "AWS::Events::Rule"
NOTICES = f"{PSEUDO_PARAMETERS['AWS::StackName']}-notices"  # the topic, and the queue that it sends to
NOTICES_OF_PAGE = f"{NOTICES}-page"  # a queue with the same, which the page reads
NOTICE_TOPIC_ARN = f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:{NOTICES}"


def create_event_buses(aws: LocalAws, template: Template, names: Names) -> None:
    """Create the template's buses and rules, and the topic and the queues that stand in for an operator's."""
    sns, sqs, events = (aws.client(service) for service in ("sns", "sqs", "events"))
    sns.create_topic(Name=NOTICES)
    for name in (NOTICES, NOTICES_OF_PAGE):
        sqs.create_queue(QueueName=name)
        queue = f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{name}"
        raw = {"RawMessageDelivery": "true"}
        sns.subscribe(TopicArn=NOTICE_TOPIC_ARN, Protocol="sqs", Endpoint=queue, Attributes=raw)
    for logical_id, _ in template.of_type(BUS, names):
        events.create_event_bus(Name=names(logical_id, "Ref"))
    for logical_id, properties in template.of_type(RULE, names):
        _create_rule(events, names(logical_id, "Ref"), properties)


def _create_rule(events: Any, name: str, properties: dict[str, Any]) -> None:  # noqa: ANN401 -- see LocalAws.client
    bus = properties["EventBusName"]
    events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(properties["EventPattern"]))
    events.put_targets(Rule=name, EventBusName=bus, Targets=properties["Targets"])

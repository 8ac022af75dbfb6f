"""template.yaml keeps what the design promises: queues, timeouts, permissions."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from local.aws.ministack import Names
from local.aws.template import Template
from local.aws.template_functions import read_functions
from switchboard.aws.sqs.batch_plan import MIN_TURN
from switchboard.turn.gather import FULL_BATCH
from switchboard.turn.timing import MIN_LEASE_FOR_UPLOAD
from tests.architecture.conftest import TEMPLATE

type Document = Mapping[str, Any]
type OfType = Callable[[str], Mapping[str, Document]]

FUNCTION = "AWS::Serverless::Function"
QUEUE = "AWS::SQS::Queue"
FOURTEEN_DAYS = 14 * 24 * 60 * 60

QUEUES = {"MessagesQueue": "AgentFunction", "LifecycleQueue": "LifecycleFunction"}
DEAD_LETTER_QUEUES = {"MessagesQueue": "MessagesDeadLetterQueue", "LifecycleQueue": "LifecycleDeadLetterQueue"}

SECRET = {"secretsmanager:GetSecretValue": "TwilioSecretArn"}
POLLER = (
    "sqs:ChangeMessageVisibility",
    "sqs:ChangeMessageVisibilityBatch",
    "sqs:DeleteMessage",
    "sqs:DeleteMessageBatch",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
)
TABLE = (
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
)
PERMISSIONS = {
    "WebhookFunction": [SECRET, {"sqs:SendMessage*": "MessagesQueue"}, {"sqs:SendMessage*": "LifecycleQueue"}],
    "AgentFunction": [
        SECRET,
        dict.fromkeys(POLLER, "MessagesQueue"),
        {"sqs:SendMessage*": "MessagesDeadLetterQueue"},
        dict.fromkeys(TABLE, "ConversationsTable"),
        {"events:PutEvents": "EventBus"},
        {"secretsmanager:GetSecretValue": "ModelSecretArn"},
        {"bedrock:InvokeModel": "AssistantFallbackModel AssistantModel"},
        {"bedrock:InvokeModel": "AssistantFallbackModel AssistantModel"},
    ],
    "LifecycleFunction": [
        SECRET,
        dict.fromkeys(POLLER, "LifecycleQueue"),
        {"sqs:SendMessage*": "MessagesQueue"},
        {"sqs:SendMessage*": "LifecycleDeadLetterQueue"},
        dict.fromkeys(TABLE, "ConversationsTable"),
        {"events:PutEvents": "EventBus"},
    ],
    "SweeperFunction": [
        SECRET,
        {"sqs:SendMessage*": "MessagesQueue"},
        {"sqs:SendMessage*": "LifecycleQueue"},
        dict.fromkeys(
            ("dynamodb:BatchGetItem", *TABLE),
            "ConversationsTable",
        ),
        {"dynamodb:Query": "ConversationsTable"},
        {"events:PutEvents": "EventBus"},
    ],
}


def test_every_parameter_is_described_and_stands_in_one_group(template: Document) -> None:
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]

    grouped = [name for group in groups for name in group["Parameters"]]

    assert sorted(grouped) == sorted(template["Parameters"])
    assert [name for name, each in template["Parameters"].items() if not each.get("Description")] == []


def test_only_the_secret_has_to_be_given_for_a_deployment(template: Document) -> None:
    required = [name for name, each in template["Parameters"].items() if "Default" not in each]

    assert required == ["TwilioSecretArn"]


@pytest.mark.parametrize("queue", [*DEAD_LETTER_QUEUES, *DEAD_LETTER_QUEUES.values()])
def test_every_queue_is_fifo_in_high_throughput_mode_encrypted_and_keeps_for_14_days(
    of_type: OfType, queue: str
) -> None:
    properties = of_type(QUEUE)[queue]

    assert properties["FifoQueue"] is True
    assert properties["DeduplicationScope"] == "messageGroup"
    assert properties["FifoThroughputLimit"] == "perMessageGroupId"
    assert properties["SqsManagedSseEnabled"] is True
    assert properties["MessageRetentionPeriod"] == FOURTEEN_DAYS


def test_there_is_no_queue_that_the_tests_do_not_know(of_type: OfType) -> None:
    assert of_type(QUEUE).keys() == {*DEAD_LETTER_QUEUES, *DEAD_LETTER_QUEUES.values(), "NoticesDeadLetterQueue"}


def test_without_a_topic_notices_reach_the_bus_alone(template: Document) -> None:
    conditional = {name for name, each in template["Resources"].items() if each.get("Condition") == "HasNoticeTopic"}

    assert conditional == {
        "NoticesRule",
        "NoticesDeadLetterQueue",
        "NoticesDeadLetterQueuePolicy",
        "NoticesDeadLetterAlarm",
    }


def test_what_the_topic_does_not_take_is_kept_and_alarmed(of_type: OfType) -> None:
    (target,) = of_type("AWS::Events::Rule")["NoticesRule"]["Targets"]
    alarm = of_type("AWS::CloudWatch::Alarm")["NoticesDeadLetterAlarm"]
    (statement,) = of_type("AWS::SQS::QueuePolicy")["NoticesDeadLetterQueuePolicy"]["PolicyDocument"]["Statement"]

    assert target["Arn"] == {"Ref": "NoticeTopicArn"}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["NoticesDeadLetterQueue", "Arn"]}}
    assert alarm["Dimensions"][0]["Value"] == {"Fn::GetAtt": ["NoticesDeadLetterQueue", "QueueName"]}
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["NoticesRule", "Arn"]}}}


@pytest.mark.parametrize(("queue", "dead_letter_queue"), DEAD_LETTER_QUEUES.items())
def test_what_cannot_be_worked_on_goes_to_the_queues_own_dead_letter_queue(
    of_type: OfType, queue: str, dead_letter_queue: str
) -> None:
    redrive = of_type(QUEUE)[queue]["RedrivePolicy"]

    assert redrive == {"deadLetterTargetArn": {"Fn::GetAtt": [dead_letter_queue, "Arn"]}, "maxReceiveCount": 1000}


def test_a_lifecycle_event_stays_invisible_for_twice_its_functions_timeout(of_type: OfType) -> None:
    timeout = of_type(FUNCTION)["LifecycleFunction"]["Timeout"]

    assert of_type(QUEUE)["LifecycleQueue"]["VisibilityTimeout"] == 2 * timeout


def agent_timeouts(template: Document) -> list[int]:
    return [*template["Parameters"]["AgentTimeout"]["AllowedValues"]]


def test_a_message_stays_invisible_for_twice_the_agents_timeout_whichever_it_is(
    template: Document, of_type: OfType
) -> None:
    seconds = {key: each["Seconds"] for key, each in template["Mappings"]["VisibilityTimeouts"].items()}

    assert of_type(FUNCTION)["AgentFunction"]["Timeout"] == {"Ref": "AgentTimeout"}
    assert of_type(QUEUE)["MessagesQueue"]["VisibilityTimeout"] == {
        "Fn::FindInMap": ["VisibilityTimeouts", {"Ref": "AgentTimeout"}, "Seconds"]
    }
    assert seconds == {str(timeout): 2 * timeout for timeout in agent_timeouts(template)}


@pytest.mark.parametrize("timeout", [25, 120])
def test_the_local_stack_gives_the_function_and_the_queue_the_agents_timeout(timeout: int) -> None:
    read = Template.read(TEMPLATE, parameters={"AgentTimeout": str(timeout)})
    names = Names(template=read, endpoint="http://127.0.0.1:4566")
    functions = {each.logical_id: each for each in read_functions(read, names, root=TEMPLATE.parent, environment={})}

    assert functions["AgentFunction"].spec.timeout_seconds == timeout
    assert dict(read.of_type(QUEUE, names))["MessagesQueue"]["VisibilityTimeout"] == 2 * timeout


def test_every_timeout_of_the_agent_leaves_time_to_think_and_to_send(template: Document) -> None:
    shortest = timedelta(seconds=min(agent_timeouts(template)))

    assert shortest >= MIN_TURN


def test_no_message_is_alarmed_for_its_age_because_one_worker_crashed(template: Document, of_type: OfType) -> None:
    alarm = of_type("AWS::CloudWatch::Alarm")["MessagesAgeAlarm"]

    assert alarm["Threshold"] > 2 * max(agent_timeouts(template))


def test_a_file_can_be_sent_with_the_timeouts_that_say_so(template: Document) -> None:
    sends_files = [each for each in agent_timeouts(template) if timedelta(seconds=each) > MIN_LEASE_FOR_UPLOAD]

    assert "at least 45" in template["Parameters"]["AgentTimeout"]["Description"]
    assert min(sends_files) == 45


@pytest.mark.parametrize(("queue", "function"), QUEUES.items())
def test_a_mapping_takes_ten_records_and_returns_the_failed_ones_alone(
    template: Document, of_type: OfType, queue: str, function: str
) -> None:
    (mapping,) = of_type(FUNCTION)[function]["Events"].values()
    properties = mapping["Properties"]
    most_at_once = template["Parameters"][properties["ScalingConfig"]["MaximumConcurrency"]["Ref"]]

    assert properties["Queue"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert properties["BatchSize"] == FULL_BATCH
    assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "MaximumBatchingWindowInSeconds" not in properties  # FIFO has none
    assert most_at_once["MinValue"] == 2


def test_the_api_has_one_exact_route_with_throttling_and_access_logs(template: Document, of_type: OfType) -> None:
    (api,) = of_type("AWS::Serverless::HttpApi").values()
    events = [event for function in of_type(FUNCTION).values() for event in function["Events"].values()]
    routes = [event["Properties"] for event in events if event["Type"] == "HttpApi"]

    assert routes == [{"ApiId": {"Ref": "HttpApi"}, "Method": "POST", "Path": "/webhook"}]
    assert api["DefaultRouteSettings"].keys() == {"ThrottlingBurstLimit", "ThrottlingRateLimit"}
    assert api["AccessLogSettings"]["DestinationArn"]["Fn::GetAtt"][0] in template["Resources"]


def test_the_webhook_function_never_outlasts_twilios_patience(of_type: OfType) -> None:
    assert of_type(FUNCTION)["WebhookFunction"]["Timeout"] <= 5


def test_the_sweeper_has_ended_when_it_comes_again(of_type: OfType) -> None:
    sweeper = of_type(FUNCTION)["SweeperFunction"]
    (schedule,) = sweeper["Events"].values()

    assert schedule["Properties"]["ScheduleExpression"] == "rate(1 minute)"
    assert sweeper["Timeout"] < 60
    assert sweeper["EventInvokeConfig"] == {"MaximumRetryAttempts": 0}


@pytest.mark.parametrize(
    ("metric", "beyond", "minutes"),
    [
        ("oldest_due_check_seconds", ("GreaterThanThreshold", 600), 5),
        ("sweep_incomplete", ("GreaterThanThreshold", 0), 5),
        ("Invocations", ("LessThanThreshold", 1), 5),
    ],
)
def test_a_sweeper_that_fails_or_falls_behind_is_alarmed(
    of_type: OfType, metric: str, beyond: tuple[str, int], minutes: int
) -> None:
    sweepers = ({"Name": "service", "Value": "sweeper"}, {"Name": "FunctionName", "Value": {"Ref": "SweeperFunction"}})
    watched = {
        alarm["MetricName"]: alarm
        for alarm in of_type("AWS::CloudWatch::Alarm").values()
        if any(each in sweepers for each in alarm.get("Dimensions", ()))
    }

    alarm = watched[metric]

    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == beyond
    assert alarm["EvaluationPeriods"] * alarm["Period"] == minutes * 60
    assert "HasAlarmTopic" in str(alarm["AlarmActions"])
    assert (alarm["TreatMissingData"] == "breaching") is (metric != "sweep_incomplete")


def test_every_function_and_every_queue_is_alarmed(of_type: OfType) -> None:
    alarms = of_type("AWS::CloudWatch::Alarm").values()
    watched = [(alarm["MetricName"], *map(str, alarm["Dimensions"][0].values())) for alarm in alarms]

    for function in of_type(FUNCTION):
        assert ("Errors", "FunctionName", str({"Ref": function})) in watched
    for queue in QUEUES:
        age = ("ApproximateAgeOfOldestMessage", "QueueName", str({"Fn::GetAtt": [queue, "QueueName"]}))
        assert age in watched
    assert {service for metric, _, service in watched if metric == "failed"} == {"webhook", "agent", "lifecycle"}


def test_functions_and_layer_are_built_for_the_same_processor(template: Document) -> None:
    layer = template["Resources"]["SwitchboardLayer"]
    chosen = {"Ref": "Architecture"}

    assert template["Parameters"]["Architecture"]["Default"] == "arm64"
    assert template["Globals"]["Function"]["Architectures"] == [chosen]
    assert layer["Metadata"]["BuildArchitecture"] == chosen
    assert layer["Properties"]["CompatibleArchitectures"] == [chosen]


def test_every_log_is_kept_for_as_long_as_the_operator_says(of_type: OfType) -> None:
    logs = of_type("AWS::Logs::LogGroup")
    written = {function["LoggingConfig"]["LogGroup"]["Ref"] for function in of_type(FUNCTION).values()}

    assert written < logs.keys()
    assert len(written) == len(of_type(FUNCTION))
    assert all(log == {"RetentionInDays": {"Ref": "LogRetentionDays"}} for log in logs.values())


def test_every_parameter_is_described_and_used(template: Document) -> None:
    parameters = template["Parameters"]
    used = set(_referred(template["Resources"])) | set(_referred(template["Globals"]))

    assert all(parameter["Description"] for parameter in parameters.values())
    assert parameters.keys() <= used


def test_the_table_outlives_the_stack_and_can_be_set_back(template: Document) -> None:
    table = template["Resources"]["ConversationsTable"]

    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["Properties"]["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}


def test_every_function_has_its_permissions_in_the_table_above(of_type: OfType) -> None:
    assert of_type(FUNCTION).keys() == PERMISSIONS.keys()


@pytest.mark.parametrize("function", PERMISSIONS)
def test_a_function_may_do_what_it_does_to_what_it_uses_and_nothing_else(
    cloudformation: Document, function: str
) -> None:
    statements = _statements(cloudformation, function)

    granted = [dict.fromkeys(_actions(each), " ".join(sorted(_subjects(each)))) for each in statements]

    assert sorted(map(repr, granted)) == sorted(map(repr, PERMISSIONS[function]))
    assert all(each["Effect"] == "Allow" and each["Resource"] != "*" for each in statements)


def test_a_model_may_be_invoked_in_other_regions_through_its_inference_profile_alone(cloudformation: Document) -> None:
    statements = _statements(cloudformation, "AgentFunction")

    anywhere = [each for each in statements if "foundation-model/*" in str(each["Resource"])]

    assert [each["Condition"].keys() for each in anywhere] == [{"StringLike"}]
    assert anywhere[0]["Condition"]["StringLike"].keys() == {"bedrock:InferenceProfileArn"}


def test_the_secret_of_the_models_may_be_read_only_where_there_is_one(cloudformation: Document) -> None:
    policies = cloudformation["AgentFunctionRole"]["Properties"]["Policies"]

    conditional = [policy["Fn::If"] for policy in policies if "Fn::If" in policy]

    assert [(condition, otherwise) for condition, _, otherwise in conditional] == [
        ("HasModelSecret", {"Ref": "AWS::NoValue"})
    ]
    assert "ModelSecretArn" in str(conditional)


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("bedrock:global.anthropic.claude-haiku-5-5", "global.anthropic.claude-haiku-5-5"),
        ("bedrock:us.amazon.nova-lite-v1:0", "us.amazon.nova-lite-v1:0"),
        ("openai:gpt-x", "none"),
        ("openai-chat:bedrock:x", "none"),
        ("offline", "none"),
        ("", "none"),
    ],
)
@pytest.mark.parametrize("parameter", ["AssistantModel", "AssistantFallbackModel"])
def test_the_role_names_a_model_on_bedrock_and_no_other(
    template: Document, parameter: str, setting: str, named: str
) -> None:
    policies = template["Resources"]["AgentFunction"]["Properties"]["Policies"]
    model = {"Fn::Select": [1, {"Fn::Split": ["|bedrock:", {"Fn::Sub": f"|${{{parameter}}}|bedrock:none"}]}]}

    assert str(policies).count(str(model)) == 3
    assert f"|{setting}|bedrock:none".split("|bedrock:")[1] == named


def _statements(cloudformation: Document, function: str) -> list[Document]:
    """Return what a function's role allows, where every condition holds."""
    policies = cloudformation[f"{function}Role"]["Properties"]["Policies"]
    chosen = [policy["Fn::If"][1] if "Fn::If" in policy else policy for policy in policies]
    return [each for policy in chosen for each in policy["PolicyDocument"]["Statement"]]


def _actions(statement: Document) -> tuple[str, ...]:
    actions = statement["Action"]
    return (actions,) if isinstance(actions, str) else tuple(sorted(actions))


def _subjects(statement: Document) -> set[str]:
    """Return the resources and parameters that a statement names."""
    named = _referred([statement["Resource"], statement.get("Condition")])
    return {name for name in named if not name.startswith("AWS::")}


def _only[T](values: set[T]) -> T:
    (value,) = values
    return value


def _referred(value: object) -> Iterable[str]:
    """Yield every name that a value refers to by Ref, GetAtt or Sub."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), _]} | {"Fn::GetAtt": str(name)}:
            yield name.partition(".")[0]
        case {"Fn::Sub": [str(text), dict(names)]}:
            yield from (name for name in _substituted(text) if name not in names)
            yield from _referred(names)
        case {"Fn::Sub": str(text)}:
            yield from _substituted(text)
        case dict():
            yield from (name for item in value.values() for name in _referred(item))
        case list():
            yield from (name for item in value for name in _referred(item))


def _substituted(text: str) -> Iterable[str]:
    return (piece.partition("}")[0].partition(".")[0] for piece in text.split("${")[1:])

"""The local AWS has the queues and tables that the template declares."""

from pathlib import Path
from typing import Any

import pytest

from local.aws.ministack import LocalAws, Names
from local.aws.template import Template, UnsupportedTemplate

TEMPLATE = """
Parameters:
  Attempts: {Type: Number, Default: 10}
  Size: {Type: String, Default: small, AllowedValues: [small, large]}
  PublicUrl: {Type: String, Default: ""}
Mappings:
  Memory: {small: {Megabytes: 128}, large: {Megabytes: 1024}}
Conditions:
  HasPublicUrl: !Not [!Equals [!Ref PublicUrl, ""]]
Globals:
  Function:
    Timeout: 5
    Environment:
      Variables:
        TABLE: !Ref Things
        URL: !If [HasPublicUrl, !Ref PublicUrl, nowhere]
Resources:
  Jobs:
    Type: AWS::SQS::Queue
    Properties:
      FifoQueue: true
      VisibilityTimeout: 120
      RedrivePolicy: {deadLetterTargetArn: !GetAtt DeadJobs.Arn, maxReceiveCount: !Ref Attempts}
  DeadJobs:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Sub "${AWS::StackName}-dead.fifo", FifoQueue: true}
  Never:
    Type: AWS::SQS::Queue
    Condition: HasPublicUrl
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      MemorySize: !FindInMap [Memory, !Ref Size, Megabytes]
      Policies: [{QueueName: !Select [0, [a, b]]}]
      Environment:
        Variables:
          JOBS: !Ref Jobs
          ARN: !GetAtt Jobs.Arn
          NAME: !GetAtt Jobs.QueueName
          JOINED: !Join ["-", [a, !Ref "AWS::Region"]]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return path


def read(path: Path, *, endpoint: str = "http://127.0.0.1:4566", **parameters: str) -> tuple[Template, Names]:
    template = Template.read(path, parameters=parameters)
    return template, Names(template=template, endpoint=endpoint)


def worker(template: Template, names: Names) -> dict[str, Any]:
    ((_, properties),) = template.functions(names)
    return properties


def test_queues_and_tables_are_created_as_the_template_says(aws: LocalAws, path: Path) -> None:
    template, names = read(path, endpoint=aws.endpoint)

    aws.create(template, names)

    sqs, dynamodb = aws.client("sqs"), aws.client("dynamodb")
    jobs = sqs.get_queue_attributes(QueueUrl=names("Jobs", "Ref"), AttributeNames=["All"])["Attributes"]
    assert jobs["QueueArn"] == names("Jobs", "Arn")
    assert jobs["VisibilityTimeout"] == "120"
    assert names("DeadJobs", "Arn") in jobs["RedrivePolicy"]
    assert '"10"' in jobs["RedrivePolicy"]
    assert sqs.list_queues(QueueNamePrefix="switchboard-local-Never").get("QueueUrls", []) == []
    assert dynamodb.describe_table(TableName=names("Things", "Ref"))["Table"]["KeySchema"][0]["AttributeName"] == "pk"
    ttl = dynamodb.describe_time_to_live(TableName=names("Things", "Ref"))["TimeToLiveDescription"]
    assert ttl["AttributeName"] == "ttl"


def test_a_functions_variables_are_the_templates_with_globals_and_intrinsics_resolved(path: Path) -> None:
    template, names = read(path)

    properties = worker(template, names)

    assert properties["Timeout"] == 5
    assert properties["Environment"]["Variables"] == {
        "TABLE": "switchboard-local-Things",
        "URL": "nowhere",
        "JOBS": "http://127.0.0.1:4566/000000000000/switchboard-local-Jobs.fifo",
        "ARN": "arn:aws:sqs:us-east-1:000000000000:switchboard-local-Jobs.fifo",
        "NAME": "switchboard-local-Jobs.fifo",
        "JOINED": "a-us-east-1",
    }


def test_parameters_replace_the_templates_defaults(path: Path) -> None:
    template, names = read(path, PublicUrl="https://example.com/webhook")

    variables = worker(template, names)["Environment"]["Variables"]

    assert variables["URL"] == "https://example.com/webhook"


@pytest.mark.parametrize(("size", "megabytes"), [("small", 128), ("large", 1024)])
def test_a_mapping_gives_the_value_of_a_parameter(path: Path, size: str, megabytes: int) -> None:
    template, names = read(path, Size=size)

    assert worker(template, names)["MemorySize"] == megabytes


def test_a_value_that_the_template_does_not_allow_is_an_error_that_names_those_it_does(path: Path) -> None:
    with pytest.raises(UnsupportedTemplate, match=r"Size is huge, and template\.yaml allows small, large"):
        read(path, Size="huge")


def test_a_mapping_without_the_value_is_an_error_that_names_it(path: Path) -> None:
    path.write_text(TEMPLATE.replace("Megabytes]", "Gigabytes]"))
    template, names = read(path)

    with pytest.raises(UnsupportedTemplate, match="mapping Memory has no Gigabytes of small"):
        worker(template, names)


def test_a_parameter_the_template_does_not_declare_is_an_error_that_names_it(path: Path) -> None:
    with pytest.raises(UnsupportedTemplate, match="PublicURL"):
        read(path, PublicURL="https://example.com/webhook")


def test_an_intrinsic_function_that_is_not_supported_is_an_error_that_names_it(path: Path) -> None:
    path.write_text(TEMPLATE + "          WORDS: !Split [',', 'a,b']\n")
    template, names = read(path)

    with pytest.raises(UnsupportedTemplate, match="Fn::Split"):
        worker(template, names)


def test_a_reference_to_nothing_is_an_error_that_names_it(path: Path) -> None:
    path.write_text(TEMPLATE + "          GONE: !Ref Nothing\n")
    template, names = read(path)

    with pytest.raises(UnsupportedTemplate, match="Nothing"):
        worker(template, names)

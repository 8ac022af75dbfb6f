"""The local AWS: ministack in a child process, with the queues and tables that template.yaml declares."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import batched
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.session import Session

from local.aws.template import PSEUDO_PARAMETERS, Template, UnsupportedTemplate

SERVER = Path(__file__).with_name("ministack_server.py")
MAX_START_SECONDS = 30
ACCOUNT_ID = str(PSEUDO_PARAMETERS["AWS::AccountId"])
REGION = str(PSEUDO_PARAMETERS["AWS::Region"])
OUR_ACCESS_KEY_ID = "local-stack"  # not the functions': what throttles them on purpose leaves us alone
CREDENTIALS: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}

QUEUE = "AWS::SQS::Queue"
TABLE = "AWS::DynamoDB::Table"
MAX_BATCH_WRITES = 25  # of one BatchWriteItem
MAX_CONNECTIONS = 50  # of a client, which many threads share

_SESSION = Session({"profile": (None, None, None, None), "config_file": (None, None, os.devnull, None)})
_MAKING_A_CLIENT = threading.Lock()  # a session is not for several threads at once, its clients are

type Item = Mapping[str, Mapping[str, Any]]  # in DynamoDB's typed form


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttling:
    """How long the tables still refuse the functions' requests, and how many they have refused."""

    seconds_left: float
    struck: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names, URLs and ARNs of the template's resources, known before the resources exist.

    So the functions can start while ministack does.
    """

    template: Template
    endpoint: str

    def __call__(self, logical_id: str, attribute: str) -> str:
        """Return the value of `!Ref` (attribute `Ref`) or `!GetAtt`; made up for most other resources."""
        resource = self.template.resources.get(logical_id)
        if resource is None:
            raise UnsupportedTemplate(
                f"the template refers to {logical_id}, which is neither a parameter nor a resource"
            )
        properties = resource.get("Properties", {})
        match resource["Type"], attribute:
            case "AWS::SQS::Queue", "Ref" | "QueueUrl":
                return f"{self.endpoint}/{ACCOUNT_ID}/{self.queue_name(logical_id)}"
            case "AWS::SQS::Queue", "QueueName":
                return self.queue_name(logical_id)
            case "AWS::SQS::Queue", "Arn":
                return f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{self.queue_name(logical_id)}"
            case "AWS::Events::EventBus", "Ref":
                return str(self.template.resolve(properties["Name"], self))
            case "AWS::DynamoDB::Table", "Arn":
                return f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{self(logical_id, 'Ref')}"
            case "AWS::DynamoDB::Table", "Ref" if "TableName" in properties:
                return str(self.template.resolve(properties["TableName"], self))
            case _, "Ref":
                return self._generated_name(logical_id)
            case _:
                return f"arn:aws:local:{REGION}:{ACCOUNT_ID}:{self._generated_name(logical_id)}"

    @property
    def tables(self) -> list[str]:
        """The logical ids of the template's tables."""
        return [logical_id for logical_id, _ in self.template.of_type(TABLE, self)]

    def queue_name(self, logical_id: str) -> str:
        """Return the queue's name: `QueueName`, or one in the form that CloudFormation generates."""
        properties = self.template.resources[logical_id].get("Properties", {})
        if "QueueName" in properties:
            return str(self.template.resolve(properties["QueueName"], self))
        return self._generated_name(logical_id) + (".fifo" if properties.get("FifoQueue") else "")

    def _generated_name(self, logical_id: str) -> str:
        return f"{PSEUDO_PARAMETERS['AWS::StackName']}-{logical_id}"


def local_client(service: str, *, endpoint: str) -> Any:  # noqa: ANN401 -- botocore makes its client classes at run time
    """Return a client of a local AWS, for any threads. It reads no profile of this machine and never retries."""
    with _MAKING_A_CLIENT:
        return _SESSION.create_client(
            service,
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id=OUR_ACCESS_KEY_ID,
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(
                retries={"total_max_attempts": 1},
                connect_timeout=2,
                read_timeout=30,
                proxies={},
                max_pool_connections=MAX_CONNECTIONS,
            ),
        )


class LocalAws:
    """ministack on a free port of `host`, started when this is made; clients find it at the address `reachable`."""

    def __init__(self, *, host: str, reachable: str) -> None:
        with socket.create_server((host, 0)) as listening:
            port = listening.getsockname()[1]
            self.endpoint = f"http://{reachable}:{port}"
            self._clients: dict[str, Any] = {}
            self._process = subprocess.Popen(  # noqa: S603 -- our own script
                [sys.executable, "-P", str(SERVER), str(listening.fileno()), CREDENTIALS["AWS_ACCESS_KEY_ID"]],
                pass_fds=[listening.fileno()],
                env=_server_environment(reachable=reachable, port=port),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the parent, which then ends its children
            )

    def client(self, service: str) -> Any:  # noqa: ANN401 -- botocore makes its client classes at run time
        """Return the client of this AWS for a service: making one takes longer than most calls."""
        if service not in self._clients:
            self._clients[service] = local_client(service, endpoint=self.endpoint)
        return self._clients[service]

    def wait_until_ready(self) -> None:
        """Return once ministack responds."""
        # Its socket listens from the start: the request waits there until ministack accepts it, or ends.
        server = HTTPConnection(urlsplit(self.endpoint).netloc, timeout=MAX_START_SECONDS)
        try:
            server.request("GET", "/_ministack/health")
            server.getresponse().read()
        except (OSError, HTTPException):
            raise RuntimeError("ministack, the local AWS, did not start") from None
        finally:
            server.close()

    def create(self, template: Template, names: Names) -> None:
        """Create the template's queues and tables, dead-letter queues before the queues that refer to them."""
        sqs, dynamodb = self.client("sqs"), self.client("dynamodb")
        queues = dict(template.of_type(QUEUE, names))
        for logical_id, properties in sorted(queues.items(), key=lambda item: "RedrivePolicy" in item[1]):
            sqs.create_queue(QueueName=names.queue_name(logical_id), Attributes=_queue_attributes(properties))
        for logical_id, properties in template.of_type(TABLE, names):
            _create_table(dynamodb, names(logical_id, "Ref"), properties)

    def items(self, names: Names) -> dict[str, list[Item]]:
        """Return all items of all tables, by the table's logical id."""
        pages = self.client("dynamodb").get_paginator("scan")
        return {
            logical_id: [
                item
                for page in pages.paginate(TableName=names(logical_id, "Ref"), ConsistentRead=True)
                for item in page["Items"]
            ]
            for logical_id in names.tables
        }

    def put_items(self, tables: Mapping[str, Sequence[Item]], names: Names) -> None:
        """Write items, given by the table's logical id."""
        dynamodb = self.client("dynamodb")
        for logical_id, items in tables.items():
            for batch in batched(items, MAX_BATCH_WRITES):
                puts = [{"PutRequest": {"Item": item}} for item in batch]
                dynamodb.batch_write_item(RequestItems={names(logical_id, "Ref"): puts})

    def put_secret(self, secret_id: str, value: Mapping[str, object]) -> None:
        """Write a secret, as JSON."""
        self.client("secretsmanager").create_secret(Name=secret_id, SecretString=json.dumps(value))

    def throttle_tables(self, seconds: float) -> Throttling:
        """Have DynamoDB refuse the functions' requests for so long; 0 ends it."""
        return self._throttle("POST", json.dumps({"seconds": seconds}))

    def throttling(self) -> Throttling:
        """Return how it stands with that."""
        return self._throttle("GET", None)

    def _throttle(self, method: str, body: str | None) -> Throttling:
        server = HTTPConnection(urlsplit(self.endpoint).netloc, timeout=MAX_START_SECONDS)
        try:
            server.request(method, "/_local/throttle", body)
            return Throttling(**json.loads(server.getresponse().read()))
        finally:
            server.close()

    def close(self) -> None:
        """End ministack with SIGKILL; its queues and tables are gone."""
        for client in self._clients.values():
            client.close()
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()


def _server_environment(*, reachable: str, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "TMPDIR", "LANG"}}
    return kept | {
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": reachable,  # stands in the queue URLs it returns
        "MINISTACK_REGION": REGION,
        "SERVICES": "sqs,dynamodb,secretsmanager,events,sns",
        "IOT_MTLS_ENABLED": "0",  # otherwise it listens on a port of its own
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "ERROR",
    }


def _queue_attributes(properties: Mapping[str, Any]) -> dict[str, str]:
    """Return SQS's attributes: CloudFormation's properties under the same names, each value as a string."""
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in properties.items()
        if name not in {"QueueName", "Tags"}
    }


def _create_table(client: Any, name: str, properties: Mapping[str, Any]) -> None:  # noqa: ANN401 -- see LocalAws.client
    taken = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes", "LocalSecondaryIndexes")
    client.create_table(TableName=name, **{key: properties[key] for key in taken if key in properties})
    if "TimeToLiveSpecification" in properties:
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"])

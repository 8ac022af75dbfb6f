"""The functions that the template declares: how each is started, and what invokes it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.aws.event_source_mapping import MappingSpec
from local.aws.execution_environment import FunctionSpec
from local.aws.http_api import RouteSpec
from local.aws.ministack import ACCOUNT_ID, CREDENTIALS, REGION, Names
from local.aws.scheduler import ScheduleSpec
from local.aws.template import Template

LAYER = "AWS::Serverless::LayerVersion"
QUEUE = "AWS::SQS::Queue"

# The local stack sets these. Every other variable that the template declares can be set in the caller's environment.
SET_BY_STACK = re.compile(
    r"AWS_ENDPOINT_URL|TWILIO_BASE_URL|TWILIO_SECRET_ID|CONVERSATIONS_TABLE|EVENT_BUS_NAME|\w+_QUEUE_URL"
)
# A model's provider or a tool may need these. As on Lambda, nothing else that the caller has reaches a function,
# except what its own code names. The template declares ASSISTANT_MODEL, for the one function that has a model.
FORWARDED = re.compile(
    r"(?!TWILIO)\w+_API_KEY|(?!ASSISTANT_MODEL$|ASSISTANT_FALLBACK_MODEL$)ASSISTANT_\w+|OPENAI_BASE_URL|ANTHROPIC_BASE_URL|GOOGLE_GEMINI_BASE_URL|AWS_BEARER_TOKEN_BEDROCK|AWS_ENDPOINT_URL_\w+"
    r"|https?_proxy|SSL_CERT_FILE|REQUESTS_CA_BUNDLE|AWS_CA_BUNDLE",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDeclaration:
    """A function with its HTTP routes, event source mappings and schedules.

    `variables` are the environment variables that the template declares; `spec.environment` also has Lambda's own.
    """

    logical_id: str
    variables: Mapping[str, str]
    spec: FunctionSpec
    routes: tuple[RouteSpec, ...]
    mappings: tuple[MappingSpec, ...]
    schedules: tuple[ScheduleSpec, ...]


def read_functions(
    template: Template, names: Names, *, root: Path, environment: Mapping[str, str]
) -> Iterator[FunctionDeclaration]:
    """Yield the template's functions; `environment` is the caller's."""
    layers = tuple(root / properties["ContentUri"] for _, properties in template.of_type(LAYER, names))
    queues = {names(logical_id, "Arn"): names(logical_id, "Ref") for logical_id, _ in template.of_type(QUEUE, names)}
    for logical_id, properties in template.functions(names):
        folder = root / properties["CodeUri"]
        events = [*properties.get("Events", {}).values()]
        declared = {name: str(value) for name, value in properties["Environment"]["Variables"].items()}
        chosen = {
            name: environment[name] for name in declared if name in environment and not SET_BY_STACK.fullmatch(name)
        }
        variables = {**declared, **chosen}
        spec = FunctionSpec(
            name=folder.name,
            handler=properties["Handler"],
            paths=(folder, *layers),
            timeout_seconds=int(properties.get("Timeout", 3)),
            arn=f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{names(logical_id, 'Ref')}",
            environment={
                **_forwarded(environment),
                **_lambda_variables(names(logical_id, "Ref"), properties, folder),
                **variables,
            },
            offered=environment,
        )
        yield FunctionDeclaration(
            logical_id=logical_id,
            variables=variables,
            spec=spec,
            routes=tuple(_route(event["Properties"]) for event in events if event["Type"] == "HttpApi"),
            schedules=tuple(_schedule(event["Properties"]) for event in events if event["Type"] == "ScheduleV2"),
            mappings=tuple(_mapping(event["Properties"], queues) for event in events if event["Type"] == "SQS"),
        )


def _route(properties: Mapping[str, Any]) -> RouteSpec:
    return RouteSpec.of(properties.get("Method", "ANY"), properties.get("Path", "$default"))


def _schedule(properties: Mapping[str, Any]) -> ScheduleSpec:
    return ScheduleSpec.of(properties["ScheduleExpression"], account_id=ACCOUNT_ID, region=REGION)


def _mapping(properties: Mapping[str, Any], queues: Mapping[str, str]) -> MappingSpec:
    return MappingSpec(
        queue_arn=properties["Queue"],
        queue_url=queues[properties["Queue"]],
        region=REGION,
        batch_size=int(properties.get("BatchSize", 10)),
        reports_item_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
    )


def _lambda_variables(name: str, properties: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Return the variables that Lambda sets: docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html."""
    return {
        **CREDENTIALS,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "_HANDLER": properties["Handler"],
        "LAMBDA_TASK_ROOT": str(folder),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{properties['Runtime']}",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(properties.get("MemorySize", 128)),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    }


def _forwarded(environment: Mapping[str, str]) -> dict[str, str]:
    without_proxy = environment.get("NO_PROXY") or environment.get("no_proxy")
    return {
        **{name: value for name, value in environment.items() if FORWARDED.fullmatch(name)},
        "NO_PROXY": ",".join(
            filter(None, [without_proxy, "127.0.0.1", "localhost"])
        ),  # the local stack is never behind a proxy
    }

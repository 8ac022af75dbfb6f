"""template.yaml ↔ settings.py ↔ the code: what is declared is read, what is read is declared."""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from local.aws.ministack import Names
from local.aws.named_variables import named_variables
from local.aws.template import Template
from switchboard import settings
from switchboard.answer_settings import AnswerSettings
from switchboard.errors import Misconfigured
from tests.architecture.conftest import TEMPLATE, Document

ROOT = TEMPLATE.parent
READ_BY_LIBRARIES = {
    "AWS_ENDPOINT_URL",
    "POWERTOOLS_LOG_LEVEL",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_SERVICE_NAME",
}
NEEDED = {"TwilioSecretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:twilio"}

READERS: Mapping[str, Callable[[Mapping[str, str]], Any]] = {
    "WebhookFunction": settings.webhook_settings,
    "AgentFunction": settings.agent_settings,
    "LifecycleFunction": settings.lifecycle_settings,
    "SweeperFunction": settings.sweeper_settings,
}


class Noted(dict[str, str]):
    """An environment that notes what is asked of it."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.asked.add(name)
        return super().get(name, default)


@pytest.fixture(scope="module")
def environments() -> dict[str, dict[str, str]]:
    """What each function finds in its environment after a deployment with the parameters' defaults."""
    template = Template.read(TEMPLATE, parameters=NEEDED)
    names = Names(template=template, endpoint="https://sqs.us-east-1.amazonaws.com")
    return {
        logical_id: {name: str(value) for name, value in properties["Environment"]["Variables"].items()}
        for logical_id, properties in template.functions(names)
    }


def test_every_function_has_settings(environments: Mapping[str, Any]) -> None:
    assert environments.keys() == READERS.keys()


@pytest.mark.parametrize("function", READERS)
def test_a_function_is_given_exactly_the_variables_that_it_reads(
    environments: Mapping[str, Mapping[str, str]], function: str
) -> None:
    environment = Noted(environments[function])
    of_the_team = named_by_the_team(environments[function], function)

    READERS[function](environment)

    assert environment.keys() - of_the_team == (environment.asked | READ_BY_LIBRARIES) - of_the_team


def named_by_the_team(environment: Mapping[str, str], function: str) -> set[str]:
    """Return the variables that a function's own files name: a team's settings, as docs/agent.md says."""
    return {*named_variables(ROOT / "functions" / function.removesuffix("Function").lower(), environment)}


@pytest.mark.parametrize("function", READERS)
def test_a_variable_that_is_missing_is_named_unless_it_may_be_empty(
    environments: Mapping[str, Mapping[str, str]], function: str
) -> None:
    environment = environments[function]

    for name in environment.keys() - READ_BY_LIBRARIES - named_by_the_team(environment, function):
        without = {other: value for other, value in environment.items() if other != name}
        if environment[name]:
            with pytest.raises(Misconfigured, match=name):
                READERS[function](without)
        else:
            assert READERS[function](without) == READERS[function](environment)


def test_only_the_composition_root_and_the_library_look_at_the_environment() -> None:
    readers = {path.relative_to(ROOT).as_posix() for path in _deployed_modules() if _names(path) & ENVIRONMENT}

    bootstrap = {f"bootstrap/{function}.py" for function in ("agent", "lifecycle", "sweeper", "webhook")}
    assert readers == {f"layers/switchboard/switchboard/{module}" for module in (*bootstrap, "provider.py")}


def test_a_web_process_answers_with_the_defaults_of_the_deployment(template: Document) -> None:
    parameters = template["Parameters"]
    ours = {
        "".join(word.capitalize() for word in name.name.split("_")): getattr(AnswerSettings(), name.name)
        for name in fields(AnswerSettings)
    }
    ours.pop("TurnsAtOnce")  # a batch of SQS has ten conversations
    ours.pop("Prices")  # a file beside the assistant
    ours.pop("FilesFolder")  # a folder beside assistant.py
    ours["WaitForDelivery"] = "on" if AnswerSettings().wait_for_delivery else "off"
    ours["SmartEncoding"] = "on" if AnswerSettings().smart_encoding else "off"
    ours["TrialAddresses"] = " ".join(pattern.pattern for pattern in AnswerSettings().trial_addresses)

    assert {name: parameters[name]["Default"] for name in ours} == ours


ENVIRONMENT = {"environ", "environb", "getenv"}


def _deployed_modules() -> Iterator[Path]:
    for folder in ("layers", "functions"):
        yield from (ROOT / folder).rglob("*.py")


def _names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    attributes = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) != "request"  # a WSGI request has an environ too
    }
    return attributes | {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
    }

"""What is loaded when a function starts, and who may know whom. (`make check` holds the layer's import contracts.)"""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.conftest import TEMPLATE

ROOT = TEMPLATE.parent
LAYER = ROOT / "layers" / "switchboard"
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "POWERTOOLS_METRICS_NAMESPACE": "Switchboard",
    "POWERTOOLS_SERVICE_NAME": "test",
    "TWILIO_SECRET_ID": "twilio",
    "SYSTEM_AUTHORS": "system",
    "MESSAGES_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/messages.fifo",
    "LIFECYCLE_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/lifecycle.fifo",
}
# Measured as ratios to `import boto3` and a client: each of these makes a webhook's cold start noticeably longer.
HEAVY = {
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.parser",
    "aws_xray_sdk",
    "httpx",
    "pydantic",
    "pydantic_ai",
    "requests",
    "switchboard.agents",
    "switchboard.budgets",
    "switchboard.ports",
    "switchboard.turn",
    "switchboard.twilio.webhook.any_request",
    "switchboard.twilio.webhook.typed_events",
    "switchboard.webhook_events",
    "twilio.rest",
}
THE_AGENTS_OWN = {"pydantic_ai", "switchboard.agents"}


@pytest.mark.parametrize(
    ("function", "strange"), [("webhook", HEAVY), ("lifecycle", THE_AGENTS_OWN), ("sweeper", THE_AGENTS_OWN)]
)
def test_a_function_loads_nothing_that_only_another_needs(function: str, strange: set[str]) -> None:
    build = "app.webhook_function()" if function == "webhook" else "None"  # the others ask for the secret at once

    loaded = loaded_by(function, f"import app; {build}")

    assert loaded & strange == set()
    assert f"switchboard.bootstrap.{function}" in loaded


def test_a_function_loads_the_reader_of_markdown_only_for_a_reply_that_may_have_marks() -> None:
    channels = "switchboard.channels"
    code = (
        f"import app; from {channels}.channel import Channel; from {channels}.sms import SmsSettings; "
        f"from {channels}.reply import reply_parts; settings = SmsSettings(max_segments=1, smart_encoding=False); "
        "reply_parts({!r}, Channel.SMS, sms=settings)"
    )

    assert "markdown_it" not in loaded_by("agent", code.format("We open at nine."))
    assert "markdown_it" in loaded_by("agent", code.format("We open at **nine**."))


def test_importing_the_layer_speaks_to_nobody_and_starts_nothing() -> None:
    modules = [
        ".".join(path.relative_to(LAYER).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(LAYER.rglob("*.py"))
    ]
    refuse = (
        "import sys; sys.addaudithook(lambda event, _: sys.exit(event) if event in "
        "{'socket.connect', 'socket.getaddrinfo', 'subprocess.Popen', '_thread.start_new_thread'} else None); "
    )

    loaded = loaded_by("webhook", refuse + f"import {', '.join(modules)}")

    assert set(modules) <= loaded


def test_the_layer_never_imports_a_functions_module() -> None:
    functions = {path.stem for path in (ROOT / "functions").rglob("*.py")}

    imported = {name.partition(".")[0] for path in LAYER.rglob("*.py") for name in imports_of(path)}

    assert functions >= {"app", "assistant"}
    assert imported & functions == set()


def loaded_by(function: str, code: str) -> set[str]:
    """Return the modules that are loaded after running code as a function's instance would."""
    finished = subprocess.run(  # noqa: S603 -- our own code
        [sys.executable, "-P", "-c", f"{code}; import json, sys; print(json.dumps([*sys.modules]))"],
        env={**ENVIRONMENT, "PYTHONPATH": f"{ROOT / 'functions' / function}:{LAYER}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stderr
    return set(json.loads(finished.stdout.splitlines()[-1]))


def imports_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}

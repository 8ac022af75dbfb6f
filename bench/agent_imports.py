"""What the built agent function imports, its offline assistant included, compared with what it cannot do without.

That is pydantic_ai's Agent with its smallest model, which loads a table of prices, and four of boto3's clients.
"""

import os
import sys

from bench.cold import BUILD, interleaved

REFERENCE = """
import boto3, pydantic_ai
from pydantic_ai.models.test import TestModel
pydantic_ai.Agent(TestModel())
for service in ("dynamodb", "sqs", "secretsmanager", "events"):
    boto3.client(service)
"""
OURS = """
import app, boto3
from switchboard.agents.keys import Keys
app.declared_assistant(app.FOLDER).agent(model="offline", keys=Keys())
for service in ("dynamodb", "sqs", "secretsmanager", "events"):
    boto3.client(service)
"""


def measure() -> tuple[float, float]:
    """Return the medians, in seconds, of interleaved runs, each in a process of its own."""
    function, layer = BUILD / "AgentFunction", BUILD / "SwitchboardLayer" / "python"
    if not function.exists():
        sys.exit("Nothing is built: `make build` first")
    return interleaved(
        OURS,
        REFERENCE,
        {"PATH": os.environ["PATH"], "PYTHONPATH": f"{function}:{layer}", "AWS_DEFAULT_REGION": "eu-west-1"},
    )

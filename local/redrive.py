"""`make redrive`: put the dead letters of the deployed stack, or of `make run`, back on their queue."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape

from local.aws.ministack import local_client
from local.invoke import ENVIRONMENT_FILE
from switchboard.aws.sqs.redrive import Redriven, redrive

QUEUE, DEAD_LETTERS = "MessagesQueueUrl", "MessagesDeadLetterQueueUrl"  # the outputs of the template
console = Console()


class CannotRedrive(Exception):
    """Something is missing; the message says what to do."""


def run(
    *,
    stack_name: Annotated[str, typer.Option(help="The deployed stack.")] = "switchboard",
    conversation: Annotated[str, typer.Option(help="Only the letters of this conversation: CH…")] = "",
    local: Annotated[bool, typer.Option("--local", help="Those of `make run` on this machine.")] = False,
    env_vars: Annotated[Path, typer.Option(help="Where `make run` says what it runs.")] = ENVIRONMENT_FILE,
) -> None:
    """Put dead letters back. What is unanswered is answered; what is not is acknowledged and counted."""
    try:
        client, urls = _local_queues(env_vars) if local else _deployed_queues(stack_name)
        redriven = redrive(client, dead_letters=urls[DEAD_LETTERS], queue=urls[QUEUE], conversation_sid=conversation)
    except (BotoCoreError, CannotRedrive, ClientError) as error:
        console.print(f"[red]Cannot redrive:[/red] {escape(str(error))}", soft_wrap=True, highlight=False)
        sys.exit(1)
    _report(redriven)


def _deployed_queues(stack_name: str) -> tuple[Any, dict[str, str]]:
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    if missing := {QUEUE, DEAD_LETTERS} - outputs.keys():
        raise CannotRedrive(
            f"the stack {stack_name} has no output {', '.join(sorted(missing))}. Deploy this version first, or name "
            'the right stack: make redrive FLAGS="--stack-name NAME"'
        )
    return boto3.client("sqs"), outputs


def _local_queues(env_vars: Path) -> tuple[Any, dict[str, str]]:
    if not env_vars.exists():
        raise CannotRedrive("no local stack is running. Start it first, in another terminal: make run")
    agent: dict[str, str] = json.loads(env_vars.read_text())["AgentFunction"]
    client = local_client("sqs", endpoint=agent["AWS_ENDPOINT_URL"])
    return client, {QUEUE: agent["MESSAGES_QUEUE_URL"], DEAD_LETTERS: agent["MESSAGES_DEAD_LETTER_QUEUE_URL"]}


def _report(redriven: Redriven) -> None:
    for conversation_sid, letters in sorted(redriven.put_back.items()):
        console.print(f"{conversation_sid}: {letters}", highlight=False)
    letters = sum(redriven.put_back.values())
    console.print(f"{letters} put back on the queue. See the agent's log for what becomes of each", highlight=False)
    if redriven.left:
        console.print(
            f"{redriven.left} stay: they came back while this ran. Read the agent's log first", highlight=False
        )


if __name__ == "__main__":
    typer.run(run)

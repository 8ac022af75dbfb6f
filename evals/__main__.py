"""`python -m evals`: ask the assistant every case, print what was not answered well, and the share that was."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from evals.cases import Case, WrongCase, read_cases
from switchboard.agent import Agent
from switchboard.agents.assistant import Assistant
from switchboard.agents.function_agent import FunctionAgent
from switchboard.agents.keys import Keys
from switchboard.agents.models import OFFLINE
from switchboard.agents.pydantic_ai_agent import from_assistant
from switchboard.bootstrap.agent import declared_assistant
from switchboard.bootstrap.startup import build
from switchboard.errors import SwitchboardError

ROOT = Path(__file__).parent.parent
MAX_CHARACTERS = 120  # of an answer, in the table


def run(
    files: Annotated[list[Path] | None, typer.Argument(help="Files of cases; without any, all of evals/.")] = None,
    *,
    function: Annotated[Path, typer.Option(help="The folder with assistant.py.")] = ROOT / "functions" / "agent",
    at_least: Annotated[float, typer.Option(help="Fail below this percentage.")] = 85.0,
    every: Annotated[bool, typer.Option("--every", help="Print the good answers too.")] = False,
) -> None:
    """Ask the assistant of ASSISTANT_MODEL (offline, if it is not set) every case."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    model = os.environ.get("ASSISTANT_MODEL", OFFLINE)
    try:
        cases = {file: read_cases(file) for file in files or sorted(Path(__file__).parent.glob("*.yaml"))}
        agent = _agent(function, model)
    except (OSError, SwitchboardError, WrongCase) as error:
        console.print(f"Cannot evaluate: {error}", soft_wrap=True, markup=False, highlight=False)
        sys.exit(2)
    table = Table("customer", "answer", "what is wrong", box=None)
    shares = [_ask(agent, of_file, name=file.stem, table=table, every=every) for file, of_file in cases.items()]
    if table.row_count:
        console.print(table)
    for file, good in zip(cases, shares, strict=True):
        console.print(f"{file.name}: {_share(good, len(cases[file]))}", highlight=False)
    asked = sum(map(len, cases.values()))
    console.print(f"{model}: {_share(sum(shares), asked)}, at least {at_least:.0f} % wanted", highlight=False)
    sys.exit(100 * sum(shares) < at_least * asked)


def _agent(function: Path, model: str) -> Agent:
    sys.path.insert(0, str(function))
    declared = build(lambda: declared_assistant(function), folder=function)
    if not isinstance(declared, Assistant):
        return FunctionAgent(declared)
    return from_assistant(declared, model=model, keys=Keys(environment=os.environ))


def _ask(agent: Agent, cases: list[Case], *, name: str, table: Table, every: bool) -> int:
    """Ask the cases, add a row for each that was not answered well, and return how many were."""
    good = 0
    for number, case in enumerate(cases, start=1):
        said, faults = _answered(agent, case, turn=f"{name}-{number}")
        good += not faults
        if faults or every:
            table.add_row(*map(Text, (" / ".join(case.says), said, "; ".join(faults))))
    return good


def _answered(agent: Agent, case: Case, *, turn: str) -> tuple[str, list[str]]:
    """Return an answer in short, and what is wrong with it; an error is wrong."""
    try:
        answer = agent.answer(case.question(turn))
    except SwitchboardError as error:
        return "", [str(error)]
    text = " ".join(answer.text.split())
    short = text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…"
    return f"{'[hands over] ' if answer.handoff else ''}{short}", case.faults(answer)


def _share(good: int, asked: int) -> str:
    return f"{good} of {asked} good, {100 * good / asked:.0f} %"


typer.run(run)

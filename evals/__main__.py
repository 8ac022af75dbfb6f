"""`python -m evals`: ask the assistant every case, print what was not answered well, and the share that was."""

import json
import logging
import os
import sys
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, ClassVar, override

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from evals.cases import Case, WrongCase, read_cases
from local.first_reply import FirstReply
from switchboard.agent import Agent, Answer
from switchboard.agents.keys import Keys
from switchboard.agents.models import ASSISTANT_FALLBACK_MODEL, OFFLINE
from switchboard.agents.watching import TOOL_CALLS, ToolCall
from switchboard.bootstrap.agent import declared_assistant
from switchboard.bootstrap.startup import build
from switchboard.errors import SwitchboardError

ROOT = Path(__file__).parent.parent
MAX_CHARACTERS = 120  # of an answer, in the table


class Calls(logging.Handler):
    """Keeps the calls of tools."""

    kept: ClassVar[list[ToolCall]] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.kept.extend(each for each in record.args or () if isinstance(each, ToolCall))


def run(
    files: Annotated[list[Path] | None, typer.Argument(help="Files of cases; without any, all of evals/.")] = None,
    *,
    function: Annotated[Path, typer.Option(help="The folder with assistant.py.")] = ROOT / "functions" / "agent",
    at_least: Annotated[float | None, typer.Option(help="Percent of each file's; else what the file says.")] = None,
    every: Annotated[bool, typer.Option("--every", help="Print the good answers too.")] = False,
    report: Annotated[Path | None, typer.Option("--json", help="Write every answer to this file.")] = None,
) -> None:
    """Ask the assistant of ASSISTANT_MODEL (offline, if it is not set) every case."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    model = os.environ.get("ASSISTANT_MODEL") or OFFLINE
    models: Any = {"model": model, "fallback_model": os.environ.get(ASSISTANT_FALLBACK_MODEL, "")}
    keys = Keys(environment=os.environ)
    logging.getLogger(TOOL_CALLS).addHandler(Calls())
    logging.getLogger(TOOL_CALLS).propagate = False
    try:
        cases = {file: read_cases(file) for file in files or sorted(Path(__file__).parent.glob("*.yaml"))}
        sys.path.insert(0, str(function))
        agent = build(lambda: declared_assistant(function).agent(**models, keys=keys), folder=function)
    except (OSError, SwitchboardError, WrongCase) as error:
        console.print(f"Cannot evaluate: {error}", soft_wrap=True, markup=False, highlight=False)
        sys.exit(2)
    table = Table("customer", "answer", "what is wrong", box=None)
    numbered = [(file, each) for file, read in cases.items() for each in enumerate(read.cases, start=1)]
    results = [_ask(agent, case, file, number) for file, (number, case) in numbered]
    for result in (each for each in results if each["faults"] or every):
        short = (textwrap.shorten(str(result[each]), MAX_CHARACTERS, placeholder="…") for each in ("says", "text"))
        table.add_row(*map(Text, (*short, "; ".join(result["faults"]))))
    if table.row_count:
        console.print(table)
    shares = [_share(file, results, read.at_least if at_least is None else at_least) for file, read in cases.items()]
    for share in shares:
        console.print("{file}: {good} of {asked} good, {percent:.0f} %, {at_least:.0f} % wanted".format(**share))
    if report is not None:
        report.write_text(json.dumps({"model": model, "files": shares, "cases": results}, indent=2, ensure_ascii=False))
    sys.exit(any(share["percent"] < share["at_least"] for share in shares))


def _ask(agent: Agent, case: Case, file: Path, number: int) -> dict[str, Any]:
    """Return what an answer says and does, and what is wrong with it; an error is wrong."""
    Calls.kept.clear()
    answer, faults = Answer(), []
    try:
        answer = (FirstReply(agent) if case.disclosed else agent).answer(case.question(f"{file.stem}-{number}"))
        faults = case.faults(answer, Calls.kept)
    except SwitchboardError as error:
        faults = [str(error)]
    told = {"calls": list(map(str, Calls.kept)), "faults": faults}
    return {"file": file.name, "case": number, "says": case.says, **asdict(answer), **told}


def _share(file: Path, results: list[dict[str, Any]], at_least: float) -> dict[str, Any]:
    faults = [result["faults"] for result in results if result["file"] == file.name]
    good, asked = faults.count([]), len(faults)
    return {"file": file.name, "good": good, "asked": asked, "percent": 100 * good / asked, "at_least": at_least}


typer.run(run)

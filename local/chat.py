"""`make chat`: talk with the assistant of functions/agent in the terminal. Nothing runs beside it, nothing is sent."""

import logging
import os
import sys
from dataclasses import dataclass, field
from importlib import invalidate_caches
from pathlib import Path
from typing import Annotated, override
from uuid import uuid4

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape

from local.scripted_model import register
from switchboard.agent import Agent, Answer, EntryRole, HistoryEntry, Question
from switchboard.agents.keys import Keys
from switchboard.agents.models import ASSISTANT_FALLBACK_MODEL, OFFLINE
from switchboard.agents.watching import TOOL_CALLS, TRACEBACKS
from switchboard.bootstrap.agent import FILES, declared_assistant
from switchboard.bootstrap.startup import build
from switchboard.errors import SwitchboardError
from switchboard.files import FilesFolder

FOLDER = Path(__file__).parents[1] / "functions" / "agent"
TIMEOUT_SECONDS = 60.0

console = Console(highlight=False)


class ShownToolCalls(logging.Handler):
    """Prints each tool call with its arguments, and what it returned."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        console.print(f"  [dim]{escape(record.getMessage())}[/dim]", soft_wrap=True)


@dataclass(slots=True)
class Chat:
    """One conversation with the assistant of a folder. What is edited there answers the next text."""

    folder: Path
    model: str
    history: list[HistoryEntry] = field(default_factory=list)
    files_sent: list[str] = field(default_factory=list)  # with the last answer: links, and a line for each file
    _agent: Agent | None = None
    _files: dict[Path, int] = field(default_factory=dict)

    def say(self, text: str) -> Answer:
        """Return what the assistant answers; raise a `SwitchboardError` that says what went wrong."""
        files = {path: path.stat().st_mtime_ns for path in self.folder.rglob("*") if path.suffix in {".py", ".md"}}
        if self._agent is None or files != self._files:
            self._agent, self._files = build(self._imported, folder=self.folder), files
        question = Question(
            turn=uuid4().hex, history=tuple(self.history), messages=(text,), timeout_seconds=TIMEOUT_SECONDS
        )
        answer = self._agent.answer(question)
        self.files_sent = [
            *answer.links,
            *(file.line for file in FilesFolder(self.folder / FILES).find(answer.file_names)),
        ]
        self.history.append(HistoryEntry(role=EntryRole.CUSTOMER, text=text))
        self.history += (HistoryEntry(role=EntryRole.TOOL, text=call) for call in answer.calls)
        if answer.text and not answer.no_reply:
            said = "\n\n".join((answer.text, *self.files_sent))
            self.history.append(HistoryEntry(role=EntryRole.ASSISTANT, text=said))
        return answer

    def _imported(self) -> Agent:
        for name, module in list(sys.modules.items()):
            if self.folder in Path(getattr(module, "__file__", None) or "").parents:
                del sys.modules[name]
        invalidate_caches()
        return declared_assistant(self.folder).agent(
            model=self.model,
            fallback_model=os.environ.get(ASSISTANT_FALLBACK_MODEL, ""),
            keys=Keys(environment=os.environ),
        )


def watch() -> None:
    """Print each tool call, and whole tracebacks, from now on."""
    logging.getLogger(TRACEBACKS).addHandler(RichHandler(console=console, show_time=False, show_path=False))
    logging.getLogger(TOOL_CALLS).addHandler(ShownToolCalls())


def run(
    *,
    script: Annotated[Path | None, typer.Option(envvar="SCRIPT", help="Answer by this script.")] = None,
) -> None:
    """Talk with the assistant until Ctrl-D; ASSISTANT_MODEL names the model, `offline` by default."""
    register()
    sys.path.insert(0, str(FOLDER))
    watch()
    chat = Chat(folder=FOLDER, model=f"script:{script}" if script else os.environ.get("ASSISTANT_MODEL") or OFFLINE)
    console.print(
        f"The assistant of functions/agent, on the model {chat.model}. Write to it; Ctrl-D ends.", soft_wrap=True
    )
    while True:
        try:
            text = console.input("[bold]you[/bold]        ").strip()
        except (EOFError, KeyboardInterrupt):
            console.print()
            return
        if text:
            _answer(chat, text)


def _answer(chat: Chat, text: str) -> None:
    try:
        answer = chat.say(text)
    except SwitchboardError as error:
        console.print(f"[red]no answer:[/red] {escape(str(error))}", soft_wrap=True)
        return
    if answer.no_reply:
        console.print("[dim]  it says nothing[/dim]")
        return
    if answer.opt_out:
        console.print("[dim]  the customer is opted out: they read a confirmation, and nothing more until START[/dim]")
        return
    console.print(f"[bold]assistant[/bold]  {escape(answer.text)}", soft_wrap=True)
    for line in chat.files_sent:
        console.print(f"  {escape(line)}", soft_wrap=True)
    if answer.handoff:
        console.print(
            "[dim]  a human takes the conversation over: to a customer, the assistant is silent from here[/dim]"
        )


if __name__ == "__main__":
    typer.run(run)

"""What the terminal shows: where everything is, then a line for each message, each decision and each failure."""

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO, assert_never

from rich.console import Console
from rich.markup import escape

from local.activity import (
    Activity,
    CodeReloaded,
    ConversationMessage,
    ImportFailed,
    InvocationBegan,
    InvocationEnded,
    LogLine,
    Outcome,
    Shown,
    WebhookLost,
)
from local.stack import LocalStack

COLOURS: Mapping[str, str] = {"webhook": "cyan", "agent": "green", "lifecycle": "magenta"}
MAX_NAME_LENGTH = 21  # whatsapp:+12025550110
MAX_SHOWN = (
    500  # characters of a message; rich takes half a minute to escape 30,000 backslashes, in the servers' thread
)
_RECORDS = ": the SQS records it worked on come back when their visibility timeout ends"
FAILURES: Mapping[Outcome, str] = {
    Outcome.RAISED: "failed",
    Outcome.CRASHED: f"crashed{_RECORDS}",
    Outcome.TIMED_OUT: f"timed out and was killed{_RECORDS}",
}
IGNORED_PREFIX = "ignored_"  # events that need no action: several for each text
REFUSED_HANDBACK_PREFIX = "ignored_owner_set_"  # shown all the same: whoever handed back waits for an effect
# What is marked, and how it is shown: the calls of tools, whole tracebacks of the team's code, what breaks on purpose.
MARKED: Mapping[str, str] = {"[TOOL] ": "dim", "[TRACEBACK] ": "red", "[TROUBLE] ": "yellow"}
SHOWN_FIELDS = ("messages", "cause", "type", "reason", "detail", "event_type", "error")


type Printed = ConversationMessage | LogLine | InvocationEnded | CodeReloaded | ImportFailed


class ConsoleListener:
    """Prints activities for people. It writes every line of a function to the log, and with `logs` prints it too.

    Until `start` it holds everything back, so that a failure during the start stands below the banner. Any thread may
    call it.
    """

    def __init__(self, console: Console, log: TextIO, *, logs: bool) -> None:
        self._console = console
        self._log = log
        self._logs = logs
        self._lock = threading.Lock()
        self._held_back: list[Printed] | None = []

    def start(self, banner: str) -> None:
        """Print the banner, then what was held back; from now on print each activity at once."""
        with self._lock:
            self._console.print(banner, soft_wrap=True, highlight=False)
            held_back, self._held_back = self._held_back or [], None
            for activity in dict.fromkeys(map(_without_ids, held_back)):  # both execution environments fail alike
                self._show(activity)

    def __call__(self, activity: Activity) -> None:
        """Print an activity on one line, or not at all."""
        if isinstance(activity, Shown | InvocationBegan | WebhookLost):
            return  # the page shows them
        with self._lock:
            if self._held_back is None:
                self._show(activity)
            else:
                self._held_back.append(activity)

    def _show(self, activity: Printed) -> None:
        match activity:
            case ConversationMessage(author=author, body=body):
                self._print(author, f"[bold]{escape(_beginning(body))}[/bold]")
            case LogLine(function=function, text=text):
                self._log.write(f"{function} {text}\n")
                self._log.flush()
                if line := escape(text) if self._logs else _decision(text):
                    self._print(function, line)
            case InvocationEnded(function=function, outcome=outcome, detail=detail):
                if outcome in FAILURES:
                    self._print(function, f"[red]{FAILURES[outcome]}[/red] ({escape(detail)})")
            case CodeReloaded(function=function):
                self._print(function, "[dim]files changed: the next event starts the new code[/dim]")
            case ImportFailed(function=function, detail=detail):
                self._print(function, f"[red]cannot start:[/red] {escape(detail)}")
            case _:
                assert_never(activity)

    def _print(self, source: str, text: str) -> None:
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        colour = COLOURS.get(source, "yellow")
        source = source if len(source) <= MAX_NAME_LENGTH else f"{source[:8]}…{source[-4:]}"
        self._console.print(
            f"[dim]{now}[/dim] [{colour}]{source:<{MAX_NAME_LENGTH}}[/{colour}] {text}", soft_wrap=True, highlight=False
        )


def _beginning(body: str) -> str:
    """Return what the console shows of a message: the beginning of a long one, in one line."""
    line = " ".join(body.split())
    return line if len(line) <= MAX_SHOWN else f"{line[:MAX_SHOWN]}…"


def _without_ids(activity: Printed) -> Printed:
    if isinstance(activity, InvocationEnded):
        return replace(activity, request_id="", milliseconds=0)
    return activity


def banner(stack: LocalStack, *, log: Path, seconds: float) -> str:
    """Return the addresses of everything, the page's first."""
    functions = " · ".join(f"{name} {' '.join(map(str, each.pids))}" for name, each in stack.functions.items())
    rows = {
        "page": f"[bold]{stack.url}[/bold] [dim]text the assistant there[/dim]",
        "webhook": f"{stack.url}/webhook",
        "Twilio": f"{stack.twilio_base_url or 'Twilio itself'} [dim]account {stack.twilio_account.account_sid}[/dim]",
        "emulator": stack.twilio_url,
        "AWS": stack.aws_endpoint,
        "notices": f"{stack.notices_url} [dim]what humans would get by mail[/dim]",
        "model": stack.environments["AgentFunction"]["ASSISTANT_MODEL"],
        "functions": f"{functions} [dim]process ids[/dim]",
        "logs": str(log),
    }
    if stack.state_file is not None:
        rows["state"] = f"{stack.state_file} [dim](written when this run ends)[/dim]"
    if stack.uses_emulator:
        rows["Twilio"] = f"{rows.pop('emulator')} [dim]the emulator, account {stack.twilio_account.account_sid}[/dim]"
    else:
        rows["page"] = f"{stack.url} [dim]its phones do not reach the functions: TWILIO_BASE_URL is set[/dim]"
        rows["webhook"] = f"{stack.webhook_url} [dim]Twilio must reach it[/dim]"
    places = "\n".join(f"  [dim]{name:<10}[/dim] {place}" for name, place in rows.items())
    return f"""[bold]Switchboard is up[/bold] [dim]after {seconds:.1f} s[/dim]

{places}

Edit functions/agent/assistant.py or its knowledge, and text again. Ctrl-C ends everything.
"""


def _decision(text: str) -> str:
    """Return the decision that a function's structured line records, a tool call or a line of a traceback.

    Nothing for a metric or a plain print.
    """
    for mark, colour in MARKED.items():
        if text.startswith(mark):
            return f"[{colour}]{escape(text.removeprefix(mark))}[/{colour}]"
    try:
        line = json.loads(text)
    except ValueError:
        return ""
    if not isinstance(line, dict) or not isinstance(line.get("message"), str) or "level" not in line:
        return ""
    if line["level"] == "DEBUG":
        return ""  # the steps of turns: the page shows them
    colour = "red" if line["level"] in {"ERROR", "CRITICAL"} else "default"
    if line["message"].startswith(IGNORED_PREFIX) and not line["message"].startswith(REFUSED_HANDBACK_PREFIX):
        return ""
    return f"[{colour}]{escape(line['message'])}[/{colour}] [dim]{escape(' '.join(_fields(line)))}[/dim]"


def _fields(line: Mapping[str, Any]) -> list[str]:
    conversation = str(line.get("conversation_sid", ""))
    shown = [f"{conversation[:2]}…{conversation[-4:]}"] if conversation else []
    return shown + [f"{name}={line[name]}" for name in SHOWN_FIELDS if line.get(name)]

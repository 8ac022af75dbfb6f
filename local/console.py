"""What is seen in the terminal: where everything is, and one line for each decision while it runs."""

import json
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO, assert_never

from rich.console import Console
from rich.markup import escape

from local.activity import Broken, End, Happening, Invoked, LogLine, Replaced, Said
from local.stack import LocalStack
from local.twilio_account import OUR_SMS_NUMBER

CUSTOMER = "+12025550110"
COLOURS: Mapping[str, str] = {"webhook": "cyan", "agent": "green", "lifecycle": "magenta"}
LONGEST_NAME = 21  # whatsapp:+12025550110
ENDS: Mapping[End, str] = {
    End.RAISED: "failed",
    End.CRASHED: "crashed: what it held comes back when the visibility timeout ends",
    End.TIMED_OUT: "took too long and was killed: what it held comes back when the visibility timeout ends",
}
IGNORED = "ignored_"  # authentic, and none of our business: several for each text
WISHES = "ignored_owner_set_"  # but a desk that is told of no effect wants to know why
SHOWN_FACTS = ("messages", "cause", "detail", "event_type", "error")


class Terminal:
    """Prints what happens, for people; writes every line that a function prints to a file, or with `logs` here too.

    Called from many threads.
    """

    def __init__(self, console: Console, log: TextIO, *, logs: bool) -> None:
        self._console = console
        self._log = log
        self._logs = logs
        self._lock = threading.Lock()

    def __call__(self, happening: Happening) -> None:
        """Tell of one happening, on one line or none."""
        with self._lock:
            match happening:
                case Said(author=author, body=body):
                    self._line(author, f"[bold]{escape(' '.join(body.split()))}[/bold]")
                case LogLine(function=function, text=text):
                    self._keep(function, text)
                    if self._logs:
                        self._line(function, escape(text))
                    elif decision := _decision(text):
                        self._line(function, decision)
                case Invoked(function=function, end=end) if end in ENDS:
                    self._line(function, f"[red]{ENDS[end]}[/red] ({escape(happening.detail)})")
                case Replaced(function=function):
                    self._line(function, "[dim]edited: the new code answers from now on[/dim]")
                case Broken(function=function, detail=detail):
                    self._line(function, f"[red]cannot start:[/red] {escape(detail)} [dim](mend it and save)[/dim]")
                case Invoked():
                    pass
                case _:
                    assert_never(happening)

    def _keep(self, function: str, text: str) -> None:
        self._log.write(f"{function} {text}\n")
        self._log.flush()

    def _line(self, who: str, text: str) -> None:
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        colour = COLOURS.get(who, "yellow")
        who = who if len(who) <= LONGEST_NAME else f"{who[:8]}…{who[-4:]}"
        self._console.print(
            f"[dim]{now}[/dim] [{colour}]{who:<{LONGEST_NAME}}[/{colour}] {text}", soft_wrap=True, highlight=False
        )


def banner(stack: LocalStack, *, log: Path, seconds: float) -> str:
    """Return what is where and what to try first."""
    functions = " · ".join(f"{name} {' '.join(map(str, each.pids))}" for name, each in stack.functions.items())
    rows = {
        "webhook": f"{stack.url}/webhook",
        "Twilio": f"{stack.twilio_base_url or 'Twilio itself'} [dim]account {stack.identity.account_sid}[/dim]",
        "emulator": stack.twilio_url,
        "AWS": stack.aws_endpoint,
        "model": stack.environments["AgentFunction"]["ASSISTANT_MODEL"],
        "functions": f"{functions} [dim](kill -9 one: a Lambda crash)[/dim]",
        "logs": str(log),
    }
    if stack.state_file is not None:
        rows["state"] = f"{stack.state_file} [dim](written at the end)[/dim]"
    if stack.uses_emulator:
        rows["Twilio"] = f"{rows.pop('emulator')} [dim]the emulator, account {stack.identity.account_sid}[/dim]"
    places = "\n".join(f"  [dim]{name:<10}[/dim] {place}" for name, place in rows.items())
    return f"""[bold]Switchboard is up[/bold] [dim]after {seconds:.1f} s[/dim]

{places}

{_first_steps(stack)}

Edit functions/agent/assistant.py or its knowledge and text again. Ctrl-C ends everything.
"""


def _first_steps(stack: LocalStack) -> str:
    if not stack.uses_emulator:
        return f"TWILIO_BASE_URL is set: the functions leave the emulator alone. Twilio calls {stack.webhook_url}"
    inbound = json.dumps({"from": CUSTOMER, "to": OUR_SMS_NUMBER, "body": "When are you open on Saturday?"})
    return f"""Text the agent:
  [cyan]curl {stack.twilio_url}/_emulator/inbound -H 'Content-Type: application/json' -d '{escape(inbound)}'[/cyan]
Read the answer on the phone:
  [cyan]curl '{stack.twilio_url}/_emulator/inbox?address={CUSTOMER.replace("+", "%2B")}'[/cyan]"""


def _decision(text: str) -> str:
    """Return a function's structured line in words, or nothing where it is none: counts, plain prints."""
    try:
        line = json.loads(text)
    except ValueError:
        return ""
    if not isinstance(line, dict) or not isinstance(line.get("message"), str) or "level" not in line:
        return ""
    colour = "red" if line["level"] in {"ERROR", "CRITICAL"} else "default"
    if line["message"].startswith(IGNORED) and not line["message"].startswith(WISHES):
        return ""
    return f"[{colour}]{escape(line['message'])}[/{colour}] [dim]{escape(' '.join(_facts(line)))}[/dim]"


def _facts(line: Mapping[str, Any]) -> list[str]:
    conversation = str(line.get("conversation_sid", ""))
    shown = [f"{conversation[:2]}…{conversation[-4:]}"] if conversation else []
    return shown + [f"{name}={line[name]}" for name in SHOWN_FACTS if line.get(name)]

"""The console prints each activity on a line, and writes the functions' own lines to a file."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

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
from local.console import ConsoleListener


def shown(*activities: Activity, logs: bool = False) -> tuple[str, str]:
    """Return what the console prints, without the times, and what it writes to the log."""
    screen, log = io.StringIO(), io.StringIO()
    listener = ConsoleListener(Console(file=screen), log, logs=logs)
    listener.start("banner")
    for activity in activities:
        listener(activity)
    return _lines(screen), log.getvalue()


def _lines(screen: io.StringIO) -> str:
    lines = [line.partition(" ")[2] for line in screen.getvalue().splitlines()[1:]]
    return "\n".join(" ".join(line.split()) for line in lines)


def line(function: str = "agent", **facts: str | int) -> LogLine:
    return LogLine(function=function, text=json.dumps({"level": "INFO", **facts}))


def ended(outcome: Outcome, detail: str = "") -> InvocationEnded:
    return InvocationEnded(function="agent", request_id="1", outcome=outcome, milliseconds=5, detail=detail)


def test_a_decision_is_one_line_with_its_fields() -> None:
    decision = line(message="fell_back", conversation_sid="CH" + "0" * 28 + "beef", messages=2, cause="Timeout")

    screen, log = shown(decision)

    assert screen == "agent fell_back CH…beef messages=2 cause=Timeout"
    assert log == f"agent {decision.text}\n"


@pytest.mark.parametrize(
    "activity",
    [
        line(message="ignored_onDeliveryUpdated"),
        line(message="step", level="DEBUG", step="claim"),
        Shown(function="agent", values={"kind": "tool", "name": "order_status"}),
        InvocationBegan(function="agent", request_id="1", event={"Records": []}),
        WebhookLost(fields=[("Body", "hi")], reason="a fault dropped it"),
        LogLine(function="agent", text=json.dumps({"_aws": {}, "answered": [1.0]})),
        LogLine(function="agent", text="a print"),
        ended(Outcome.RETURNED),
    ],
)
def test_what_is_no_decision_is_not_shown(activity: Activity) -> None:
    assert shown(activity)[0] == ""


def test_tool_calls_and_tracebacks_are_shown_as_they_are() -> None:
    screen, _ = shown(
        LogLine(function="agent", text="[TOOL] order_status(order_number='[x]') → 'It was shipped'"),
        LogLine(function="agent", text='[TRACEBACK]   File "assistant.py", line 7'),
    )

    assert screen == "agent order_status(order_number='[x]') → 'It was shipped'\nagent File \"assistant.py\", line 7"


def test_with_logs_every_line_is_shown_as_it_is() -> None:
    screen, _ = shown(LogLine(function="agent", text="[bold] a print"), logs=True)

    assert screen == "agent [bold] a print"


def test_a_message_is_shown_on_one_line_whatever_it_holds() -> None:
    screen, _ = shown(
        ConversationMessage(author="+12025550110", body="[red]one\ntwo"),
        ConversationMessage(author="visitor-0123456789abcdef0123456789abcdef", body="hi"),
    )

    assert screen == "+12025550110 [red]one two\nvisitor-…cdef hi"


def test_of_a_long_message_the_beginning_is_shown_at_once() -> None:
    screen, _ = shown(ConversationMessage(author="+12025550110", body="\\" * 30_000))

    assert screen.startswith("+12025550110 \\\\")
    assert screen.endswith("\\…")
    assert screen.count("\\") < 2000


def test_a_failure_is_shown_with_what_follows_from_it() -> None:
    screen, _ = shown(
        ended(Outcome.CRASHED, "SIGKILL"),
        ended(Outcome.TIMED_OUT, "Task timed out"),
        ended(Outcome.RAISED, "KeyError: 'x'"),
        ImportFailed(function="agent", detail="SyntaxError: line 3"),
        CodeReloaded(function="agent"),
    )

    come_back = "the SQS records it worked on come back when their visibility timeout ends"
    assert screen.splitlines() == [
        f"agent crashed: {come_back} (SIGKILL)",
        f"agent timed out and was killed: {come_back} (Task timed out)",
        "agent failed (KeyError: 'x')",
        "agent cannot start: SyntaxError: line 3",
        "agent files changed: the next event starts the new code",
    ]


def test_a_failure_during_the_start_stands_once_below_the_banner() -> None:
    screen, log = io.StringIO(), io.StringIO()
    listener = ConsoleListener(Console(file=screen), log, logs=False)

    for milliseconds in (5, 7):
        listener(replace(ended(Outcome.RAISED, "Misconfigured: ASSISTANT_MODEL"), milliseconds=milliseconds))
    before = screen.getvalue()
    listener.start("Switchboard is up")

    assert before == ""
    first, second = screen.getvalue().splitlines()
    assert first == "Switchboard is up"
    assert second.endswith("failed (Misconfigured: ASSISTANT_MODEL)")

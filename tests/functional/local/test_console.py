"""The terminal tells what happens, a line at a time, and keeps the functions' own lines in a file."""

import io
import json

import pytest
from rich.console import Console

from local.activity import Broken, End, Happening, Invoked, LogLine, Replaced, Said
from local.console import Terminal


def told(*happenings: Happening, logs: bool = False) -> tuple[str, str]:
    """Return what stands in the terminal, without times, and in the log."""
    screen, log = io.StringIO(), io.StringIO()
    terminal = Terminal(Console(file=screen), log, logs=logs)
    for happening in happenings:
        terminal(happening)
    lines = [line.partition(" ")[2] for line in screen.getvalue().splitlines()]
    return "\n".join(" ".join(line.split()) for line in lines), log.getvalue()


def line(function: str = "agent", **facts: str | int) -> LogLine:
    return LogLine(function=function, text=json.dumps({"level": "INFO", **facts}))


def ended(end: End, detail: str = "") -> Invoked:
    return Invoked(function="agent", request_id="1", end=end, milliseconds=5, detail=detail)


def test_a_decision_is_one_line_with_its_facts() -> None:
    decision = line(message="fell_back", conversation_sid="CH" + "0" * 28 + "beef", messages=2, cause="Timeout")

    screen, log = told(decision)

    assert screen == "agent fell_back CH…beef messages=2 cause=Timeout"
    assert log == f"agent {decision.text}\n"


@pytest.mark.parametrize(
    "quiet",
    [
        line(message="ignored_onDeliveryUpdated"),
        LogLine(function="agent", text=json.dumps({"_aws": {}, "answered": [1.0]})),
        LogLine(function="agent", text="a print"),
        ended(End.RETURNED),
    ],
)
def test_what_decides_nothing_is_kept_off_the_screen(quiet: Happening) -> None:
    assert told(quiet)[0] == ""


def test_with_logs_every_line_is_shown_as_it_is() -> None:
    screen, _ = told(LogLine(function="agent", text="[bold] a print"), logs=True)

    assert screen == "agent [bold] a print"


def test_words_are_shown_on_one_line_whatever_they_hold() -> None:
    screen, _ = told(
        Said(author="+12025550110", body="[red]one\ntwo"),
        Said(author="visitor-0123456789abcdef0123456789abcdef", body="hi"),
    )

    assert screen == "+12025550110 [red]one two\nvisitor-…cdef hi"


def test_trouble_is_told_with_what_to_expect() -> None:
    screen, _ = told(
        ended(End.CRASHED, "SIGKILL"),
        ended(End.TIMED_OUT, "Task timed out"),
        ended(End.RAISED, "KeyError: 'x'"),
        Broken(function="agent", detail="SyntaxError: line 3"),
        Replaced(function="agent"),
    )

    assert screen.splitlines() == [
        "agent crashed: what it held comes back when the visibility timeout ends (SIGKILL)",
        "agent took too long and was killed: what it held comes back when the visibility timeout ends (Task timed out)",
        "agent failed (KeyError: 'x')",
        "agent cannot start: SyntaxError: line 3 (mend it and save)",
        "agent edited: the new code answers from now on",
    ]

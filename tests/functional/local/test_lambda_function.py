"""A local Lambda function behaves as on AWS."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.activity import CodeReloaded, ImportFailed, InvocationBegan, InvocationEnded, LogLine, Outcome, Shown
from local.aws.execution_environment import CannotStart, Crashed, Raised, TimedOut
from tests.functional.local.sample_function import ARN, of_type, running, spec, written
from tests.processes import has_ended
from tests.waiting import wait_until

ROOT = Path(__file__).parents[3]


def test_a_function_gets_its_event_and_returns_its_result(tmp_path: Path) -> None:
    folder = written(tmp_path / "sample", "return {'got': event}")

    with running(spec(folder)) as (function, _):
        result = function.invoke({"text": "grüß dich\n"})

    assert result == {"got": {"text": "grüß dich\n"}}


def test_the_context_is_that_of_lambda(tmp_path: Path) -> None:
    names = "function_name function_version memory_limit_in_mb invoked_function_arn log_group_name"
    folder = written(
        tmp_path / "sample",
        f"facts = {{name: getattr(context, name) for name in {names.split()}}}\n"
        "return facts | {'left': context.get_remaining_time_in_millis(), 'id': context.aws_request_id}",
    )

    with running(spec(folder, timeout_seconds=7)) as (function, activities):
        result = function.invoke({})

    assert isinstance(result, dict)
    left, request_id = result.pop("left"), result.pop("id")
    assert result == {
        "function_name": "sample",
        "function_version": "$LATEST",
        "memory_limit_in_mb": "256",
        "invoked_function_arn": ARN,
        "log_group_name": "/aws/lambda/sample",
    }
    assert 0 < left <= 7000
    assert [each.request_id for each in of_type(InvocationEnded, activities)] == [request_id]


def test_a_function_can_import_from_its_own_folder_the_layer_and_installed_packages_alone(tmp_path: Path) -> None:
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "shelf.py").write_text("BOOK = 'moby'\n")
    probe = "import importlib.util\nfound = lambda name: importlib.util.find_spec(name) is not None\n"
    folder = written(
        tmp_path / "sample",
        "return {name: found(name) for name in ('shelf', 'beside', 'boto3', 'local', 'tests', 'runtime')}",
        imports=probe,
    )
    (folder / "beside.py").write_text("")

    with running(spec(folder, layer=layer)) as (function, _):
        result = function.invoke({})

    assert result == {"shelf": True, "beside": True, "boto3": True, "local": False, "tests": False, "runtime": False}


def test_nothing_of_the_callers_environment_reaches_a_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "the-callers-token")
    folder = written(tmp_path / "sample", "return os.environ.get('TWILIO_AUTH_TOKEN')", imports="import os")

    with running(spec(folder)) as (function, _):
        result = function.invoke({})

    assert result is None


def test_a_handler_that_raises_fails_its_invocation_and_its_process_stays(tmp_path: Path) -> None:
    folder = written(tmp_path / "sample", "return 1 / event['by'], os.getpid()", imports="import os")

    with running(spec(folder)) as (function, activities):
        before = function.pids
        with pytest.raises(Raised, match="ZeroDivisionError: division by zero"):
            function.invoke({"by": 0})
        answered = function.invoke({"by": 1})

    assert answered == [1, *before]
    assert any("ZeroDivisionError" in each.text for each in of_type(LogLine, activities))


def test_a_crash_fails_its_invocation_and_the_next_one_runs_in_a_new_process(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "sample",
        "if event['crash']:\n    os.kill(os.getpid(), signal.SIGKILL)\nreturn os.getpid()",
        imports="import os, signal",
    )

    with running(spec(folder)) as (function, activities):
        (before,) = function.pids
        with pytest.raises(Crashed, match="SIGKILL"):
            function.invoke({"crash": True})
        after = function.invoke({"crash": False})

    assert after != before
    assert [each.outcome for each in of_type(InvocationEnded, activities)] == [Outcome.CRASHED, Outcome.RETURNED]


def test_a_process_that_died_idle_is_replaced_before_the_next_invocation(tmp_path: Path) -> None:
    folder = written(tmp_path / "sample", "return 'here'")

    with running(spec(folder)) as (function, _):
        function.wait_until_ready()
        function.kill()
        result = function.invoke({})

    assert result == "here"


def test_bytecode_beside_the_code_is_not_new_code(tmp_path: Path) -> None:
    folder = written(tmp_path / "sample", "return os.getpid()", imports="import os")
    bytecode = folder / "__pycache__" / "app.cpython-313.pyc.281473"  # as Python names it while it writes

    with running(spec(folder)) as (function, _):
        before = function.invoke({})
        bytecode.parent.mkdir()
        bytecode.touch()
        after = function.invoke({})

    assert after == before


def test_a_function_that_runs_into_its_timeout_is_killed(tmp_path: Path) -> None:
    folder = written(tmp_path / "sample", "threading.Event().wait(event['seconds'])", imports="import threading")

    with running(spec(folder, timeout_seconds=1)) as (function, activities):
        (pid,) = function.pids
        with pytest.raises(TimedOut, match="timed out after 1"):
            function.invoke({"seconds": 5})
        function.invoke({"seconds": 0})

        assert pid not in function.pids
    assert [each.outcome for each in of_type(InvocationEnded, activities)] == [Outcome.TIMED_OUT, Outcome.RETURNED]


def test_each_invocation_has_an_execution_environment_to_itself(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "sample",
        "threading.Event().wait(event / 100)\nreturn event, os.getpid()",
        imports="import os, threading",
    )

    with running(spec(folder), concurrency=2) as (function, _), ThreadPoolExecutor(max_workers=8) as threads:
        results: list[Any] = list(threads.map(function.invoke, [8, 1, 7, 2, 6, 3, 5, 4] * 2))
        pids = function.pids

    assert [number for number, _ in results] == [8, 1, 7, 2, 6, 3, 5, 4] * 2
    assert {pid for _, pid in results} == set(pids)
    assert len(pids) == 2


def test_one_execution_environment_is_enough_while_invocations_come_one_after_the_other(tmp_path: Path) -> None:
    folder = written(tmp_path / "sample", "return os.getpid()", imports="import os")

    with running(spec(folder), concurrency=2) as (function, _):
        results = {function.invoke({}) for _ in range(3)}
        pids = function.pids

    assert results == set(pids)
    assert len(pids) == 1


def test_the_next_invocation_runs_an_edited_file(tmp_path: Path) -> None:
    folder = written(tmp_path / "sample", "return 'old'")
    (folder / "knowledge").mkdir()

    with running(spec(folder), concurrency=2) as (function, activities):
        before = function.invoke({})
        written(folder, "return 'edited', knowledge", imports="knowledge = open('knowledge/facts.md').read()")
        (folder / "knowledge" / "facts.md").write_text("open all day")
        edited = [function.invoke({}) for _ in range(2)]
        (folder / "knowledge" / "facts.md").write_text("closed all day")
        informed = function.invoke({})

    assert before == "old"
    assert edited == [["edited", "open all day"]] * 2
    assert informed == ["edited", "closed all day"]
    assert len(of_type(CodeReloaded, activities)) == 2


def test_code_that_cannot_be_imported_is_reported_once_and_works_once_it_is_corrected(tmp_path: Path) -> None:
    folder = written(tmp_path / "sample", "return 'fine'", imports="import nowhere_to_be_found")

    with running(spec(folder), concurrency=2) as (function, activities):
        for _ in range(3):
            with pytest.raises(CannotStart, match="nowhere_to_be_found"):
                function.invoke({})
        written(folder, "return 'corrected'")
        result = function.invoke({})

    assert result == "corrected"
    assert len(of_type(ImportFailed, activities)) == 1


def test_what_a_function_prints_is_reported_line_by_line(tmp_path: Path) -> None:
    folder = written(tmp_path / "sample", "print('one')\nprint('two', file=sys.stderr)", imports="import sys")

    with running(spec(folder)) as (function, activities):
        function.invoke({})

    assert [each.text for each in of_type(LogLine, activities)] == ["one", "two"]


def test_the_processes_end_with_their_parent_even_in_the_middle_of_an_invocation(tmp_path: Path) -> None:
    written(tmp_path / "sample", "threading.Event().wait(60)", imports="import threading")
    program = """
import pathlib, sys
from tests.functional.local.sample_function import running, spec
with running(spec(pathlib.Path(sys.argv[1]))) as (function, _):
    function.wait_until_ready()
    print(*function.pids, flush=True)
    function.invoke({})
"""
    with subprocess.Popen(  # noqa: S603 -- this test's own program
        [sys.executable, "-c", program, str(tmp_path / "sample")], stdout=subprocess.PIPE, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())

        parent.kill()

    wait_until(lambda: has_ended(child), what="the child's end")


def test_the_whole_traceback_of_the_assistants_error_stands_in_the_log(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "sample",
        "try:\n    return {'free': 'no'}[event['table']]\n"
        "except KeyError as error:\n    logging.getLogger(TRACEBACKS).error('turn-1', exc_info=error)",
        imports="import logging\nfrom switchboard.agents.watching import TRACEBACKS",
    )

    with running(spec(folder, layer=ROOT / "layers" / "switchboard")) as (function, activities):
        function.invoke({"table": "by the window"})

    lines = [each.text for each in of_type(LogLine, activities)]
    assert lines[:2] == ["[TRACEBACK] turn-1", "[TRACEBACK] Traceback (most recent call last):"]
    assert lines[-1] == "[TRACEBACK] KeyError: 'by the window'"


def test_a_tool_call_stands_in_the_log_on_one_line(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "sample",
        "show_tool_call(ToolCall(name='book', arguments={'table': event['table']}, returned=repr('a\\nb')))",
        imports="from switchboard.agents.watching import ToolCall, show_tool_call",
    )

    with running(spec(folder, layer=ROOT / "layers" / "switchboard")) as (function, activities):
        function.invoke({"table": "by the window"})

    assert [each.text for each in of_type(LogLine, activities)] == ["[TOOL] book(table='by the window') → 'a\\nb'"]


def test_a_tool_call_is_shown_with_its_turn_beside_the_log(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "sample",
        "show_tool_call(ToolCall(name='book', arguments=event, returned='done', turn='t1', conversation='CH1'))",
        imports="from switchboard.agents.watching import ToolCall, show_tool_call",
    )

    with running(spec(folder, layer=ROOT / "layers" / "switchboard")) as (function, activities):
        assert function.invoke({"table": 4}) is None

    (shown,) = of_type(Shown, activities)
    told = {name: shown.values[name] for name in ("kind", "name", "arguments", "returned", "turn", "conversation")}
    assert told == {
        "kind": "tool",
        "name": "book",
        "arguments": {"table": 4},
        "returned": "done",
        "turn": "t1",
        "conversation": "CH1",
    }


def test_what_many_threads_show_comes_whole_and_before_the_result(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "sample",
        "call = ToolCall(name='book', arguments={}, returned='x' * 100_000)\n"
        "with ThreadPoolExecutor() as threads:\n"
        "    list(threads.map(lambda _: show_tool_call(call), range(20)))\n"
        "return 'done'",
        imports="from concurrent.futures import ThreadPoolExecutor\n"
        "from switchboard.agents.watching import ToolCall, show_tool_call",
    )

    with running(spec(folder, layer=ROOT / "layers" / "switchboard")) as (function, activities):
        assert function.invoke({}) == "done"

        assert [len(shown.values["returned"]) for shown in of_type(Shown, activities)] == [100_000] * 20


def test_an_invocation_is_told_when_it_begins_and_with_what_it_returns(tmp_path: Path) -> None:
    folder = written(tmp_path / "sample", "return {'seen': event['table']}")

    with running(spec(folder)) as (function, activities):
        function.invoke({"table": 4})

        (began,) = of_type(InvocationBegan, activities)
        (ended,) = of_type(InvocationEnded, activities)
        assert (began.event, began.request_id) == ({"table": 4}, ended.request_id)
        assert ended.result == {"seen": 4}


def test_a_variable_that_the_code_names_reaches_it_also_where_the_code_is_newer_than_the_run(tmp_path: Path) -> None:
    returned = "return {name: os.environ.get(name) for name in ('SHOP_API_URL', 'AWS_SECRET_ACCESS_KEY', 'PATH')}"
    offered = {"SHOP_API_URL": "http://a", "AWS_SECRET_ACCESS_KEY": "a", "PATH": "/a", "OTHER": "a"}
    folder = written(tmp_path / "sample", "return sorted(os.environ)", imports="import os")

    with running(replace(spec(folder), offered=offered)) as (function, _):
        before = function.invoke({})
        written(folder, returned, imports="import os")
        after = function.invoke({})

    assert isinstance(before, list)
    assert {"SHOP_API_URL", "OTHER"}.isdisjoint(before)
    assert after == {"SHOP_API_URL": "http://a", "AWS_SECRET_ACCESS_KEY": None, "PATH": os.environ["PATH"]}

"""`python -m local`: it starts everything, says where it is, and ends all of it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from local.command import with_agent_timeout
from switchboard.disclosure import SENTENCES
from switchboard.languages import Language
from tests.emulator.emulator_server import CUSTOMER
from tests.processes import children, has_ended
from tests.waiting import wait_until
from twilio_emulator.client import CustomerClient
from twilio_emulator.server import listen

ROOT = Path(__file__).parents[3]
OURS = {
    *("HOST", "OPEN", "STATE", "ASSISTANT_MODEL", "AGENT_TIMEOUT", "PUBLIC_URL"),
    *("TWILIO_BASE_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_CONVERSATIONS_SERVICE_SID"),
}


def free_port() -> int:
    with listen("127.0.0.1", 0) as listening:
        port: int = listening.getsockname()[1]
        return port


def command(port: int, twilio_port: int, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    return subprocess.Popen(  # noqa: S603 -- our own command
        [sys.executable, "-m", "local", *arguments],
        cwd=ROOT,
        env={**environment, "PORT": str(port), "TWILIO_PORT": str(twilio_port), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def started(port: int, twilio_port: int, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command until both ports are ready; it is killed at the end if it still runs."""
    with command(port, twilio_port, *arguments, **variables) as process:
        try:
            for each in (port, twilio_port):
                wait_until(lambda each=each: status(each) == 200, what=f"port {each}")  # type: ignore[misc]
            yield process
        finally:
            process.kill()


def status(port: int) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


def test_a_second_run_that_cannot_start_leaves_the_log_and_the_environment_file_of_the_first() -> None:
    port, twilio_port = free_port(), free_port()
    log = ROOT / ".local" / f"functions-{port}.log"

    with started(port, twilio_port) as first:
        with CustomerClient(f"http://127.0.0.1:{twilio_port}", CUSTOMER) as phone:
            phone.send("hi")
            (reply,) = wait_until(lambda: phone.inbox() if "answered" in log.read_text() else [])
        assert reply.body.startswith(f"{SENTENCES[Language.ENGLISH]}\n\n")  # as deployed
        with command(port, free_port()) as second:
            said, _ = second.communicate(timeout=120)
        kept, environment_file = log.read_text(), ROOT / ".local" / "env.json"

        assert "Cannot start" in said
        assert "answered" in kept
        assert f"http://127.0.0.1:{port}/webhook" in environment_file.read_text()
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=120)
    assert not environment_file.exists()
    log.unlink()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run with a state file that has ended, by one signal or by two at once, in the middle of a turn."""

    said: str
    exit_code: int
    ports: tuple[int, int]
    state: Path
    descendants: list[int]


@pytest.fixture(
    scope="module",
    params=[
        (signal.SIGINT,),
        (signal.SIGTERM,),
        (signal.SIGTERM, signal.SIGTERM),
        (signal.SIGINT, signal.SIGTERM),
    ],
    ids=lambda signals: "+".join(each.name for each in signals),
)
def ended(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    port, twilio_port = free_port(), free_port()
    state = tmp_path_factory.mktemp("ended") / "state.json"
    with (
        started(port, twilio_port, STATE=str(state)) as process,
        CustomerClient(f"http://127.0.0.1:{twilio_port}", CUSTOMER) as phone,
    ):
        descendants = children(process.pid)
        phone.send("When are you open?")
        for each in request.param:
            process.send_signal(each)
        said, _ = process.communicate(timeout=120)
    ports = (port, twilio_port)
    return Ended(said=said, exit_code=process.returncode, ports=ports, state=state, descendants=descendants)


def test_it_prints_the_addresses_the_pages_first(ended: Ended) -> None:
    port, twilio_port = ended.ports

    first, *others = [line.split() for line in ended.said.splitlines()[2:10]]
    assert first[:2] == ["page", f"http://127.0.0.1:{port}"]
    assert ["webhook", f"http://127.0.0.1:{port}/webhook"] in others
    assert ["Twilio", f"http://127.0.0.1:{twilio_port}"] in [line[:2] for line in others]


def test_a_signal_ends_it_cleanly_and_two_at_once_do_as_one_does(ended: Ended) -> None:
    assert (ended.exit_code, ended.said.splitlines()[-1]) == (0, "ended")
    assert "Traceback" not in ended.said
    assert "Exception" not in ended.said
    assert len(ended.descendants) == 5  # the local AWS and four functions
    assert all(has_ended(pid) for pid in ended.descendants)
    assert [status(port) for port in ended.ports] == [0, 0]


def test_a_run_writes_its_state_file_whichever_signal_ends_it(ended: Ended) -> None:
    kept = json.loads(ended.state.read_text())

    assert str(ended.state) in ended.said
    assert kept["twilio"]["conversations"]
    assert list(kept["tables"]) == ["ConversationsTable"]


@pytest.fixture
def browser(tmp_path: Path) -> Path:
    """A browser: it writes the URL that it is to open into the file beside it."""
    program = tmp_path / "browser"
    program.write_text('#!/bin/sh\necho "$1" >> "$0.opened"\n')
    program.chmod(0o700)
    return program


@pytest.mark.parametrize("variables", [{"OPEN": "1"}, {"OPEN": "0"}, {"OPEN": ""}])
def test_it_opens_the_page_in_a_browser_only_where_it_is_asked_to(browser: Path, variables: dict[str, str]) -> None:
    port, opened = free_port(), browser.with_suffix(".opened")

    with started(port, free_port(), BROWSER=f"{browser} %s", **variables) as process:
        if variables["OPEN"] == "1":
            wait_until(opened.exists, what="the browser")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)

    assert process.returncode == 0
    assert (opened.read_text() if opened.exists() else "") == (
        f"http://127.0.0.1:{port}\n" if variables["OPEN"] == "1" else ""
    )


def test_a_demo_opens_the_page_and_keeps_nothing(browser: Path, tmp_path: Path) -> None:
    port, state, temporary = free_port(), tmp_path / "state.json", tmp_path / "temporary"
    temporary.mkdir()
    variables = {"BROWSER": f"{browser} %s", "STATE": str(state), "TMPDIR": str(temporary)}

    with started(port, free_port(), "--demo", **variables) as process:
        wait_until(browser.with_suffix(".opened").exists, what="the browser")
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=120)

    assert process.returncode == 0
    assert f"http://127.0.0.1:{port}" in said
    assert not state.exists()
    assert not (ROOT / ".local" / f"functions-{port}.log").exists()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("processes", [1, 3, 5])
def test_a_signal_during_the_start_ends_what_has_started(processes: int) -> None:
    with command(free_port(), free_port()) as process:
        try:
            descendants = wait_until(lambda: len(found := children(process.pid)) >= processes and found)
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=120)
        finally:
            process.kill()

    assert (process.returncode, said) == (0, "ended\n")
    assert descendants
    wait_until(lambda: all(has_ended(pid) for pid in descendants), what="the children's end")


def test_ctrl_c_while_it_imports_ends_it_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")

    with command(free_port(), free_port(), PYTHONPATH=str(tmp_path)) as process:
        said, _ = process.communicate(timeout=120)

    assert (process.returncode, said) == (-signal.SIGINT, "")  # in a shell: 130


def test_nothing_outlives_it_even_if_it_is_killed() -> None:
    with command(free_port(), free_port()) as process:
        descendants = wait_until(lambda: found if len(found := children(process.pid)) == 5 else [])
        process.kill()
        process.wait()

    wait_until(lambda: all(has_ended(pid) for pid in descendants), what="the children's end")


@pytest.mark.parametrize("taken", ["PORT", "TWILIO_PORT"])
def test_a_port_in_use_is_one_line_that_names_the_option(taken: str) -> None:
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        ports = {"PORT": free_port(), "TWILIO_PORT": free_port()} | {taken: port}

        with command(ports["PORT"], ports["TWILIO_PORT"]) as process:
            said, _ = process.communicate(timeout=120)

    assert process.returncode == 1
    assert said == f"Cannot start: 127.0.0.1:{port}: Address already in use. Choose another port with {taken}=\n"


def test_twilio_itself_without_an_account_is_refused_in_one_line() -> None:
    with command(free_port(), free_port(), TWILIO_BASE_URL="https://conversations.twilio.com") as process:
        said, _ = process.communicate(timeout=120)

    assert process.returncode == 1
    assert said.count("\n") == 1
    assert "TWILIO_ACCOUNT_SID" in said


def test_a_state_file_of_another_run_is_refused_until_that_run_ends(tmp_path: Path) -> None:
    state = tmp_path / "state.json"

    with starting(STATE=str(state)) as first:
        with command(free_port(), free_port(), STATE=str(state)) as second:
            said, _ = second.communicate(timeout=120)
        first.kill()
        first.wait()
    with starting(STATE=str(state)) as third:
        third.send_signal(signal.SIGINT)
        third.communicate(timeout=120)

    assert (second.returncode, said) == (1, f"Cannot start: {state}: Another run is using this file\n")
    assert third.returncode == 0
    assert list(tmp_path.iterdir()) == []


@contextmanager
def starting(**variables: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command until its first child has started, so that it holds its ports and its state file."""
    with command(free_port(), free_port(), **variables) as process:
        try:
            wait_until(lambda: children(process.pid), what="the first child")
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("content", ["", "{}", "garbage", '{"twilio": {"seed": "a"}, "tables": {}}'])
def test_a_file_that_is_not_a_valid_state_is_refused_in_one_line_and_stays(tmp_path: Path, content: str) -> None:
    state = tmp_path / "state.json"
    state.write_text(content)

    with command(free_port(), free_port(), STATE=str(state)) as process:
        said, _ = process.communicate(timeout=120)

    assert process.returncode == 1
    assert said.startswith(f"Cannot start: {state}: ")
    assert said.count("\n") == 1
    assert state.read_text() == content


def test_a_state_file_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    state = tmp_path / "missing" / "state.json"

    with command(free_port(), free_port(), STATE=str(state)) as process:
        said, _ = process.communicate(timeout=120)

    assert (process.returncode, said) == (1, f"Cannot start: {state}: No such file or directory\n")


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    """The agent function's folder."""
    (tmp_path / "assistant.py").write_text("from pydantic_ai import Agent\n\nassistant = Agent()\n")
    return tmp_path


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, "25"),
        ({"ASSISTANT_MODEL": "offline"}, "25"),
        ({"ASSISTANT_MODEL": "script:bakery.yaml"}, "25"),
        ({"ASSISTANT_MODEL": "openai:gpt-5"}, None),  # as deployed
        ({"ALLOWED_LINK_HOSTS": "shop.example"}, None),  # to fetch a file there takes time
        ({"AGENT_TIMEOUT": "90"}, "90"),
        ({"AGENT_TIMEOUT": "", "ASSISTANT_MODEL": "anthropic:claude"}, ""),
    ],
)
def test_the_agents_time_is_short_where_a_model_of_this_machine_answers(
    environment: dict[str, str], seconds: str | None, agent: Path
) -> None:
    assert with_agent_timeout(environment, agent=agent).get("AGENT_TIMEOUT") == seconds


def test_an_assistant_with_files_to_send_has_the_time_for_an_upload(agent: Path) -> None:
    (agent / "files").mkdir()
    assert with_agent_timeout({}, agent=agent) == {"AGENT_TIMEOUT": "25"}

    (agent / "files" / "menu.pdf").write_bytes(b"%PDF-")

    assert with_agent_timeout({}, agent=agent) == {}


def test_an_assistant_of_its_own_model_has_the_time_of_a_deployment(agent: Path) -> None:
    (agent / "assistant.py").write_text("def assistant(question):\n    return 'hi'\n")

    assert with_agent_timeout({}, agent=agent) == {}


def test_an_agents_time_that_no_deployment_takes_is_refused_with_those_that_it_does() -> None:
    process = command(free_port(), free_port(), AGENT_TIMEOUT="20")

    said, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert said == "Cannot start: AgentTimeout is 20, and template.yaml allows 25, 30, 45, 60, 90, 120\n"

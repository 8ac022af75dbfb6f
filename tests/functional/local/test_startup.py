"""`python -m local` with a mistake in it: it ends with one sentence; a mistake made while it runs costs nothing.

The command runs in a copy of the repository, whose files a test breaks and mends.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.aws.execution_environment import CannotStart
from local.aws.ministack import LocalAws, Names
from local.aws.template import Template
from local.aws.template_functions import read_functions
from local.twilio_account import BUILT_IN
from tests.assistants import KNOWLEDGE
from tests.emulator.emulator_server import CUSTOMER
from tests.functional.local.sample_function import running
from tests.functional.local.test_command import OURS, ROOT, free_port, status
from tests.processes import children, has_ended
from tests.waiting import wait_until
from twilio_emulator.client import CustomerClient

SECRET = "test_startup/twilio"
OTHERS = [name for name in os.environ if "BEDROCK" in name]
NEXT_LINE = len((ROOT / "functions/agent/assistant.py").read_text().splitlines()) + 1


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("functions", "layers/switchboard", "local", "twilio_emulator"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "template.yaml", tmp_path)
    (tmp_path / ".local").mkdir()
    knowledge = tmp_path / "functions" / "agent" / "knowledge"
    shutil.rmtree(knowledge)
    shutil.copytree(KNOWLEDGE, knowledge)
    return tmp_path


@contextmanager
def command(folder: Path, variables: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    environment = {name: value for name, value in os.environ.items() if name not in {*OURS, *OTHERS}}
    ports = {"PORT": str(free_port()), "TWILIO_PORT": str(free_port())}
    with subprocess.Popen(
        [sys.executable, "-m", "local"],
        cwd=folder,
        env={**environment, **ports, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said_at_its_end(process: subprocess.Popen[str]) -> str:
    """Return what a run printed that ended by itself; fail if it left a process behind."""
    started: set[int] = set()

    def has_exited() -> bool:
        started.update(children(process.pid))
        return process.poll() is not None

    wait_until(has_exited, what="its end")
    said, _ = process.communicate(timeout=120)
    assert started
    assert all(has_ended(pid) for pid in started)
    return said


@pytest.fixture(scope="module")
def endpoint(aws: LocalAws) -> str:
    """The local AWS, with Twilio's credentials in it."""
    aws.put_secret(SECRET, BUILT_IN.secret())
    return aws.endpoint


def sentence_of(function: str, variables: Mapping[str, str], *, endpoint: str, root: Path = ROOT) -> str:
    """Start one function of a copy of the repository that cannot start, and return the sentence that says why."""
    parameters = {"AssistantModel": "offline", "AwsEndpointUrl": endpoint, "TwilioSecretArn": SECRET}
    template = Template.read(root / "template.yaml", parameters=parameters)
    names = Names(template=template, endpoint=endpoint)
    functions = {
        each.spec.name: each.spec for each in read_functions(template, names, root=root, environment=variables)
    }
    with running(functions[function]) as (started, _), pytest.raises(CannotStart) as refused:
        started.wait_until_ready()
    return str(refused.value)


@pytest.mark.parametrize(
    ("function", "variables", "named"),
    [
        ("agent", {"ASSISTANT_MODEL": "openai:gpt-x"}, "ASSISTANT_MODEL is 'openai:gpt-x'"),
        ("agent", {"ASSISTANT_MODEL": "script:/nowhere/a.yaml"}, "the script /nowhere/a.yaml cannot be read"),
        ("sweeper", {"SWEEP_REQUESTS": "many"}, "SWEEP_REQUESTS is 'many'"),
    ],
)
def test_the_sentence_of_a_wrong_setting_names_it(
    function: str, variables: dict[str, str], named: str, endpoint: str
) -> None:
    said = sentence_of(function, variables, endpoint=endpoint)

    assert "\n" not in said
    assert named in said


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"ASSISTANT_MODEL": "nonsense"}, "ASSISTANT_MODEL is 'nonsense'"),
        ({"ASSISTANT_MODEL": "bedrock:a-model"}, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"),
        ({"ASSISTANT_FALLBACK_MODEL": "bedrock:a-model"}, "ASSISTANT_FALLBACK_MODEL is 'bedrock:a-model'"),
    ],
)
def test_a_wrong_setting_ends_the_start_with_its_sentence(variables: dict[str, str], named: str) -> None:
    with command(ROOT, variables) as process:
        said = (
            said_at_its_end(process)
            if "bedrock:a-model" not in variables.values()
            else process.communicate(timeout=120)[0]
        )

    assert process.returncode == 1
    assert said.startswith("Cannot start: ")
    assert said.count("\n") == 1
    assert named in said


def append(line: str) -> Callable[[Path], None]:
    def change(function: Path) -> None:
        (function / "assistant.py").write_text(f"{(function / 'assistant.py').read_text()}{line}\n")

    return change


def import_a_module_with_a_bug(function: Path) -> None:
    (function / "prices.py").write_text("\nPRICE = PRICES[0]\n")
    append("import prices")(function)


def empty_the_knowledge(function: Path) -> None:
    for file in (function / "knowledge").iterdir():
        file.unlink()


def break_the_handler(function: Path) -> None:
    (function / "app.py").write_text("import pathlib\nimport nowhere_to_be_found\n")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (append("x = ("), f"assistant.py, line {NEXT_LINE}: SyntaxError"),
        (import_a_module_with_a_bug, "prices.py, line 2: NameError: name 'PRICES' is not defined"),
        (empty_the_knowledge, "knowledge/"),
        (break_the_handler, "ModuleNotFoundError: No module named 'nowhere_to_be_found' (app.py, line 2)"),
    ],
    ids=["syntax", "name", "knowledge", "handler"],
)
def test_the_sentence_of_a_broken_file_names_it(
    copy: Path, change: Callable[[Path], None], named: str, endpoint: str
) -> None:
    change(copy / "functions" / "agent")

    said = sentence_of("agent", {}, endpoint=endpoint, root=copy)

    assert "\n" not in said
    assert named in said


def test_a_broken_file_ends_the_start_with_its_sentence(copy: Path) -> None:
    append("x = (")(copy / "functions" / "agent")

    with command(copy, {}) as process:
        said = said_at_its_end(process)

    assert process.returncode == 1
    assert said.startswith("Cannot start: the agent function: ")
    assert said.count("\n") == 1
    assert f"assistant.py, line {NEXT_LINE}: SyntaxError" in said


def test_a_file_that_is_broken_while_it_runs_keeps_the_messages_until_it_is_mended(copy: Path) -> None:
    port, twilio_port = free_port(), free_port()
    assistant = copy / "functions" / "agent" / "assistant.py"
    whole = assistant.read_text()

    with (
        command(copy, {"PORT": str(port), "TWILIO_PORT": str(twilio_port)}) as process,
        CustomerClient(f"http://127.0.0.1:{twilio_port}", CUSTOMER) as phone,
    ):
        wait_until(lambda: status(port) == 200)
        assistant.write_text(f"{whole}opening_hours\n")
        phone.send("When are you open on Saturday?")
        lines = iter(process.stdout or [])
        said = next(line for line in lines if "cannot start" in line)
        assistant.write_text(whole)
        phone.send("And on Sunday?")
        wait_until(lambda: len(phone.inbox()) >= 1)
        wait_until(lambda: "Sunday" in str(phone.inbox()) or "closed" in str(phone.inbox()))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)

    assert process.returncode == 0
    assert f"assistant.py, line {NEXT_LINE}: NameError: name 'opening_hours' is not defined" in said

"""Both packages as wheels in an environment of their own: what they bring, what they need, and that they work."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from switchboard.disclosure import SENTENCES
from switchboard.languages import Language
from tests.e2e.wheels import ROOT, SOURCES, BareEnvironment, variables
from tests.waiting import wait_until
from twilio_emulator.client import CustomerClient

MAX_EMULATOR_BYTES = 35_000_000
MAX_EMULATOR_REQUIREMENTS = 5
DISCLOSURE = SENTENCES[Language.ENGLISH]
OF_THE_EXTRAS = re.compile(
    r"switchboard\.(aws|bootstrap|telemetry|stores\.dynamodb|agents\.(assistant|bare_agent|bedrock|effects|files|guard|history|model_requests|model_run|models|offline|providers|pydantic_ai_agent|summary|tool_calls))\b"
)
EXAMPLE = re.compile(r"^```python\n(.*?)^```\n```text\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
PACKAGES = {"switchboard": SOURCES["switchboard"] / "switchboard", "twilio_emulator": SOURCES["twilio-emulator"]}

EVERY_MODULE = """
import importlib, json, pkgutil, sys

failed = {}
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, sys.argv[1] + ".", onerror=lambda name: None):
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        failed[module.name] = error.name
print(json.dumps(failed))
"""


@pytest.fixture(scope="module")
def emulator_alone(tmp_path_factory: pytest.TempPathFactory, wheels: dict[str, Path]) -> BareEnvironment:
    """Return an environment that holds the emulator, and what it requires."""
    return BareEnvironment(tmp_path_factory.mktemp("emulator") / "venv", wheels["twilio-emulator"])


@pytest.mark.parametrize("name", PACKAGES)
def test_a_wheel_holds_the_package_its_types_and_its_licence_and_nothing_else(
    wheels: dict[str, Path], name: str
) -> None:
    source = PACKAGES[name]
    for_browsers = {each for each in (source / "web").rglob("*") if each.is_file() and "__pycache__" not in each.parts}
    code = {*source.rglob("*.py"), source / "py.typed", *for_browsers}

    packed = zipfile.ZipFile(wheels[name.replace("_", "-")]).namelist()

    described = {each for each in packed if each.startswith(f"{name}-")}
    assert {*packed} - described == {f"{name}/{path.relative_to(source).as_posix()}" for path in code}
    assert any(each.endswith("/licenses/LICENSE") for each in described)


@pytest.mark.parametrize("name", PACKAGES)
def test_the_installed_package_is_the_wheels_and_knows_its_version(
    bare_environment: BareEnvironment, name: str
) -> None:
    distribution = name.replace("_", "-")

    imported = bare_environment.evaluate(
        f"import {name} as it, importlib.metadata as m; print(it.__file__, it.__version__, m.version('{distribution}'))"
    )

    file, own_version, version = imported.split()
    assert Path(file).is_relative_to(bare_environment.folder)
    assert Path(file).with_name("py.typed").exists()
    assert own_version == version


def test_without_its_extras_switchboard_brings_neither_aws_nor_a_model(bare_environment: BareEnvironment) -> None:
    heavy = "boto3", "botocore", "aws_lambda_powertools", "pydantic_ai"

    found = bare_environment.evaluate(f"import importlib.util as u; print([n for n in {heavy} if u.find_spec(n)])")

    assert found.strip() == "[]"


def test_without_its_extras_only_the_parts_for_aws_and_models_cannot_be_imported(
    bare_environment: BareEnvironment,
) -> None:
    failed = json.loads(bare_environment.run(bare_environment.python, "-c", EVERY_MODULE, "switchboard"))

    assert {module: lacks for module, lacks in failed.items() if not OF_THE_EXTRAS.match(module)} == {}
    assert {lacks.partition(".")[0] for lacks in failed.values()} <= {
        "boto3",
        "botocore",
        "aws_lambda_powertools",
        "httpx2",
        "pydantic_ai",
    }


def test_what_speaks_with_twilio_loads_no_aws_no_model_and_no_pydantic(bare_environment: BareEnvironment) -> None:
    code = f"{EVERY_MODULE}\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"

    printed = bare_environment.run(bare_environment.python, "-c", code, "switchboard.twilio").splitlines()

    failed, loaded = (json.loads(line) for line in printed)
    assert failed == {}
    assert "twilio" in loaded
    assert {"boto3", "pydantic", "pydantic_ai"} & {*loaded} == set()


def test_the_first_example_of_switchboard_prints_what_its_page_shows(bare_environment: BareEnvironment) -> None:
    ((code, shown),) = EXAMPLE.findall((SOURCES["switchboard"] / "README.md").read_text())

    with bare_environment.emulator() as url:
        printed = bare_environment.evaluate(
            code.replace("Provider.local()", f"Provider.local({url.rpartition(':')[2]})")
        )

    assert "Provider.local()" in code
    assert printed == shown


def test_the_first_program_of_the_examples_runs_with_the_wheels_alone(bare_environment: BareEnvironment) -> None:
    code = (ROOT / "examples" / "first.py").read_text()

    with bare_environment.emulator() as url:
        printed = bare_environment.evaluate(
            code.replace("Provider.local()", f"Provider.local({url.rpartition(':')[2]})")
        )

    assert printed.endswith("from switchboard: Hello!\n")


def test_the_emulator_alone_is_small(emulator_alone: BareEnvironment) -> None:
    project = tomllib.loads((SOURCES["twilio-emulator"] / "pyproject.toml").read_text())["project"]
    emulator_alone.run(emulator_alone.python, "-m", "compileall", "-q", emulator_alone.folder)  # as pip installs it

    assert len(project["dependencies"]) <= MAX_EMULATOR_REQUIREMENTS
    assert emulator_alone.size() <= MAX_EMULATOR_BYTES


def test_every_module_of_the_emulator_alone_can_be_imported(emulator_alone: BareEnvironment) -> None:
    assert json.loads(emulator_alone.run(emulator_alone.python, "-c", EVERY_MODULE, "twilio_emulator")) == {}


def test_the_emulators_command_explains_itself_by_the_name_it_was_called_by(emulator_alone: BareEnvironment) -> None:
    command = emulator_alone.run(emulator_alone.program("twilio-emulator"), "--help")
    module = emulator_alone.run(emulator_alone.python, "-m", "twilio_emulator", "--help")

    assert command.startswith("usage: twilio-emulator [-h]")
    assert module.startswith("usage: python -m twilio_emulator [-h]")


def test_the_first_example_of_the_emulator_prints_what_its_page_shows(emulator_alone: BareEnvironment) -> None:
    ((code, shown),) = EXAMPLE.findall((SOURCES["twilio-emulator"] / "README.md").read_text())

    with emulator_alone.emulator() as url:
        printed = emulator_alone.evaluate(code.replace("http://127.0.0.1:8081", url))

    assert printed == shown


# ── examples/complete.py ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def example(tmp_path: Path) -> Path:
    return Path(shutil.copy(ROOT / "examples" / "complete.py", tmp_path))


@pytest.fixture
def emulator(bare_environment: BareEnvironment) -> Iterator[str]:
    with bare_environment.emulator() as url:
        yield url


@contextmanager
def running(
    environment: BareEnvironment, example: Path, *, emulator: str, port: int
) -> Iterator[subprocess.Popen[str]]:
    """Run the example until the end of the block. It has told Twilio its URL when the block begins."""
    ports = {"TWILIO_PORT": str(urlsplit(emulator).port), "PORT": str(port)}
    with subprocess.Popen(  # noqa: S603 -- our own example
        [environment.python, example.name],
        cwd=example.parent,
        env={**variables(), **ports},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline().startswith("Twilio calls "), process.stderr.read()
            yield process
        finally:
            process.kill()


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def bodies(customer: CustomerClient) -> list[str]:
    return [message.body for message in customer.inbox()]


def test_it_answers_a_phone_refuses_what_twilio_did_not_sign_and_ends_cleanly(
    bare_environment: BareEnvironment, example: Path, emulator: str, port: int
) -> None:
    with running(bare_environment, example, emulator=emulator, port=port) as process:
        with CustomerClient(emulator, "+12025550110") as customer:
            customer.send("When are you open?")
            wait_until(lambda: bodies(customer) == [f"{DISCLOSURE}\n\nYou wrote: When are you open?"])
        forged = httpx.post(f"http://127.0.0.1:{port}/webhook", data={"a": "b"}, headers={"X-Twilio-Signature": "x"})
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)

    assert forged.status_code == 403
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_killed_after_twilio_took_the_reply_it_does_not_say_it_twice(
    bare_environment: BareEnvironment, example: Path, emulator: str, port: int
) -> None:
    hangs = {"kind": "timeout", "on": "POST */Messages", "count": 1, "commit": "first", "seconds": 600}
    with CustomerClient(emulator, "+12025550111") as customer:
        with running(bare_environment, example, emulator=emulator, port=port) as process:
            httpx.post(f"{emulator}/_emulator/faults", json=hangs).raise_for_status()
            customer.send("first")
            wait_until(lambda: bodies(customer) == [f"{DISCLOSURE}\n\nYou wrote: first"])
            process.send_signal(signal.SIGKILL)
        with running(bare_environment, example, emulator=emulator, port=port):
            customer.send("second")  # answered only when it is known what became of the first reply: half a minute
            wait_until(lambda: "second" in " ".join(bodies(customer)))

        assert bodies(customer) == [f"{DISCLOSURE}\n\nYou wrote: first", "You wrote: second"]


def test_its_types_are_known_where_only_the_wheels_are_installed(
    bare_environment: BareEnvironment, tmp_path: Path
) -> None:
    names = ("first.py", "complete.py")
    copies = [shutil.copy(ROOT / "examples" / name, tmp_path) for name in names]

    checked = subprocess.run(  # noqa: S603 -- our own examples
        [sys.executable, "-m", "mypy", "--strict", "--python-executable", bare_environment.python, *copies],
        cwd=tmp_path,
        env=variables(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.stdout == "Success: no issues found in 2 source files\n", checked.stdout

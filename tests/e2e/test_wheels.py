"""Both packages as wheels in an environment of their own: what they bring, what they need, and that they work."""

import json
import re
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.e2e.wheels import ROOT, SOURCES, BareEnvironment

MAX_EMULATOR_BYTES = 35_000_000
MAX_EMULATOR_REQUIREMENTS = 5
OF_THE_EXTRAS = re.compile(
    r"switchboard\.(aws|bootstrap|telemetry|agents\.(assistant|bedrock|history|models|offline|pydantic_ai_agent))\b"
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
    code = {*source.rglob("*.py"), source / "py.typed"}

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

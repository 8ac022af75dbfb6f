"""Every requirement is declared where it is used, and pinned with its hashes; nothing says where it is downloaded."""

import ast
import json
import re
import sys
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.conftest import TEMPLATE

ROOT = TEMPLATE.parent
LAYER = ROOT / "layers" / "switchboard"
LOCAL_LOCK, DEV_LOCK = ROOT / "requirements" / "local.txt", ROOT / "requirements" / "dev.txt"
NODE = ROOT / "tests" / "contract" / "node"
LOCKS = [LAYER / "requirements.txt", *sorted((ROOT / "requirements").glob("*.txt"))]
PIN = re.compile(r"([a-z0-9][a-z0-9._-]*)==([^\s;]+)(?: ; .+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")
COMMENT = re.compile(r"    # via .+")

PACKAGES = {"switchboard": LAYER, "twilio-emulator": ROOT / "twilio_emulator"}

# The extras that a part of the package `switchboard` may import from; every other part takes the required ones only.
EXTRAS = {
    "agents": {"agents"},
    "aws": {"aws"},
    "bootstrap": {"aws"},
    "stores/dynamodb.py": {"aws"},
    "telemetry.py": {"aws"},
}

# The code of these folders may import what both packages, its own and the earlier requirements name.
SCOPES = {
    ROOT / "requirements" / "local.in": ("functions", "local", "evals"),
    ROOT / "requirements" / "mutation.in": ("tests/mutation",),
    ROOT / "requirements" / "dev.in": ("tests", "bench", "examples"),
}
DATA = {"tzdata"}  # packages that nothing imports: zoneinfo reads it
NOT_INSTALLED = {"langchain", "strands"}  # examples of frameworks that nothing here needs; they are not run
OURS = {"app", "assistant", "bench", "evals", "local", "switchboard", "tests", "twilio_emulator", "workshop"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_lock_holds_pins_and_hashes_and_nothing_else(lock: Path) -> None:
    lines = lock.read_text().splitlines()

    strange = [line for line in lines if not any(form.fullmatch(line) for form in (PIN, HASH, COMMENT))]

    assert strange == []
    assert len(pins(lock)) > 10


def test_nodes_lock_holds_exact_versions_and_hashes_and_no_addresses() -> None:
    wanted = json.loads((NODE / "package.json").read_text())["devDependencies"]
    locked = json.loads((NODE / "package-lock.json").read_text())["packages"]
    installed = {path: package for path, package in locked.items() if path}

    assert {name: installed[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert [path for path, package in installed.items() if not package["integrity"].startswith("sha512-")] == []
    assert "://" not in (NODE / "package-lock.json").read_text()


def test_the_local_stack_and_the_tests_run_on_what_is_deployed() -> None:
    deployed, local, dev = (pins(lock) for lock in (LAYER / "requirements.txt", LOCAL_LOCK, DEV_LOCK))

    assert deployed.items() <= local.items() <= dev.items()


def test_every_import_is_declared_where_it_is_used() -> None:
    declared = {name for package in PACKAGES.values() for name in requirements_of(package)}
    undeclared: set[tuple[str, str]] = set()

    for requirements, folders in SCOPES.items():
        declared |= names_in(requirements.read_text().splitlines())
        for folder in folders:
            undeclared |= imported_beyond(declared, ROOT / folder)

    assert undeclared == set()


def test_each_part_of_switchboard_imports_what_its_extra_declares_and_the_rest_what_is_required() -> None:
    package = LAYER / "switchboard"
    modules = [path.relative_to(package).as_posix() for path in package.rglob("*.py")]

    undeclared = [
        each
        for module in modules
        for each in imported_beyond(requirements_of(LAYER, extras_of(module)), package / module)
    ]

    assert all(extras_of(module) for module in ("aws/secrets.py", "stores/dynamodb.py", "agents/models.py"))
    assert undeclared == []


def extras_of(module: str) -> set[str]:
    return {
        extra for part, extras in EXTRAS.items() if module == part or module.startswith(f"{part}/") for extra in extras
    }


def test_the_emulator_imports_what_it_declares() -> None:
    assert imported_beyond(requirements_of(PACKAGES["twilio-emulator"]), PACKAGES["twilio-emulator"]) == set()


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_requires_nothing_that_it_does_not_import(name: str) -> None:
    imported = {top for path in PACKAGES[name].rglob("*.py") for top in third_party_imports(path)}

    needed = {name for top in imported for name in providing(top)}

    assert requirements_of(PACKAGES[name]) - needed - DATA == set()


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_can_stand_alone(name: str) -> None:
    folder = PACKAGES[name]

    assert project(folder)["name"] == name
    assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert re.findall(r"\]\((?!https?://)", (folder / "README.md").read_text()) == []


def test_the_linter_and_the_types_are_those_of_the_oldest_python_that_the_packages_take() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    oldest = tools["mypy"]["python_version"]

    assert {project(folder)["requires-python"] for folder in PACKAGES.values()} == {f">={oldest}"}
    assert tools["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"


def project(folder: Path) -> dict[str, Any]:
    """Return what a package's metadata say of it."""
    metadata: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return metadata


def requirements_of(folder: Path, extras: Collection[str] | None = None) -> set[str]:
    """Return what a package requires, with some of its extras, or with all."""
    metadata = project(folder)
    optional = metadata.get("optional-dependencies", {})
    chosen = optional.keys() if extras is None else extras
    return names_in([*metadata["dependencies"], *(line for extra in chosen for line in optional[extra])])


def imported_beyond(declared: Collection[str], code: Path) -> set[tuple[str, str]]:
    """Return each import of a module or folder that no declared requirement provides, with the file."""
    return {
        (path.relative_to(ROOT).as_posix(), name)
        for path in ([code] if code.is_file() else code.rglob("*.py"))
        for name in third_party_imports(path)
        if providing(name).isdisjoint(declared)
    }


@cache
def providing(module: str) -> frozenset[str]:
    """Return the distributions that may bring a module."""
    return frozenset(normal(each) for each in distributions().get(module, [module]))


@cache
def distributions() -> Mapping[str, list[str]]:
    return packages_distributions()


def pins(lock: Path) -> dict[str, str]:
    return {found[1]: found[2] for line in lock.read_text().splitlines() if (found := PIN.fullmatch(line))}


def names_in(requirements: Iterable[str]) -> set[str]:
    lines = (line.partition("#")[0].strip() for line in requirements)
    return {normal(re.split(r"[\[=<>~! ]", line)[0]) for line in lines if line and not line.startswith("-r")}


def third_party_imports(path: Path) -> Iterator[str]:
    """Yield what a module imports when it runs: types alone, from stubs, are imported under TYPE_CHECKING."""
    tree = ast.parse(path.read_text())
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    for node in ast.walk(tree):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules = [node.module]
        tops = {module.partition(".")[0] for module in modules}
        yield from tops - sys.stdlib_module_names - OURS - NOT_INSTALLED


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

"""Every requirement is declared once, pinned with its hashes, and says nothing of where it is downloaded."""

import ast
import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

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

# The code of a folder may import what its own and the earlier requirements name, and what the project itself is.
SCOPES = {
    LAYER / "requirements.in": ("layers", "functions"),
    ROOT / "requirements" / "local.in": ("local", "twilio_emulator"),
    ROOT / "requirements" / "mutation.in": ("tests/mutation",),
    ROOT / "requirements" / "dev.in": ("tests", "bench", "examples"),
}
OURS = {"app", "assistant", "bench", "local", "switchboard", "tests", "twilio_emulator"}


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
    distributions = packages_distributions()
    declared: set[str] = set()
    undeclared: set[tuple[str, str]] = set()

    for requirements, folders in SCOPES.items():
        declared |= names_in(requirements)
        for folder in folders:
            for path in (ROOT / folder).rglob("*.py"):
                undeclared |= {
                    (path.relative_to(ROOT).as_posix(), name)
                    for name in third_party_imports(path)
                    if not {normal(each) for each in distributions.get(name, [name])} & declared
                }

    assert undeclared == set()


def pins(lock: Path) -> dict[str, str]:
    return {found[1]: found[2] for line in lock.read_text().splitlines() if (found := PIN.fullmatch(line))}


def names_in(requirements: Path) -> set[str]:
    lines = (line.partition("#")[0].strip() for line in requirements.read_text().splitlines())
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
        yield from tops - sys.stdlib_module_names - OURS


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

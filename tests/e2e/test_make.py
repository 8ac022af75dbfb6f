"""`make build` builds what changed and nothing else; `make invoke` says what is missing before it builds."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT
from tests.skips import program

NOTHING_TO_DO, SOMETHING_TO_DO = 0, 1  # what `make --question` exits with
A_KNOWLEDGE_FILE = next((ROOT / "functions" / "agent" / "knowledge").rglob("*.md")).relative_to(ROOT).as_posix()
SOURCES = ("Makefile", "template.yaml", "functions", "layers", "requirements")


def make(tree: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 -- ours
        [program("make"), *arguments],
        cwd=tree,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def append(path: Path) -> None:
    """Add a line, and leave the date as it was, as an archive that is unpacked over the tree does."""
    before = path.stat()
    path.write_text(path.read_text() + "\n# edited\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of everything that is built, which `make` takes for built."""
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, tmp_path / name)
    for folder in (".venv/bin", ".venv-sam/bin", ".aws-sam/build"):
        (tmp_path / folder).mkdir(parents=True)
    assert make(tmp_path, "--touch", "build").returncode == 0
    return tmp_path


def test_what_is_built_is_not_built_again(built: Path) -> None:
    again = make(ROOT, "--question", "build")

    assert (built / "template.yaml").exists()
    assert again.returncode == NOTHING_TO_DO


def test_an_unchanged_tree_has_nothing_to_build(tree: Path) -> None:
    (tree / "functions" / "agent" / "__pycache__").mkdir()
    (tree / "functions" / "agent" / "__pycache__" / "app.cpython-313.pyc").touch()

    assert make(tree, "--question", "build").returncode == NOTHING_TO_DO


@pytest.mark.parametrize(
    ("path", "edit"),
    [
        ("functions/webhook/app.py", append),
        (A_KNOWLEDGE_FILE, append),
        (A_KNOWLEDGE_FILE, Path.unlink),
        ("functions/agent/knowledge/a new page.md", Path.touch),
        ("layers/switchboard/switchboard/events.py", append),
        ("layers/switchboard/requirements.txt", append),
        ("template.yaml", append),
    ],
)
def test_an_edit_is_something_to_build(tree: Path, path: str, edit: Callable[[Path], None]) -> None:
    edit(tree / path)

    assert make(tree, "--question", "build").returncode == SOMETHING_TO_DO


def test_without_docker_make_invoke_says_so_before_it_builds(tree: Path) -> None:
    shutil.rmtree(tree / ".aws-sam")
    shutil.rmtree(tree / ".venv")
    (tree / ".venv").symlink_to(ROOT / ".venv")
    os.utime(tree / "requirements" / "local.txt", (0, 0))  # older than what is installed from it
    for name in ("local", "twilio_emulator", "events"):
        (tree / name).symlink_to(ROOT / name)

    invoked = make(tree, "invoke", DOCKER_HOST=f"unix://{tree}/no-engine.sock")

    assert invoked.returncode != 0
    assert "needs a Docker engine, and none answers" in invoked.stderr
    assert not (tree / ".aws-sam").exists()

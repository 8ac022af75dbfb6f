"""AGENTS.md and llms.txt ↔ what is here: each command, path and link works, and no page is left out."""

import re
import subprocess

from tests.architecture.conftest import TEMPLATE
from tests.skips import program

ROOT = TEMPLATE.parent
AGENTS = (ROOT / "AGENTS.md").read_text()
LLMS = (ROOT / "llms.txt").read_text()
LINK = re.compile(r"^- \[[^\]]+\]\(([^)\s]+)\): \S.+$", re.MULTILINE)


def test_every_make_target_that_is_named_exists() -> None:
    named = {*re.findall(r"\bmake ([a-z./]+)", code(AGENTS))}

    assert named >= {"run", "test", "check", "format", ".venv/dev"}
    make = [program("make"), "--dry-run", *sorted(named)]
    planned = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 -- it only plans
    assert planned.returncode == 0, planned.stderr


def test_every_test_that_is_named_exists() -> None:
    runs = re.findall(r"-m pytest (\S+)(?: -k \"(\w+)\")?", code(AGENTS))

    assert len(runs) > 2
    for path, part in runs:
        tests = "".join(each.read_text() for each in (ROOT / path).rglob("test_*.py"))
        assert re.search(rf"def test_\w*{part}", tests), path


def test_how_to_work_here_is_short() -> None:
    assert len(AGENTS.splitlines()) <= 70


def test_llms_txt_has_its_form() -> None:
    lines = [line for line in LLMS.splitlines() if line]
    links = [line for line in lines if line.startswith("- ")]

    assert re.fullmatch(r"# \w+", lines[0])
    assert lines[1].startswith("> ")
    assert lines[3].startswith("## ")
    assert all(line.startswith(("## ", "- ")) for line in lines[3:])
    assert len(LINK.findall(LLMS)) == len(links)


def test_llms_txt_names_every_page_and_example_and_nothing_else() -> None:
    linked = LINK.findall(LLMS)
    wanted = [path for pattern in ("docs/*.md", "examples/*.py") for path in ROOT.glob(pattern)]

    assert len(linked) == len({*linked})
    assert [path for path in linked if not (ROOT / path).is_file()] == []
    assert {path.relative_to(ROOT).as_posix() for path in wanted} <= {*linked}


def code(page: str) -> str:
    """Return what a page has as code: its blocks, and its code spans."""
    return "\n".join(
        [*re.findall(r"^```\n(.*?)^```", page, re.MULTILINE | re.DOTALL), *re.findall(r"`([^`\n]+)`", page)]
    )

"""Documents ↔ code: what a document names exists; what an operator meets in the code is documented."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from switchboard.author import AuthorRole
from switchboard.aws.dynamodb.updates import ACTIVITY, HUMAN_OWNER, LEASE, TURN
from switchboard.conversation import RefusalRule, TurnOutcome
from switchboard.errors import RejectionCause
from switchboard.lifecycle import Effect
from switchboard.turn.context import Step
from switchboard.turn.result import DROPPED, RetryReason
from switchboard.twilio.webhook.parse import KNOWN
from tests.architecture.conftest import TEMPLATE
from tests.simulation.mutants import MUTANTS
from tests.skips import program

ROOT = TEMPLATE.parent
DECISIONS = ROOT / "docs" / "decisions"
OPERATIONS = ROOT / "docs" / "operations.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
GUARANTEES = ROOT / "docs" / "guarantees.md"
LAYER = ROOT / "layers" / "switchboard" / "switchboard"

FENCED = re.compile(r"^( *)(```+).*?^\1\2\s*$", re.MULTILINE | re.DOTALL)
CODE_SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)
PATH = re.compile(r"[A-Za-z0-9_.*{},-]+(?:/[A-Za-z0-9_.*{},-]+)*/?")
SUFFIXES = (".py", ".md", ".yaml", ".yml", ".toml", ".in")
ROW = re.compile(r"^\| `?([^|`]+?)`? \| (.+?) \|", re.MULTILINE)
HEADER = re.compile(r"# (\d{4})\. (.+)\n\n\| \| \|\n\|---\|---\|\n\| status \| (.+) \|\n\| date \| ([\d-]+) \|\n")
FIRST_CELL = re.compile(r"^\| (`.+?) \|", re.MULTILINE)
PARTS_OF_A_DECISION = ["Context", "Decision", "Consequences", "Alternatives", "Measured effect"]


@cache
def files() -> list[str]:
    """Return every file that git keeps, as a path from the root."""
    git = [program("git"), "ls-files", "-z"]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 -- it only lists
    return [name for name in filter(None, listed.stdout.split("\0")) if (ROOT / name).is_file()]


@cache
def folders() -> set[str]:
    """Return the folders of these files."""
    return {parent.as_posix() for name in files() for parent in Path(name).parents} - {"."}


def pages() -> list[str]:
    """Return the documents among them."""
    return [name for name in files() if name.endswith(".md")]


def prose(page: str) -> str:
    """Return a page without its blocks of code."""
    return FENCED.sub("", (ROOT / page).read_text())


def fragments(path: Path) -> set[str]:
    """Return the fragments of a page's headings, as GitHub makes them."""
    found: list[str] = []
    for heading in HEADING.findall(FENCED.sub("", path.read_text())):
        text = LINK.sub(lambda link: link[0][1 : link[0].index("]")], heading).replace("`", "")
        base = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found.append(f"{base}-{found.count(base)}" if base in found else base)
    return set(found)


def test_every_relative_link_leads_to_a_file_and_to_a_heading_in_it() -> None:
    links = [(page, link) for page in pages() for link in LINK.findall(CODE_SPAN.sub("", prose(page)))]

    broken = [(page, link) for page, link in links if "://" not in link and not leads_somewhere(page, link)]

    assert len(links) > len(pages())
    assert broken == []


def leads_somewhere(page: str, link: str) -> bool:
    name, _, fragment = link.partition("#")
    path = (ROOT / page).parent / name if name else ROOT / page
    if not path.exists() or ROOT not in path.resolve().parents:
        return False
    return not fragment or (path.suffix == ".md" and fragment in fragments(path))


def test_every_path_that_is_named_is_there() -> None:
    words = [(page, word) for page in pages() for span in CODE_SPAN.findall(prose(page)) for word in span.split()]
    named = [(page, word) for page, word in words if looks_like_a_path(word)]

    assert len(named) > len(pages())
    assert [(page, path) for page, path in named if not is_there(path)] == []


def looks_like_a_path(word: str) -> bool:
    """Tell whether a word in a code span means a file or folder here: by its first folder, or by how it ends."""
    if not PATH.fullmatch(word):
        return False
    return word.endswith((*SUFFIXES, "/")) or ("/" in word and word.partition("/")[0] in folders())


def is_there(path: str) -> bool:
    """Tell whether a file or folder has this path, or ends with it: `turn/gate.py` is the layer's."""
    wanted = path.rstrip("/")
    if re.search(r"[*{}]", wanted):
        return any(ROOT.glob(wanted.replace("{", "*").replace("}", "*").replace(",", "*")))
    kept = folders() if path.endswith("/") else folders().union(files())
    return any(each == wanted or each.endswith(f"/{wanted}") for each in kept)


def test_every_proof_and_test_that_a_promise_names_is_there() -> None:
    named = {
        span for span in CODE_SPAN.findall(prose("docs/guarantees.md")) if re.fullmatch(r"[a-z]+(_[a-z]+){3,}", span)
    }
    tests = "".join((ROOT / name).read_text() for name in files() if name.startswith("tests/") and name.endswith(".py"))

    assert len(named) > 5
    assert {name for name in named if f"def {name}(" not in tests} == set()


def test_every_page_is_in_the_index() -> None:
    folder = ROOT / "docs"
    linked = {(folder / link.partition("#")[0]).resolve() for link in LINK.findall((folder / "README.md").read_text())}

    assert {page for page in folder.glob("*.md") if page.name != "README.md"} <= linked


def test_the_settings_page_names_every_parameter_and_its_default(template: Mapping[str, Any]) -> None:
    rows = dict(ROW.findall(section(OPERATIONS, "Settings")))
    told = {name: rows.get(name, "").strip("`") for name in template["Parameters"]}

    wrong = {
        name: told[name]
        for name, parameter in template["Parameters"].items()
        if not told[name].startswith(str(parameter.get("Default", "required")) or "empty")
    }
    assert wrong == {}
    assert rows.keys() - {"parameter"} == template["Parameters"].keys()


def test_the_metrics_page_names_every_decision_and_no_other() -> None:
    documented = {name for name in first_cells(section(OPERATIONS, "Metrics")) if "<" not in name}
    closed_sets = (TurnOutcome, RetryReason, Effect)
    decisions = {member.value for members in closed_sets for member in members} | {DROPPED}
    decisions |= {f"rejected_{cause}" for cause in RejectionCause}
    decisions.add(f"ignored_message_of_{AuthorRole.ASSISTANT}")
    named = {*constants_given_to({"record_decision", "record_value", "add_metric"})}
    ignored = {f"ignored_{name}" for name in constants_given_to({"Ignored"})}

    assert {"accepted", "failed", "coalescing", "found_again", "oldest_due_check_seconds"} <= named
    assert {"ignored_unknown_state", "ignored_another_service"} <= ignored
    assert (decisions | named | ignored) - documented == set()
    assert documented - decisions - named - ignored - {f"ignored_{event_type}" for event_type in KNOWN} == set()


def constants_given_to(functions: set[str]) -> Iterator[str]:
    """Yield the string constants among the arguments of calls of these functions in the deployed code."""
    for name in files():
        if name.startswith(("layers/", "functions/")) and name.endswith(".py"):
            for node in ast.walk(ast.parse((ROOT / name).read_text())):
                if isinstance(node, ast.Call) and _called(node.func) in functions:
                    given = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "name")]
                    yield from _constants(given)


def _called(function: ast.expr) -> str:
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def _constants(expressions: Iterable[ast.expr]) -> Iterator[str]:
    """Yield the strings that these expressions may be, as far as they are written out: `"a" if found else "b"`."""
    for expression in expressions:
        match expression:
            case ast.Constant(value=str(value)):
                yield value
            case ast.IfExp(body=body, orelse=orelse):
                yield from _constants((body, orelse))


def test_the_row_of_refused_names_every_rule() -> None:
    (row,) = re.findall(r"^\| `refused` \|.+$", section(OPERATIONS, "Metrics"), re.MULTILINE)

    assert set(CODE_SPAN.findall(row)) >= {rule.value for rule in RefusalRule}


def test_every_log_field_of_ours_is_explained() -> None:
    explained = {*first_cells(section(OPERATIONS, "Logs"))}
    keys = {
        key.value
        for path in (LAYER / "telemetry.py", *LAYER.glob("aws/sqs/*_batch.py"), LAYER / "bootstrap" / "sweeper.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }

    assert keys >= {"conversation_sid", "stack", "records", "found"}
    assert keys - explained == set()


def test_every_attribute_of_a_conversation_is_explained_and_no_other() -> None:
    table = section(ARCHITECTURE, "The table").partition("The attributes of `CONVERSATION`")[2]
    explained = {*first_cells(table)}
    read = {
        *re.findall(r'\bitem(?:\.get\(|\[)"(\w+)"', function_text("aws/dynamodb/items.py", "conversation_from_item"))
    }

    assert read >= {"owner", "pending_reply", "low_watermark"}
    assert explained == read.union(ACTIVITY, LEASE, TURN, HUMAN_OWNER, {"next_check", "next_check_shard"})


def function_text(module: str, name: str) -> str:
    """Return the source of a function of the layer."""
    text = (LAYER / module).read_text()
    (function,) = (n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == name)
    return ast.get_source_segment(text, function) or ""


def test_the_steps_of_a_turn_are_explained_in_their_order() -> None:
    rows = re.findall(r"^\| (\w+) \|", section(ARCHITECTURE, "A turn").partition("| step |")[2], re.MULTILINE)
    in_order = [step.value for step in Step if step is not Step.RESUME]

    assert rows[: len(in_order)] == in_order
    assert "### Resume" in section(ARCHITECTURE, "A turn")


def test_every_module_of_the_layer_is_in_the_list_of_modules() -> None:
    listed = [name.rstrip("/") for name in first_cells(section(ARCHITECTURE, "The layer, module by module"))]
    modules = {path.relative_to(LAYER).as_posix() for path in LAYER.rglob("*.py") if path.name != "__init__.py"}

    assert {
        name for name in modules if not any(name == each or name.startswith(f"{each}/") for each in listed)
    } == set()
    assert {name for name in listed if not (LAYER / name).exists()} == set()


def test_the_number_of_mutants_is_the_documented_one() -> None:
    assert f"{len(MUTANTS)} of {len(MUTANTS)} noticed" in GUARANTEES.read_text()


def test_the_alarms_page_names_every_alarm(template: Mapping[str, Any]) -> None:
    alarms = {name for name, each in template["Resources"].items() if each["Type"] == "AWS::CloudWatch::Alarm"}

    assert set(CODE_SPAN.findall(section(OPERATIONS, "Alarms"))) >= alarms


def test_every_requirement_says_what_it_is_for() -> None:
    (page,) = DECISIONS.glob("*-dependencies.md")
    explained = {re.sub(r"\[.*", "", span).lower() for span in CODE_SPAN.findall(page.read_text())}

    assert set(requirements()) - explained == set()


def requirements() -> Iterator[str]:
    for name in files():
        lines: list[str] = []
        if name.endswith(".in"):
            lines = [line for line in (ROOT / name).read_text().splitlines() if line[:1].isalpha()]
        elif name.endswith("/pyproject.toml"):
            described = tomllib.loads((ROOT / name).read_text())
            project = described["project"]
            lines = [*described["build-system"]["requires"], *project["dependencies"]]
            lines += [line for extra in project.get("optional-dependencies", {}).values() for line in extra]
        yield from (re.split(r"[\[=<>~ ;]", line)[0].lower() for line in lines)


def test_the_index_of_decisions_says_what_each_file_says() -> None:
    rows = re.findall(
        r"^\| \[(\d{4})\]\(([^)]+)\) \| (.+) \| (.+) \| (.+) \|$", (DECISIONS / "README.md").read_text(), re.MULTILINE
    )
    listed = {name: (number, title, status, date) for number, name, title, status, date in rows}

    assert listed == {path.name: _header(path) for path in DECISIONS.glob("[0-9]*.md")}
    assert [number for number, *_ in listed.values()] == [f"{number:04}" for number in range(1, len(listed) + 1)]


def _header(path: Path) -> tuple[str, str, str, str]:
    text = path.read_text()
    header = re.match(
        r"# (\d{4})\. (.+)\n\n\| \| \|\n\|---\|---\|\n\| status \| (.+) \|\n\| date \| ([\d-]+) \|\n", text
    )
    assert header, path
    assert path.name.startswith(header[1])
    return header[1], header[2], header[3], header[4]


@pytest.mark.parametrize("path", sorted(DECISIONS.glob("[0-9]*.md")), ids=lambda path: path.stem)
def test_a_decision_has_all_its_parts(path: Path) -> None:
    text = path.read_text()

    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS_OF_A_DECISION
    assert all(body.strip() for body in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:])


def first_cells(text: str) -> list[str]:
    """Return the code spans of each row's first cell in the tables of a text."""
    return CODE_SPAN.findall(" ".join(FIRST_CELL.findall(text)))


def section(page: Path, title: str) -> str:
    """Return what stands under a heading of the second level."""
    parts = re.split(r"^## (.+)$", page.read_text(), flags=re.MULTILINE)
    return parts[parts.index(title) + 1]

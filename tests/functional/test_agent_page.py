"""docs/agent.md: its files make an assistant, and `make chat` prints what the page shows."""

import logging
import re
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from evals.cases import read_cases
from local import chat
from local.scripted_model import register
from switchboard.agents.models import DEVELOPER_PROVIDERS, OFFLINE
from switchboard.agents.watching import TOOL_CALLS, TRACEBACKS, ToolCall
from switchboard.bootstrap.agent import declared_assistant
from tests.code_blocks import matches

PAGE = Path(__file__).parents[2] / "docs" / "agent.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
YOU = "you        "


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "knowledge").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    for variable in ("SHOP_API_URL", "SHOP_TOKEN", "SHOP_TOKEN_ARN", "ASSISTANT_TONE"):
        monkeypatch.delenv(variable, raising=False)
    register()
    yield tmp_path
    DEVELOPER_PROVIDERS.clear()
    sys.modules.pop("assistant", None)
    for name in (TOOL_CALLS, TRACEBACKS):
        logging.getLogger(name).handlers.clear()


def test_every_block_of_the_page_works_and_the_chat_prints_what_it_shows(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = StringIO()
    monkeypatch.setattr(chat, "console", Console(file=printed, width=300))
    chat.watch()
    model, seen = OFFLINE, []

    for language, text in BLOCK.findall(PAGE.read_text()):
        seen.append(kind := language if language != "yaml" else text.split()[1])
        match kind:
            case "markdown":
                (folder / "knowledge" / "page.md").write_text(text)
            case "python":
                save(folder / "assistant.py", text)
            case "when:":
                (folder / "bakery.yaml").write_text(text)
                model = f"script:{folder / 'bakery.yaml'}"
            case "says:":
                assert faults(folder, text) == []
            case "text":
                assert_shown(text, chat.Chat(folder=folder, model=model), printed)
                model = OFFLINE

    assert set(seen) == {"markdown", "python", "when:", "says:", "text", "json"}
    assert seen.count("text") > 6


def save(file: Path, text: str) -> None:
    """Save an assistant; what declares none is added to the one before, as the page says."""
    before = (
        file.read_text() if re.search(r"^(assistant = |(async )?def assistant)", text, re.MULTILINE) is None else ""
    )
    head, declaration, tail = before.partition("assistant = ")
    file.write_text(f"{head}{text}\n\n{declaration}{tail}")
    sys.modules.pop("assistant", None)
    declared_assistant(file.parent)


def assert_shown(text: str, talk: chat.Chat, printed: StringIO) -> None:
    """Say what the page's customer says, and compare what is printed after each."""
    for exchange in text.split(YOU)[1:]:
        said, _, shown = exchange.partition("\n")
        printed.seek(0)
        printed.truncate()
        chat._answer(talk, said)  # noqa: SLF001 -- what run() does with a text
        assert matches(shown, printed.getvalue()), f"{said}\nshown: {shown}\nprinted: {printed.getvalue()}"


def faults(folder: Path, cases: str) -> list[str]:
    (folder / "cases.yaml").write_text(cases)
    calls: list[ToolCall] = []
    handler = logging.Handler()
    handler.emit = lambda record: calls.extend(each for each in record.args or () if isinstance(each, ToolCall))  # type: ignore[method-assign]
    logging.getLogger(TOOL_CALLS).addHandler(handler)
    agent = declared_assistant(folder).agent(model=OFFLINE)
    found: list[str] = []
    for case in read_cases(folder / "cases.yaml").cases:
        calls.clear()
        found += case.faults(agent.answer(case.question("a-turn")), calls)
    return found

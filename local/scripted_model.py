"""A model that follows a script, for developers: their tools run, and no key is needed.

    - when: where is my order|BH-1042      # words that the customer's message has; without it, any message fits
      then:
        - call: order_status               # a tool of assistant.py, or hand_off, no_reply, opt_out
          with: {order_number: BH-1042}
        - say: I looked. {result}          # what the last tool returned

The first entry that fits answers, one step for each request to the model. Where the last step is a call, the customer
reads what it returned. The file is read anew for each request. `make chat` and `make run` know it as
`script:path.yaml`; a deployed function does not. It imports nothing of `local`: the runtime loads it by its path.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel

from switchboard.agents.models import DEVELOPER_PROVIDERS
from switchboard.errors import Misconfigured, Permanent

RESULT = "{result}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A call of a tool with its arguments, or a text that is said. `place` is the file and the line."""

    place: str
    call: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    say: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the model does where the customer says one of these; without any, to whatever they say."""

    when: tuple[str, ...]
    then: tuple[Step, ...]

    def fits(self, words: str) -> bool:
        """Tell whether a message of the customer's has one of the texts, in any capital letters."""
        return not self.when or any(text in words.casefold() for text in self.when)


def register() -> None:
    """Make `script:path.yaml` the name of a model in this process."""
    DEVELOPER_PROVIDERS["script"] = lambda path: scripted_model(Path(path))


def scripted_model(path: Path) -> FunctionModel:
    """Return the model; raise `Misconfigured` with the line where the script cannot be read."""

    async def respond(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        place, words = next(_prompts(messages), (-1, ""))
        entry = next((entry for entry in read_script(path) if entry.fits(words)), None)
        if entry is None:
            return _say(f"{path.name} has no entry for this message.")
        return _played(entry, messages[place + 1 :], info)

    read_script(path)
    return FunctionModel(respond, model_name=path.name)


def _played(entry: Entry, since: Sequence[ModelMessage], info: AgentInfo) -> ModelResponse:
    """Return what the entry's next step says; `since` is what came after the customer's message."""
    done = [message for message in since if isinstance(message, ModelResponse)]
    last = entry.then[min(len(done), len(entry.then)) - 1]
    result = _result(since[-1], of=last) if done else ""
    if len(done) >= len(entry.then):
        return _say(result)
    step = entry.then[len(done)]
    if not step.call:
        return _say(step.say.replace(RESULT, result))
    tools = [tool.name for tool in (*info.function_tools, *info.output_tools)]
    if step.call not in tools:
        raise Permanent(f"{step.place}: no tool is named {step.call!r}. There are {', '.join(tools) or 'none'}")
    return ModelResponse(parts=[ToolCallPart(step.call, dict(step.arguments))])


def _result(message: ModelMessage, *, of: Step) -> str:
    """Return what a step's tool returned, or asked the model to do; raise `Permanent` where the step was refused."""
    for part in message.parts:
        if isinstance(part, ToolReturnPart) and part.retry and part.retry.cause == "validation_error":
            raise Permanent(f"{of.place}: {part.tool_name} does not take these arguments: {part.model_response_str()}")
        if isinstance(part, ToolReturnPart):
            return part.model_response_str()
    return ""


def _prompts(messages: Sequence[ModelMessage]) -> Iterator[tuple[int, str]]:
    """Yield what a user said, the newest first, each with the place of its message."""
    for place, message in reversed(list(enumerate(messages))):
        if isinstance(message, ModelRequest):
            yield from ((place, str(part.content)) for part in message.parts if isinstance(part, UserPromptPart))


def _say(text: str) -> ModelResponse:
    return ModelResponse(parts=[TextPart(text)])


def read_script(path: Path) -> list[Entry]:
    """Return the entries of a file; raise `Misconfigured` that names the line, or the key, and what to write."""
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Misconfigured(f"the script {path} cannot be read: {reason}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise Misconfigured(f"{path.name}{line}: this is not YAML: {getattr(error, 'problem', error)}") from None
    return [_Reader(path.name, loader).entry(node) for node in _Reader(path.name, loader).items(root, "entries")]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the nodes of a file, which know their lines."""

    name: str
    loader: yaml.SafeLoader

    def entry(self, node: yaml.Node) -> Entry:
        keys = self._keys(node, {"when", "then"}, "an entry")
        if "then" not in keys:
            raise self._wrong(node, "an entry needs `then`: a list of `- say: …` and `- call: …`")
        when = self._text(keys["when"], "when") if "when" in keys else ""
        texts = tuple(text.strip().casefold() for text in when.split("|") if text.strip())
        return Entry(when=texts, then=tuple(map(self._step, self.items(keys["then"], "steps"))))

    def items(self, node: yaml.Node | None, what: str) -> list[yaml.Node]:
        """Return the items of a list, which has at least one."""
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self._wrong(node, f"here a list of {what} is needed, each with a `-`")
        return list(node.value)

    def _step(self, node: yaml.Node) -> Step:
        keys = self._keys(node, {"call", "with", "say"}, "a step")
        if ("call" in keys) == ("say" in keys):
            raise self._wrong(node, "a step has either `call` or `say`")
        if "say" in keys and "with" in keys:
            raise self._wrong(node, "`with` belongs to a `call`")
        place = f"{self.name}, line {_line(node)}"
        if "say" in keys:
            return Step(place=place, say=self._text(keys["say"], "say"))
        given = self.loader.construct_object(keys["with"], deep=True) if "with" in keys else {}
        if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
            raise self._wrong(keys["with"], "`with` has the arguments by their names: {order_number: BH-1042}")
        return Step(place=place, call=self._text(keys["call"], "call"), arguments=given)

    def _keys(self, node: yaml.Node, known: set[str], what: str) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            raise self._wrong(node, f"{what} has keys: {', '.join(sorted(known))}")
        keys = {str(key.value): value for key, value in node.value}
        for key, _ in node.value:
            if key.value not in known:
                raise self._wrong(key, f"{what} has no key {key.value!r}: it has {', '.join(sorted(known))}")
        return keys

    def _text(self, node: yaml.Node, key: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            raise self._wrong(node, f"`{key}` needs a text; put one that holds `: ` or `{{` into quotes")
        return str(node.value)

    def _wrong(self, node: yaml.Node | None, what: str) -> Misconfigured:
        return Misconfigured(f"{self.name}, line {_line(node)}: {what}")


def _line(node: yaml.Node | None) -> int:
    return node.start_mark.line + 1 if node is not None else 1

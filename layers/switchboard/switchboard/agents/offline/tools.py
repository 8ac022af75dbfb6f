"""Which of an assistant's tools a question is for, and its arguments: by names, descriptions and parameters alone."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic_ai.tools import ToolDefinition

from switchboard.agents.knowledge.stop_words import STOP_WORDS
from switchboard.agents.knowledge.synonyms import base_forms
from switchboard.agents.offline.actions import asks_for, verb_of, words_of_verb

# Of a question's words so many must be a tool's, where the customer has to be asked for an argument: at once, or after
# a search that found nothing.
ENOUGH = 0.6
ENOUGH_AFTER_A_SEARCH = 0.4
FREE_TEXT = frozenset({"question", "query", "text", "message", "request", "topic", "search"})

_WORD = r"[^\W\d_]+"
_WITH_DIGITS = r"(?<![\w$€£.,:])#?((?:[A-Za-z]{1,4}-?)?\d{3,}[\w-]*)\b(?![:%])"
_AMOUNT = (
    r"(?i)\b(?:over|under|below|above|than|up to|least|most|about|around|costs?|within) [$€£]?\d[\d,.]*"
    r"|\d+ ?(?:dollars|bucks|usd|euros|miles|km|lbs)\b"
)
_LOOKING = frozenset({"check", "track", "trace", "find", "see", "update", "news", "progress", "arrive", "ready"})
_WANTS_A_CHANGE = r"(?i)\b(?:cancel|change|correct|add|return|refund|send back)\b"
_EXAMPLE = r"\b[A-Za-z]*-?\d{3,}\b"
_EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_PHONE = r"\+?\d[\d ()-]{7,}\d"

type Arguments = dict[str, str | int]


def tool_for(
    question: str, tools: Sequence[ToolDefinition], *, enough: float = ENOUGH
) -> tuple[ToolDefinition, Arguments] | None:
    """Return the tool that a question is for, with the arguments that it gives; none where no tool fits.

    A word of the tool's name must be in the question, or an argument of the form that its description shows.
    """
    fits = [(_fit(question, tool, enough), tool) for tool in tools]
    fit, tool = max(fits, key=lambda each: each[0], default=(0.0, None))
    if tool is None or not fit:
        return None
    return tool, arguments(question, tool)


def missing(tool: ToolDefinition, given: Mapping[str, object]) -> list[str]:
    """Return the required parameters that have no argument yet."""
    return [name for name in tool.parameters_json_schema.get("required", ()) if name not in given]


def arguments(text: str, tool: ToolDefinition) -> Arguments:
    """Return the arguments for the required parameters that a text gives."""
    found = {
        name: _argument(name, schema_of(tool, name), text, example=_example(tool, name))
        for name in tool.parameters_json_schema.get("required", ())
    }
    return {name: value for name, value in found.items() if value is not None}


def schema_of(tool: ToolDefinition, name: str) -> Mapping[str, Any]:
    """Return the JSON schema of a parameter, which may stand among the definitions."""
    whole = tool.parameters_json_schema
    schema: Mapping[str, Any] = whole["properties"][name]
    return {**whole.get("$defs", {}).get(schema.get("$ref", "").rpartition("/")[2], {}), **schema}


def words_of(name: str) -> str:
    """Return a name as words: order_number → order number."""
    return name.replace("_", " ")


def _fit(question: str, tool: ToolDefinition, enough: float) -> float:
    """Return how well a tool fits; 0 where it does not."""
    given = arguments(question, tool)
    asked = [word for word in _stems(question) if word not in _LOOKING]
    named, described = set(_stems(words_of(tool.name))), set(_stems(tool.description or ""))
    share = sum(word in named | described for word in asked) / len(asked) if asked else 0.0
    if verb := verb_of(tool):
        of_verb, of_values = (set(_stems(" ".join(map(str, each)))) for each in (words_of_verb(verb), given.values()))
        rest = set(asked) - of_verb
        about_it = rest & (named | described) or rest <= of_values
        return 1 + share if about_it and asks_for(question, verb) else 0.0
    if re.search(_WANTS_A_CHANGE, question):
        return 0.0
    if missing(tool, given):
        return share if share >= enough and named.intersection(asked) else 0.0
    if named.intersection(asked) and (given or share >= enough):
        return 1 + share
    if any(_has_the_form(value, tool) for value in given.values()):
        return 0.5 + share
    return share if given and share and any(map(str.isdigit, map(str, given.values()))) else 0.0


def _stems(text: str) -> Iterator[str]:
    for word in re.findall(_WORD, text.lower().replace("'s", "")):
        if word not in STOP_WORDS:
            yield min(base_forms(word), key=len)


def _example(tool: ToolDefinition, name: str) -> str:
    """Return the example of an argument that its description, or the tool's, shows: BH-1042; empty where none does."""
    described = schema_of(tool, name).get("description", "")
    shown = re.search(_EXAMPLE, f"{described} {tool.description or ''}")
    return shown[0] if shown else ""


def _has_the_form(value: object, tool: ToolDefinition) -> bool:
    """Tell whether an argument begins with the letters of an example in the description."""
    letters = {_letters(_example(tool, name)) for name in tool.parameters_json_schema.get("required", ())} - {""}
    return _letters(str(value)) in letters


def _letters(number: str) -> str:
    return re.sub(r"[^A-Z].*", "", number.upper())


def _is_named(value: str, text: str) -> bool:
    """Tell whether a text has a value, written in one word or in several: tune-up, tune up, tuneup."""
    parts = re.findall(r"\w+", value)
    return re.search(rf"\b{'[ -]?'.join(map(re.escape, parts))}\b", text, re.IGNORECASE) is not None


def _argument(name: str, schema: Mapping[str, Any], text: str, *, example: str) -> str | int | None:
    """Return what a text says for a parameter, by its type and name."""
    words = set(name.split("_"))
    if schema.get("type") == "integer":
        return int(number[0]) if (number := re.search(r"\b\d+\b", text)) else None
    if schema.get("type") != "string":
        return None
    if words & FREE_TEXT:
        return text
    for word, pattern in (("email", _EMAIL), ("phone", _PHONE)):
        if word in words:
            return found[0] if (found := re.search(pattern, text)) else None
    if schema.get("enum"):
        named = [value for value in schema["enum"] if _is_named(str(value), text)]
        return named[0] if len(named) == 1 else None
    if words & {"number", "id", "code", "reference", "order"} or example:
        return next(iter(re.findall(_WITH_DIGITS, re.sub(_AMOUNT, "", text))), None)
    return None

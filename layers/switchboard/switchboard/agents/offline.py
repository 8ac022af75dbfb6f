"""The offline model: a deterministic stand-in for a language model, so that everything runs without credentials.

It sees what a real model sees, the messages and the tools, and does what the instructions of an assistant ask for:
it searches the knowledge for each question, answers from what comes back, says plainly what it does not know, hands
over to a person on request, and says nothing to a mere thanks. It understands English, by a few written rules.
"""

import re
from collections.abc import Iterator, Sequence

from pydantic import TypeAdapter
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

from switchboard.agents.assistant import HANDOFF, NO_REPLY
from switchboard.agents.knowledge.chunks import Chunk
from switchboard.reactions import asks, read_reaction

SEARCH = "search_knowledge"
MAX_SEARCHES = 8  # a turn's searches are limited; what is asked beyond them is answered with the offer

GREETING = "Hello! How can I help you?"
WELCOME = "You are welcome!"
OFFER = "Shall I bring in a colleague?"
UNKNOWN = f"I am sorry, I do not know that. {OFFER}"
PARTLY_UNKNOWN = f"I am sorry, the rest I do not know. {OFFER}"
HANDED_OFF = "Of course. A colleague takes over and will get back to you here."

_PERSON = r"(?:human|person|someone|somebody|colleague|employee|representative|manager|member of staff|agent)"
_ASKS_FOR_A_PERSON = re.compile(
    rf"\b(?:speak|talk|chat|connect|transfer|forward|put|pass|hand|get|bring in)\b(?:\W+\w+){{0,4}}?\W+{_PERSON}\b"
    rf"|\b(?:want|need|like|real|actual|live|the)\W+(?:an?\W+)?{_PERSON}\b(?!\W+(?:to|who))"
    rf"|\bhuman\b|^\W*(?:an?\W+)?{_PERSON}(?:\W+please)?\W*$",
    re.IGNORECASE,
)
_AGREES = re.compile(
    r"(?!.*\b(?:no|not|don|bye)\b)\W*(?:yes|yeah|yep|sure|ok|okay|please|of course|go ahead|do that)\b"
    r"(?:\W+\w+){0,3}[^\w?]*|\W*[👍👌✅]\W*|(?:liked|loved) \W.*",
    re.IGNORECASE,
)
_GREETS = re.compile(r"\W*(?:hi|hello|hey|good (?:morning|afternoon|evening|day))\b(?:\W+\w+)?[^\w?]*", re.IGNORECASE)
_GREETS_FIRST = re.compile(r"\W*(?:hi|hello|hey)\b(?:\s+there)?\W*", re.IGNORECASE)
_IS_PLEASED = re.compile(
    r"\W*(?:(?:great|perfect|ok|okay|cool|good|super|wonderful)\W+)?"
    r"(?:thanks?|thank you|thx|cheers|bye|goodbye|great|perfect|ok|okay|cool|super|wonderful)\b"
    r"(?:\W+\w+){0,3}[^\w?]*",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.?!]) ")
_QUESTION_WORD = r"(?:when|where|what|which|who|how|do|does|can|could|is|are|will)\b"
_ASKS = re.compile(_QUESTION_WORD, re.IGNORECASE)
_SECOND_QUESTION = re.compile(rf",? and (?={_QUESTION_WORD})", re.IGNORECASE)
_FACTS = TypeAdapter(list[Chunk])


def offline_model() -> FunctionModel:
    """Return the model."""
    return FunctionModel(_respond, model_name="offline")


async def _respond(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """Ask for the searches first; answer when their returns are there."""
    prompt, last_reply = _asked(messages)
    if _wants_a_person(prompt, last_reply) and any(tool.name == HANDOFF.name for tool in info.output_tools):
        return ModelResponse(parts=[ToolCallPart(str(HANDOFF.name), {"reply": HANDED_OFF})])
    questions = list(_questions(prompt))
    if not questions:
        return _small_talk(prompt, last_reply, info)
    if returns := _returns(messages[-1]):
        return _say(*_answer(returns, all_were_asked=len(questions) <= MAX_SEARCHES))
    if all(tool.name != SEARCH for tool in info.function_tools):
        return _say(UNKNOWN)
    return ModelResponse(parts=[ToolCallPart(SEARCH, {"question": text}) for text in questions[:MAX_SEARCHES]])


def _asked(messages: Sequence[ModelMessage]) -> tuple[str, str]:
    """Return what the customer says now, and our reply that they say it to: none where something came between."""
    requests = ((place, _prompts(message)) for place, message in reversed(list(enumerate(messages))))
    place, prompts = next(((place, prompts) for place, prompts in requests if prompts), (0, [""]))
    before = messages[place - 1] if place and len(prompts) == 1 else None
    return prompts[-1], (before.text or "") if isinstance(before, ModelResponse) else ""


def _wants_a_person(prompt: str, last_reply: str) -> bool:
    """Tell whether the customer asks for a person, or agrees to the offer that the last reply made."""
    if _ASKS_FOR_A_PERSON.search(prompt):
        return True
    return last_reply.endswith(OFFER) and _AGREES.fullmatch(prompt) is not None


def _small_talk(prompt: str, last_reply: str, info: AgentInfo) -> ModelResponse:
    """Greet; say nothing to thanks or a 👍, unless the last reply asked something."""
    if not _IS_PLEASED.fullmatch(prompt) and not (last_reply and read_reaction(prompt)):
        return _say(GREETING)
    if any(tool.name == NO_REPLY.name for tool in info.output_tools) and not asks(last_reply):
        return ModelResponse(parts=[ToolCallPart(str(NO_REPLY.name), {})])
    return _say(WELCOME)


def _questions(prompt: str) -> Iterator[str]:
    """Yield what has to be searched for; where somebody asks with a question mark, the rest tells the story."""
    for line in filter(None, prompt.splitlines()):
        sentences = [part for sentence in _SENTENCE_END.split(line) for part in _SECOND_QUESTION.split(sentence)]
        serious = [each for each in sentences if not _is_small_talk(each)]
        questions = [
            each for each in serious if each.endswith("?") or _ASKS.match(_GREETS_FIRST.sub("", each, count=1))
        ]
        yield from questions or serious


def _is_small_talk(sentence: str) -> bool:
    return bool(_GREETS.fullmatch(sentence) or _IS_PLEASED.fullmatch(sentence) or read_reaction(sentence))


def _returns(message: ModelMessage) -> list[list[Chunk]]:
    """Return what each search of a request found; none where the message carries no search."""
    if not isinstance(message, ModelRequest):
        return []
    searches = (part for part in message.parts if isinstance(part, ToolReturnPart) and part.tool_name == SEARCH)
    return [_facts(part.content) for part in searches]


def _facts(returned: object) -> list[Chunk]:
    """Return the facts that a search found; words instead of facts say that it found none."""
    return [] if isinstance(returned, str) else _FACTS.validate_python(returned)


def _answer(returns: Sequence[Sequence[Chunk]], *, all_were_asked: bool) -> Iterator[str]:
    """Yield a paragraph for each question that has an answer, and the offer where one has none."""
    answers = dict.fromkeys(" ".join(fact.text for fact in facts) for facts in returns if facts)
    yield from answers
    if not all_were_asked or not all(returns):
        yield PARTLY_UNKNOWN if answers else UNKNOWN


def _prompts(message: ModelMessage) -> list[str]:
    """Return what a user says in a message, one space between words; nothing where somebody else speaks.

    The customer's new messages are the last one; before it may stand what happened since the last reply.
    """
    if not isinstance(message, ModelRequest):
        return []
    prompts = (part.content for part in message.parts if isinstance(part, UserPromptPart))
    return [
        "\n".join(" ".join(line.split()) for line in prompt.splitlines())
        for prompt in prompts
        if isinstance(prompt, str)
    ]


def _say(*paragraphs: str) -> ModelResponse:
    return ModelResponse(parts=[TextPart("\n\n".join(paragraphs))])

"""The model: what it says, and in which order it decides."""

import json
from collections.abc import Iterator, Sequence
from typing import override

from pydantic import TypeAdapter
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from switchboard.agents.assistant import HANDOFF, NO_REPLY, OPT_OUT
from switchboard.agents.history import WITHOUT_WORDS
from switchboard.agents.knowledge.chunks import Chunk
from switchboard.agents.offline.actions import verb_of
from switchboard.agents.offline.calls import Call, action_in, asking_for, asks_for_an_argument, continued
from switchboard.agents.offline.intents import (
    agrees,
    asks_for_a_human,
    asks_what_we_are,
    declines,
    is_not_helped,
    is_pleased,
    wants_no_messages,
)
from switchboard.agents.offline.languages import agreed_in, apology_for
from switchboard.agents.offline.questions import is_a_question, questions, searches, sent_a_file, sentences
from switchboard.agents.offline.tools import ENOUGH_AFTER_A_SEARCH, missing, tool_for
from switchboard.agents.offline.trouble import needs_a_human
from switchboard.reactions import asks, read_reaction

SEARCH = "search_knowledge"
MAX_SEARCHES = 8  # a turn's calls are limited; what is asked beyond them is answered with the offer

GREETING = "Hello! How can I help you?"
WELCOME = "You are welcome!"
ALL_RIGHT = "All right. Just write if there is anything else."
OFFER = "Shall I bring in a colleague?"
UNKNOWN = f"I am sorry, I do not know that. {OFFER}"
PARTLY_UNKNOWN = f"I am sorry, the rest I do not know. {OFFER}"
WHAT_WE_ARE = f"I am a program: a demo that answers by a few written rules. {OFFER}"
ONLY_A_FILE = f"I cannot see photos or other files, I can read words only. Please write what it is about. {OFFER}"
NOT_HELPED = f"I am sorry that this did not help. {OFFER}"
HANDED_OFF = "Of course. A colleague takes over and will get back to you here."
TAKEN_SERIOUSLY = "I am sorry to hear that. A colleague takes over right away and will get back to you here."

_FACTS = TypeAdapter(list[Chunk])


class OfflineModel(Model):
    """Answers by rules, as pydantic-ai's `FunctionModel` does by a function; that takes longer to import."""

    def __init__(self) -> None:
        super().__init__(profile=ModelProfile(supports_image_input=False, supports_document_input=False))

    @property
    @override
    def model_name(self) -> str:
        return "offline"

    @property
    @override
    def system(self) -> str:
        return "offline"

    @override
    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        _, offered = self.prepare_request(model_settings, model_request_parameters)
        return _respond(messages, offered)


def _respond(messages: Sequence[ModelMessage], info: ModelRequestParameters) -> ModelResponse:
    """Call the tools first; answer when their returns are there."""
    prompt, last_reply, told = _asked(messages)
    if asks_what_we_are(prompt):
        return _say(WHAT_WE_ARE)
    if ending := _ending(prompt, last_reply, info):
        return ModelResponse(parts=[ending])
    if prompt == WITHOUT_WORDS:
        return _say(UNKNOWN)
    if sent_a_file(prompt):
        return _say(ONLY_A_FILE)
    if apology := apology_for(prompt):
        return _say(apology.sentence)
    if is_not_helped(prompt):
        return _say(NOT_HELPED)
    asked = list(questions(prompt))
    if not asked:
        return _small_talk(prompt, last_reply, info)
    tools = [tool for tool in info.function_tools if tool.name != SEARCH]
    can_search = len(tools) < len(info.function_tools)
    if not _is_answered(messages[-1]):
        first, rest = _first_call(prompt, asked, (last_reply, told), tools)
        return _call_tools(first, rest[:MAX_SEARCHES], tools, can_search=can_search)
    answers = list(_answer(messages[-1], all_were_asked=len(asked) <= MAX_SEARCHES))
    if answers == [UNKNOWN] and (wanted := _wanted(asked, tools)):
        return _say(wanted)
    return _say(*answers)


def _asked(messages: Sequence[ModelMessage]) -> tuple[str, str, list[str]]:
    """Return what the customer says now, our reply that they say it to, and what they told before to be asked so.

    There is no reply where something came between.
    """
    requests = ((place, _prompts(message)) for place, message in reversed(list(enumerate(messages))))
    place, prompts = next(((place, prompts) for place, prompts in requests if prompts), (0, [""]))
    last_reply = reply = _reply_before(messages, place)
    told: list[str] = []
    while asks_for_an_argument(reply) and place > 1 and (before := _prompts(messages[place - 2])):
        told.insert(0, before[-1])
        place -= 2
        reply = _reply_before(messages, place)
    return prompts[-1], last_reply, told


def _reply_before(messages: Sequence[ModelMessage], place: int) -> str:
    before = messages[place - 1] if place and len(_prompts(messages[place])) == 1 else None
    return (before.text or "") if isinstance(before, ModelResponse) else ""


def _ending(prompt: str, last_reply: str, info: ModelRequestParameters) -> ToolCallPart | None:
    """Return the call that ends the conversation for the assistant: no more messages are wanted, or a human is."""
    offered = {tool.name for tool in info.output_tools}
    if OPT_OUT.name in offered and wants_no_messages(prompt):
        return ToolCallPart(str(OPT_OUT.name), {})
    sentence = _handoff(prompt, last_reply) if HANDOFF.name in offered else ""
    return ToolCallPart(str(HANDOFF.name), {"reply": sentence}) if sentence else None


def _handoff(prompt: str, last_reply: str) -> str:
    """Return what a customer reads who needs a human: who asks for one, accepts the offer, complains, is in danger."""
    if apology := agreed_in(prompt, last_reply):
        return apology.handed_off
    if needs_a_human(prompt):
        return TAKEN_SERIOUSLY
    if asks_for_a_human(prompt) or (last_reply.endswith(OFFER) and agrees(prompt)):
        return HANDED_OFF
    return ""


def _small_talk(prompt: str, last_reply: str, info: ModelRequestParameters) -> ModelResponse:
    """Greet; say nothing to thanks, a no or a 👍, unless the last reply asked something."""
    declined = declines(prompt)
    if not declined and not is_pleased(prompt) and not (last_reply and read_reaction(prompt)):
        return _say(GREETING)
    if any(tool.name == NO_REPLY.name for tool in info.output_tools) and not (
        asks(last_reply) or asks_for_an_argument(last_reply)
    ):
        return ModelResponse(parts=[ToolCallPart(str(NO_REPLY.name), {})])
    return _say(ALL_RIGHT if declined else WELCOME)


def _first_call(
    prompt: str, asked: list[str], before: tuple[str, list[str]], tools: Sequence[ToolDefinition]
) -> tuple[Call | None, list[str]]:
    """Return the call that goes on with what we asked for, or that makes a change; and what else is asked."""
    if call := continued(prompt, *before, tools):
        return call, []
    if action := action_in(prompt, sentences(prompt), tools):
        request, call = action
        return call, [each for each in asked if is_a_question(each) and not each.endswith(request)]
    return None, asked


def _call_tools(
    first: Call | None, asked: Sequence[str], tools: Sequence[ToolDefinition], *, can_search: bool
) -> ModelResponse:
    """Call a tool for each question: the one that it is for, or the search; ask for an argument that is missing."""
    wanted = [first] if first else []
    texts: dict[str, None] = {}
    for question in asked:
        if found := tool_for(question, [tool for tool in tools if not verb_of(tool)]):
            wanted.append(found)
        elif can_search:
            texts |= dict.fromkeys(searches(question))
    if asking := next((asking_for(*call) for call in wanted if missing(*call)), ""):
        return _say(asking)
    calls = [ToolCallPart(tool.name, given) for tool, given in wanted]
    calls += [ToolCallPart(SEARCH, {"question": text}) for text in texts]
    return ModelResponse(parts=calls) if calls else _say(UNKNOWN)


def _wanted(asked: Sequence[str], tools: Sequence[ToolDefinition]) -> str:
    """Return what to ask for where no search helped, and a tool may; nothing where none may."""
    found = (tool_for(question, tools, enough=ENOUGH_AFTER_A_SEARCH) for question in asked)
    return next((asking_for(*each) for each in found if each and missing(*each)), "")


def _is_answered(message: ModelMessage) -> bool:
    """Tell whether a message brings what tools returned, or that one of them refused its arguments."""
    return isinstance(message, ModelRequest) and any(
        isinstance(part, ToolReturnPart | RetryPromptPart) for part in message.parts
    )


def _answer(message: ModelMessage, *, all_were_asked: bool) -> Iterator[str]:
    """Yield what the tools returned, each text once, and the offer where a question has no answer."""
    returned = [_texts(part) for part in message.parts]
    answers = dict.fromkeys(text for texts in returned for text in texts)
    told: dict[str, None] = {}
    for texts in returned:
        new = [text for text in texts if text not in told]
        told.update(dict.fromkeys(new))
        if new:
            yield " ".join(new)
    if not all_were_asked or not all(returned):
        yield PARTLY_UNKNOWN if answers else UNKNOWN


def _texts(part: object) -> list[str]:
    """Return what a tool's return says; the search says in words, instead of facts, that it found none."""
    if not isinstance(part, ToolReturnPart):
        return []
    content = part.content
    if part.tool_name == SEARCH:
        return [] if isinstance(content, str) else [fact.text for fact in _FACTS.validate_python(content)]
    return [content if isinstance(content, str) else json.dumps(part.model_response_object(), ensure_ascii=False)]


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

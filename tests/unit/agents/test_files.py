"""Files: what a model is shown of them, what a function hears, and that no bytes are kept."""

import json
from dataclasses import dataclass, field, replace

import pytest
from pydantic_ai import Agent, RunContext
from pydantic_ai.exceptions import ModelHTTPError, UsageLimitExceeded
from pydantic_ai.messages import BinaryContent, ModelMessage, ModelResponse, TextPart, ToolCallPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.profiles import ModelProfile

from switchboard.agent import Question
from switchboard.agents.assistant import HANDOFF, Assistant, Deps
from switchboard.agents.effects import runs_once
from switchboard.agents.event_loop import EventLoopThread
from switchboard.agents.files import MAX_DOCUMENT_BYTES, MAX_IMAGE_BYTES
from switchboard.agents.knowledge import Knowledge
from switchboard.agents.pydantic_ai_agent import PydanticAIAgent
from switchboard.errors import Permanent, Transient
from switchboard.media import Media
from switchboard.tokens import MAX_MESSAGES_TOKENS, estimate_tokens
from tests.assistants import KNOWLEDGE, answering, bakery, entry, question
from tests.unit.turn.harness import Harness

PNG = b"\x89PNG\r\n\x1a\n and a picture"
PDF = b"%PDF-1.7 and a bill"
PICTURE = Media(content_type="image/png", size=len(PNG), sid="ME1")
BILL = Media(content_type="application/pdf", size=len(PDF), sid="ME2")
VOICE = Media(content_type="audio/ogg; codecs=opus", size=4, sid="ME3")
FILES = {"ME1": PNG, "ME2": PDF, "ME3": b"OggS"}


@dataclass
class Looks:
    """A model that keeps what it was shown, request by request."""

    profile: ModelProfile | None = None
    name: str = "looks"
    shown: list[list[str | bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.model = FunctionModel(self._respond, profile=self.profile, model_name=self.name)

    async def _respond(self, messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        self.shown.append(shown(messages))
        return ModelResponse(parts=[TextPart("ok")])


def shown(messages: list[ModelMessage]) -> list[str | bytes]:
    prompts = (part for message in messages for part in message.parts if isinstance(part, UserPromptPart))
    contents = (
        each for part in prompts for each in ([part.content] if isinstance(part.content, str) else part.content)
    )
    return [each.data if isinstance(each, BinaryContent) else str(each) for each in contents]


def read(media: Media, max_bytes: int) -> bytes:
    content = FILES.get(media.sid, b"")
    if not content or len(content) > max_bytes:
        raise Permanent("gone, or larger")
    return content


def asks(*media: Media, text: str = "What is it?") -> Question:
    return replace(question(text), media=media, read_media=read)


def plain_assistant() -> Assistant:
    return Assistant(agent=Agent(deps_type=Deps, output_type=[str, HANDOFF]), knowledge=Knowledge(KNOWLEDGE))


def looked_at(*media: Media, profile: ModelProfile | None = None) -> list[str | bytes]:
    model = Looks(profile)
    with answering(plain_assistant(), model.model) as agent:
        agent.answer(asks(*media))
    return model.shown[0]


def test_a_model_sees_pictures_and_pdfs_behind_the_words() -> None:
    assert looked_at(PICTURE, BILL) == ["What is it?", PNG, PDF]


def test_what_was_said_before_stands_before_the_files() -> None:
    model = Looks()
    with answering(plain_assistant(), model.model) as agent:
        agent.answer(replace(asks(PICTURE), history=(entry("customer", "Hi"),)))

    assert model.shown[0][-2:] == ["What is it?", PNG]
    assert model.shown[0].count(PNG) == 1


@pytest.mark.parametrize(
    ("media", "profile"),
    [
        (PICTURE, ModelProfile(supports_image_input=False)),
        (BILL, ModelProfile(supports_document_input=False)),
        (replace(PICTURE, size=MAX_IMAGE_BYTES + 1), None),
        (replace(BILL, size=MAX_DOCUMENT_BYTES + 1), None),
        (replace(PICTURE, sid="ME9"), None),  # gone
        (replace(PICTURE, content_type="image/jpeg"), None),  # it is a PNG
        (replace(PICTURE, content_type="image/svg+xml"), None),
        (replace(BILL, content_type="text/html"), None),
        (VOICE, None),
    ],
)
def test_what_a_model_does_not_take_or_nobody_can_read_is_not_shown(media: Media, profile: ModelProfile | None) -> None:
    assert looked_at(media, profile=profile) == ["What is it?"]


def test_a_file_that_grew_is_not_shown() -> None:
    assert looked_at(replace(PICTURE, size=None), replace(BILL, size=1)) == ["What is it?", PNG, PDF]


def test_five_files_at_most_are_shown() -> None:
    assert len(looked_at(*[PICTURE] * 7)) == 1 + 5


def test_only_what_the_fallback_model_takes_too_is_shown() -> None:
    model, fallback = Looks(), Looks(ModelProfile(supports_image_input=False))
    with answering(plain_assistant(), model.model, fallback_model=fallback.model) as agent:
        agent.answer(asks(PICTURE, BILL))

    assert model.shown[0] == ["What is it?", PDF]


def test_where_twilio_is_away_the_turn_is_tried_again() -> None:
    def away(_media: Media, _max_bytes: int) -> bytes:
        raise Transient("503")

    with answering(plain_assistant(), Looks().model) as agent, pytest.raises(Transient, match="503"):
        agent.answer(replace(asks(PICTURE), read_media=away))


@pytest.mark.parametrize("error", [ModelHTTPError(400, "m", {}), UsageLimitExceeded("too many tokens")])
def test_where_the_model_refuses_the_files_it_is_asked_without_them(error: Exception) -> None:
    shown_before: list[list[str | bytes]] = []

    async def respond(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        shown_before.append(shown(messages))
        if PNG in shown_before[-1]:
            raise error
        return ModelResponse(parts=[TextPart("I cannot open it.")])

    with answering(plain_assistant(), FunctionModel(respond)) as agent:
        answer = agent.answer(asks(PICTURE))

    assert answer.text == "I cannot open it."
    assert shown_before == [["What is it?", PNG], ["What is it?"]]


def test_a_model_that_refuses_the_words_alone_is_not_asked_again() -> None:
    model, requests = FunctionModel(_refuses), len(_REFUSED)
    with answering(plain_assistant(), model) as agent, pytest.raises(Permanent):
        agent.answer(asks(PICTURE))

    assert len(_REFUSED) - requests == 2


_REFUSED: list[str] = []


async def _refuses(_messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
    _REFUSED.append("once more")
    raise ModelHTTPError(400, "m", {})


def test_without_anything_to_read_the_words_are_answered() -> None:
    model = Looks()
    with answering(plain_assistant(), model.model) as agent:
        agent.answer(replace(asks(PICTURE), read_media=None))

    assert model.shown == [["What is it?"]]


# ── a turn with an effect ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Booker:
    """A model that books, fails once, and answers."""

    seen: list[list[str | bytes]] = field(default_factory=list)

    async def step(self, messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        self.seen.append(shown(messages))
        if len(self.seen) == 1:
            return ModelResponse(parts=[ToolCallPart("book", {})])
        if len(self.seen) == 2:
            raise Transient("the model is away")
        return ModelResponse(parts=[TextPart("Booked.")])


def test_another_try_sees_the_file_again_and_nothing_of_it_is_kept() -> None:
    booker, harness = Booker(), Harness()
    agent = Agent(deps_type=Deps, output_type=[str, HANDOFF])

    @agent.tool
    @runs_once
    def book(ctx: RunContext[Deps]) -> str:
        """Book a repair."""
        return f"booked, with {len(ctx.deps.media)} file"

    harness.twilio.files["ME1"] = PNG
    [message] = harness.customer_writes("Can you mend this?")
    with EventLoopThread() as loop:
        assistant = Assistant(agent=agent, knowledge=Knowledge(KNOWLEDGE))
        harness.agent = PydanticAIAgent(assistant=assistant, model=FunctionModel(booker.step), loop=loop)
        harness.deliver_until_it_ends(replace(message, media=(PICTURE,)))

    assert harness.replies == ["Booked."]
    assert [seen.count(PNG) for seen in booker.seen] == [1, 1, 1]
    [record] = harness.records
    kept = json.dumps([str(record), *map(str, harness.conversations.effects.values())])
    assert "a picture" not in kept
    assert "booked, with 1 file" in kept


# ── voice messages ───────────────────────────────────────────────────────────────────────────────────────────────────


def hears(text: str, media: Media = VOICE) -> tuple[list[str | bytes], list[tuple[bytes, str]]]:
    heard: list[tuple[bytes, str]] = []

    def transcribe(content: bytes, content_type: str) -> str:
        heard.append((content, content_type))
        return text

    model = Looks()
    with answering(replace(plain_assistant(), transcribe=transcribe), model.model) as agent:
        agent.answer(asks(media, text=media.line))
    return model.shown[0], heard


def test_a_model_reads_what_a_voice_message_says() -> None:
    prompt, heard = hears(" Are you open? ")

    assert prompt == [f"{VOICE.line}\n\n[what the voice message says: Are you open?]"]
    assert heard == [(b"OggS", "audio/ogg")]


def test_a_voice_message_without_words_is_said_to_have_none() -> None:
    assert hears(" ")[0] == [f"{VOICE.line}\n\n[nobody speaks in it]"]


def test_the_five_newest_voice_messages_are_heard() -> None:
    heard: list[str] = []

    def transcribe(_content: bytes, _content_type: str) -> str:
        heard.append("one")
        return "word " * 50_000

    model = Looks()
    with answering(replace(plain_assistant(), transcribe=transcribe), model.model) as agent:
        agent.answer(asks(*[VOICE] * 7))

    assert len(heard) == 5
    [prompt] = model.shown[0]
    assert estimate_tokens(str(prompt)) < MAX_MESSAGES_TOKENS + 100


def test_a_picture_is_not_listened_to() -> None:
    assert hears("?", PICTURE)[1] == []


def test_a_voice_message_that_is_gone_is_not_listened_to() -> None:
    assert hears("?", replace(VOICE, sid="ME9")) == ([replace(VOICE, sid="ME9").line], [])


def test_a_function_that_fails_is_tried_again_as_a_tool_is() -> None:
    def transcribe(_content: bytes, _content_type: str) -> str:
        raise TimeoutError("secret words")

    with (
        answering(replace(plain_assistant(), transcribe=transcribe), Looks().model) as agent,
        pytest.raises(Transient) as raised,
    ):
        agent.answer(asks(VOICE))

    assert "secret" not in str(raised.value)


def test_the_offline_model_reads_the_line_alone() -> None:
    with answering(bakery) as agent:
        answer = agent.answer(asks(PICTURE, text=f"When are you open on Saturday?\n{PICTURE.line}"))

    assert "8 am" in answer.text

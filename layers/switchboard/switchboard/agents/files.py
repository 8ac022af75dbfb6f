"""The files that a turn's messages bring: shown to a model that takes them, or heard by a team's own function.

What a model is shown stands in its requests only, never in the messages that are kept: they would not fit there.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import override

from pydantic_ai import RunContext
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.messages import BinaryContent, ModelMessage, ModelRequest, ModelResponse, UserPromptPart
from pydantic_ai.models import Model, ModelRequestContext

from switchboard.agent import Question
from switchboard.agents.assistant import Deps, Transcribe
from switchboard.errors import Permanent
from switchboard.media import VOICE_MESSAGE, Media

MAX_FILES = 5  # of a turn, that a model is shown, the first ones; and voice messages that are heard, the newest
MAX_IMAGE_BYTES = 3_750_000  # Amazon Bedrock, "Limitations" of images
MAX_DOCUMENT_BYTES = 1_000_000  # some twenty pages: each costs as much as an image
MAX_VOICE_BYTES = 16_000_000  # the largest that a phone sends

PDF = "application/pdf"
# How a file of each type begins. One that begins otherwise is no such file, and a provider would refuse the request.
_BEGINS = {
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/gif": b"GIF8",
    "image/webp": b"RIFF",
    PDF: b"%PDF",
}


async def read_files(question: Question, models: Sequence[Model]) -> list[BinaryContent]:
    """Return the images and PDFs of a question that each of the models takes. Raise `Transient` where Twilio is away.

    What is too large, damaged or gone is left out: the model reads of it as of any other file.
    """
    taken = [media for media in question.media if all(_takes(model, media) for model in models)]
    read = [await _read(question, media, _max_bytes(media)) for media in taken[:MAX_FILES]]
    return [
        BinaryContent(data=content, media_type=media.plain_type)
        for media, content in zip(taken, read, strict=False)
        if content and content.startswith(_BEGINS[media.plain_type])
    ]


async def transcripts(question: Question, transcribe: Transcribe | None) -> list[str]:
    """Return what the newest voice messages say, as far as they can be read; nothing without a function."""
    if transcribe is None:
        return []
    said, voices = [], [media for media in question.media if media.kind == VOICE_MESSAGE]
    for media in voices[-MAX_FILES:]:
        if content := await _read(question, media, MAX_VOICE_BYTES):
            text = await asyncio.to_thread(transcribe, content, media.plain_type)
            said.append(f"[what the voice message says: {text.strip()}]" if text.strip() else "[nobody speaks in it]")
    return said


def _takes(model: Model, media: Media) -> bool:
    if media.plain_type not in _BEGINS or (media.size or 0) > _max_bytes(media):
        return False
    profile = model.profile
    if media.plain_type == PDF:
        return profile.get("supports_document_input", True)
    return profile.get("supports_image_input", True)


def _max_bytes(media: Media) -> int:
    return MAX_DOCUMENT_BYTES if media.plain_type == PDF else MAX_IMAGE_BYTES


async def _read(question: Question, media: Media, max_bytes: int) -> bytes:
    """Return a file; nothing where it cannot be read, now or later."""
    if question.read_media is None:
        return b""
    try:
        return await asyncio.to_thread(question.read_media, media, max_bytes)
    except Permanent:
        return b""


@dataclass
class ShowFiles(AbstractCapability[Deps]):
    """Puts files behind the turn's messages in each request, and never into the messages that are kept."""

    files: Sequence[BinaryContent]
    after: int  # responses of the model that are in the history

    @override
    async def before_model_request(
        self, ctx: RunContext[Deps], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        if self.files:
            request_context.messages = list(_with_files(request_context.messages, self.files, after=self.after))
        return request_context


def _with_files(
    messages: Sequence[ModelMessage], files: Sequence[BinaryContent], *, after: int
) -> Iterator[ModelMessage]:
    """Yield messages; the last words of the customer before the turn's first response get the files."""
    responses = 0
    for place, message in enumerate(messages):
        responses += isinstance(message, ModelResponse)
        is_last = responses == after and (place + 1 == len(messages) or isinstance(messages[place + 1], ModelResponse))
        yield _beside(message, files) if is_last and isinstance(message, ModelRequest) else message


def _beside(request: ModelRequest, files: Sequence[BinaryContent]) -> ModelRequest:
    prompts = [(at, part) for at, part in enumerate(request.parts) if isinstance(part, UserPromptPart)]
    if not prompts:
        return request
    last, asked = prompts[-1]
    rest = request.parts[last + 1 :]
    content = [asked.content] if isinstance(asked.content, str) else asked.content
    return replace(request, parts=[*request.parts[:last], replace(asked, content=[*content, *files]), *rest])

"""What stands between a model's text and the customer: how a run keeps the rules of agents/answer_rules.py.

Garbage is not sent: reasoning is taken out, a cut answer ends at its last sentence, a filtered or malformed one is
tried again. What must not be sent is refused: the model is told why, and asked once more; then there is no answer.
What is too long for one message, where one is what the customer should get, is asked for once more, too; where no
shorter one comes, it is sent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import override

from pydantic_ai import ModelRetry, RunContext
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.exceptions import ContentFilterError
from pydantic_ai.messages import ModelResponse, ModelResponsePart, TextPart
from pydantic_ai.models import ModelRequestContext
from pydantic_ai.output import OutputContext

from switchboard.agent import Answer
from switchboard.agents.answer_rules import MAX_CHARACTERS, AnswerRules
from switchboard.agents.assistant import Deps, Handoff
from switchboard.agents.reasoning import without_reasoning
from switchboard.agents.sentences import whole_sentences
from switchboard.errors import Permanent, Transient

SHORTER = "Your answer is too long for one message. Say the same in at most {} characters."
TOO_LONG = "Your answer was too long and was cut off. Answer again, in at most three short sentences."


@dataclass
class Guard(AbstractCapability[Deps]):
    """Keeps the rules in one run: it reads each response of the model, and the answer that comes of them."""

    rules: AnswerRules
    max_characters: int | None = None  # that a text should have
    was_cut: bool = False
    words_beside_calls: str = ""
    refusals: int = 0
    too_long: object = None  # an answer that may be sent, and for which a shorter one was asked

    @override
    async def after_model_request(
        self, ctx: RunContext[Deps], *, request_context: ModelRequestContext, response: ModelResponse
    ) -> ModelResponse:
        """Take out the reasoning; raise an error that passes where the provider says that this is no whole answer.

        A response without a word stands for the words that the model said beside its last call of a tool, if any.
        """
        if response.finish_reason == "content_filter":
            raise ContentFilterError("the answer was filtered")
        if response.finish_reason == "error":
            raise Transient(f"{ctx.deps.turn}: the model's answer is malformed")
        self.was_cut = response.finish_reason == "length"
        parts = list(_without_reasoning(response.parts))
        words = "\n\n".join(part.content for part in parts if isinstance(part, TextPart))
        if response.tool_calls:
            self.words_beside_calls = words or self.words_beside_calls
        elif not words and not self.was_cut and self.words_beside_calls:
            parts.append(TextPart(self.words_beside_calls))
        return replace(response, parts=parts)

    @override
    async def after_output_process(
        self, ctx: RunContext[Deps], *, output_context: OutputContext, output: object
    ) -> object:
        """Return the answer as it may be sent; where it may not, ask the model again, once, then raise `Permanent`."""
        turn = ctx.deps.turn
        if isinstance(output, str):
            return self._checked(output, str, turn=turn)
        if isinstance(output, Answer):
            is_long = output.content is None  # what is sent in its place has a length of its own
            beside = output.read_beside
            return self._checked(
                output.text, lambda text: replace(output, text=text), turn=turn, beside=beside, is_long=is_long
            )
        if isinstance(output, Handoff):
            reply = without_reasoning(output.reply) or self.words_beside_calls
            return self._checked(reply, lambda text: replace(output, reply=text), turn=turn)
        return output

    def _checked(
        self,
        text: str,
        made: Callable[[str], object],
        *,
        turn: str,
        beside: Sequence[str] = (),
        is_long: bool = True,
    ) -> object:
        """Return what `made` makes of a text that may be sent. `beside` is read beside it."""
        sent = whole_sentences(text[:MAX_CHARACTERS]) if self.was_cut or len(text) > MAX_CHARACTERS else text
        refusal = TOO_LONG if text and not sent else self.rules.refusal("\n".join((sent, *beside)))
        if refusal:
            self.refusals += 1
            if self.refusals > 1:
                raise Permanent(f"{turn}: two answers of the model were refused; of the last it was told: {refusal}")
            raise ModelRetry(refusal)
        longest = self.max_characters if is_long else None
        if longest is not None and len(sent) > longest and self.too_long is None and not self.refusals:
            self.too_long = made(sent)
            raise ModelRetry(SHORTER.format(longest))
        return made(sent)


def _without_reasoning(parts: Sequence[ModelResponsePart]) -> list[ModelResponsePart]:
    """Return the parts of a response with the reasoning taken out of its text. Blocks of text are read as one."""
    cleaned: list[ModelResponsePart] = []
    for is_text, group in groupby(parts, key=lambda part: isinstance(part, TextPart)):
        together = list(group)
        if not is_text:
            cleaned.extend(together)
        elif text := without_reasoning("".join(part.content for part in together if isinstance(part, TextPart))):
            cleaned.append(TextPart(text))
    return cleaned

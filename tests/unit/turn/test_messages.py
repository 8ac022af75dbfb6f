"""Messages: how the agent reads what a customer wrote."""

from dataclasses import replace

from switchboard.tokens import MAX_MESSAGES_TOKENS, estimate_tokens
from tests.unit.turn.harness import Harness


def test_a_file_without_text_is_shown_as_its_content_type(harness: Harness) -> None:
    (message,) = harness.customer_writes("")

    harness.deliver(replace(message, media_content_types=("image/png",)))

    assert harness.replies == ["You said: [file: image/png]"]


def test_a_very_long_message_is_shown_cut_and_says_so(harness: Harness) -> None:
    (message,) = harness.customer_writes("ñ" * 32_000)

    harness.deliver(message)

    (question,) = harness.agent.questions
    (text,) = question.messages
    assert text.endswith("ñ\n[cut here]")
    assert MAX_MESSAGES_TOKENS - 2 < estimate_tokens(text) <= MAX_MESSAGES_TOKENS

"""Messages: how the agent reads what a customer wrote."""

from dataclasses import replace

from tests.unit.turn.harness import Harness


def test_a_file_without_text_is_shown_as_its_content_type(harness: Harness) -> None:
    (message,) = harness.customer_writes("")

    harness.deliver(replace(message, media_content_types=("image/png",)))

    assert harness.replies == ["You said: [file: image/png]"]


def test_a_very_long_message_is_shown_cut_and_says_so(harness: Harness) -> None:
    (message,) = harness.customer_writes("ñ" * 16_000)

    harness.deliver(message)

    (question,) = harness.agent.questions
    assert question.messages == ("ñ" * 8_000 + "\n[cut here]",)

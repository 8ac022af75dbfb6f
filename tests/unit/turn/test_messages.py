"""Messages: how the agent reads what a customer wrote."""

from dataclasses import replace

import pytest

from switchboard.media import Media
from switchboard.tokens import MAX_MESSAGES_TOKENS, estimate_tokens
from tests.unit.turn.harness import Harness


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("image/png", "image"),
        ("image/webp", "image"),
        ("IMAGE/JPEG; q=1", "image"),
        ("video/mp4", "video"),
        ("audio/ogg; codecs=opus", "voice message"),
        ("application/pdf", "document"),
        ("text/vcard", "contact"),
        ("text/x-vcard", "contact"),
        ("application/vnd.ms-excel", "file"),
        ("file", "file"),
        ("", "file"),
    ],
)
def test_a_file_without_text_is_shown_as_its_kind_and_content_type(
    harness: Harness, content_type: str, kind: str
) -> None:
    (message,) = harness.customer_writes("")

    harness.deliver(replace(message, media=(Media(content_type=content_type),)))

    assert harness.replies == [f"You said: [{kind}: {content_type}]"]


def test_a_very_long_message_is_shown_cut_and_says_so(harness: Harness) -> None:
    (message,) = harness.customer_writes("ñ" * 32_000)

    harness.deliver(message)

    (question,) = harness.agent.questions
    (text,) = question.messages
    assert text.endswith("ñ\n[cut here]")
    assert MAX_MESSAGES_TOKENS - 2 < estimate_tokens(text) <= MAX_MESSAGES_TOKENS

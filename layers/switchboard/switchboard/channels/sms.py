"""A reply as SMS: plain text, in as few segments as its words take, with numbers where it is several messages."""

from dataclasses import dataclass

from switchboard.channels.look_alikes import with_look_alikes
from switchboard.channels.segments import count_segments
from switchboard.channels.spans import SpannedText
from switchboard.channels.split import MAX_PARTS, fits_in_a_body, split_text


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsSettings:
    """What one message costs at most, in segments, and whether typographic characters are replaced to save some.

    With `wait_for_delivery`, each message of several waits a little until the one before it is delivered.
    """

    max_segments: int
    smart_encoding: bool
    wait_for_delivery: bool = False


def sms_parts(text: SpannedText, settings: SmsSettings) -> tuple[str, ...]:
    """Return the messages of a plain text, numbered `(1/3)` where they are several: they may arrive in any order.

    Typographic characters are replaced only where that makes fewer segments of the whole.
    """
    parts = _numbered_parts(text, settings.max_segments)
    if not settings.smart_encoding:
        return parts
    replaced = _numbered_parts(text.rewritten(with_look_alikes), settings.max_segments)
    return min(parts, replaced, key=_cost)


def _numbered_parts(text: SpannedText, max_segments: int) -> tuple[str, ...]:
    def fits(part: str) -> bool:
        return fits_in_a_body(part) and count_segments(part) <= max_segments

    if fits(text.text):
        return (text.text,)
    parts = split_text(text, fits=lambda part: fits(_number(MAX_PARTS, MAX_PARTS) + part))
    return tuple(_number(part, len(parts)) + text for part, text in enumerate(parts, start=1))


def _number(part: int, parts: int) -> str:
    return f"({part}/{parts}) "


def _cost(parts: tuple[str, ...]) -> int:
    return sum(map(count_segments, parts))

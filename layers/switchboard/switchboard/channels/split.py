"""Split a reply into the bodies that every channel can carry."""

MAX_PART_CHARACTERS = 1600  # SMS and WhatsApp bodies (Twilio, "Conversations limits")
MAX_PARTS = 10  # an agent that writes without end costs ten texts, not a hundred


def split_body(text: str) -> tuple[str, ...]:
    """Split a reply into bodies of at most 1,600 characters: at a paragraph, else at a line, else at a word.

    A reply that needs more than ten bodies is cut, and ends with an ellipsis.
    """
    rest = text.strip()
    bodies: list[str] = []
    while len(rest) > MAX_PART_CHARACTERS:
        if len(bodies) == MAX_PARTS - 1:
            return (*bodies, f"{rest[: MAX_PART_CHARACTERS - 1]}…")
        gaps = (rest.rfind(gap, MAX_PART_CHARACTERS // 2, MAX_PART_CHARACTERS + 1) for gap in ("\n\n", "\n", " "))
        cut = next((gap for gap in gaps if gap > 0), MAX_PART_CHARACTERS)
        bodies.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return (*bodies, rest)

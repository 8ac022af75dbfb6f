"""A reply cut into the parts that every channel can carry."""

MOST_CHARACTERS = 1600  # SMS and WhatsApp bodies (Twilio, Conversations limits)
MOST_PARTS = 10  # every loop has a cap: an agent that goes on for ever costs ten texts


def parts(text: str) -> tuple[str, ...]:
    """Cut a reply into bodies of at most 1,600 characters, at a paragraph, line or word where there is one.

    Past ten of them it ends with an ellipsis.
    """
    rest = text.strip()
    bodies: list[str] = []
    while len(rest) > MOST_CHARACTERS:
        if len(bodies) == MOST_PARTS - 1:
            return (*bodies, f"{rest[: MOST_CHARACTERS - 1]}…")
        gaps = (rest.rfind(gap, MOST_CHARACTERS // 2, MOST_CHARACTERS + 1) for gap in ("\n\n", "\n", " "))
        cut = next((gap for gap in gaps if gap > 0), MOST_CHARACTERS)
        bodies.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return (*bodies, rest)

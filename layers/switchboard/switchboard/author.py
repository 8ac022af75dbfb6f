"""Who wrote a message: the assistant, the customer, a human on our side, or Twilio itself."""

import re
from collections.abc import Sequence
from enum import StrEnum

ASSISTANT_AUTHOR = "switchboard"  # the Author of every reply that we send
VISITOR_IDENTITY = r"visitor-[0-9a-f]{32}"  # of web-chat customers, unless a setting adds others

_CHANNEL_ADDRESS = re.compile(r"\+|(?:whatsapp|rcs|messenger):")


class AuthorRole(StrEnum):
    """Whose words a Twilio message carries. A human is whoever is neither the customer nor the assistant."""

    ASSISTANT = "assistant"
    SYSTEM = "system"
    CUSTOMER = "customer"
    HUMAN = "human"


def classify_author(*, author: str, participant_sid: str | None, visitor_identities: Sequence[str]) -> AuthorRole:
    """Return the role of an author, from Author and ParticipantSid alone: a message read over REST has no Source.

    `visitor_identities` are regular expressions that match the identities of web-chat customers.
    """
    if author == ASSISTANT_AUTHOR:
        return AuthorRole.ASSISTANT
    if not participant_sid:
        return AuthorRole.SYSTEM
    if _CHANNEL_ADDRESS.match(author) or any(re.fullmatch(pattern, author) for pattern in visitor_identities):
        return AuthorRole.CUSTOMER
    return AuthorRole.HUMAN

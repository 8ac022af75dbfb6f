"""Who wrote a message: the assistant, the customer, a human on our side, or another program."""

import re
from dataclasses import dataclass
from enum import StrEnum

ASSISTANT_AUTHOR = "switchboard"  # the Author of every reply that we send
SYSTEM_AUTHOR = "system"  # Twilio's, where a REST request names no author

# `+…`, any scheme (RFC 3986) with something behind it, a short code, or an identity of our own web chat.
_CUSTOMER = re.compile(r"\+.+|[A-Za-z][A-Za-z0-9+.-]*:.+|[0-9]{3,8}|visitor-[0-9a-f]{32}", re.DOTALL)


class AuthorRole(StrEnum):
    """Whose words a Twilio message carries. A human is whoever is neither the customer nor a program."""

    ASSISTANT = "assistant"
    SYSTEM = "system"
    CUSTOMER = "customer"
    HUMAN = "human"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorRules:
    """Whose words a message carries, decided from its author alone: a message read over REST has no Source.

    The patterns must match the whole author. `human_addresses` are those of humans who write from their own phones,
    `visitor_identities` those of web-chat customers, in addition to `visitor-` and 32 hex digits.
    """

    system_authors: frozenset[str] = frozenset({SYSTEM_AUTHOR})
    human_addresses: tuple[re.Pattern[str], ...] = ()
    visitor_identities: tuple[re.Pattern[str], ...] = ()

    def classify(self, author: str) -> AuthorRole:
        """Return the role of an author; whoever no rule knows is a human, whether they take part or not."""
        if author == ASSISTANT_AUTHOR:
            return AuthorRole.ASSISTANT
        if not author or author in self.system_authors:
            return AuthorRole.SYSTEM
        if any(pattern.fullmatch(author) for pattern in self.human_addresses):
            return AuthorRole.HUMAN
        if _CUSTOMER.fullmatch(author) or any(pattern.fullmatch(author) for pattern in self.visitor_identities):
            return AuthorRole.CUSTOMER
        return AuthorRole.HUMAN

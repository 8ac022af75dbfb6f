"""Rules for the text of an answer, whichever agent wrote it: what must not be sent, and how long it may be."""

from collections.abc import Collection
from dataclasses import dataclass

from switchboard.agents.links import is_allowed, linked_hosts
from switchboard.agents.sentences import letters_of, whole_sentences
from switchboard.channels.split import MAX_PART_CHARACTERS, MAX_PARTS
from switchboard.errors import Misconfigured

MAX_CHARACTERS = MAX_PARTS * MAX_PART_CHARACTERS // 2  # ten bodies carry it, wherever it has to be split
MIN_SECRET_LETTERS = 6

HAS_PHRASE = "Your answer holds words that customers must not read. Answer again, without them."
HAS_LINK = "Your answer holds a link to a place that is not allowed. Answer again, without it."


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRules:
    """What an answer must not hold: secret phrases, and links to hosts that are not allowed. Without any, all are.

    Raises `Misconfigured` for a phrase of less than six letters or digits: it is in too many words.
    """

    secret_phrases: Collection[str] = ()
    allowed_link_hosts: Collection[str] = ()

    def __post_init__(self) -> None:
        if any(len(letters_of(phrase)) < MIN_SECRET_LETTERS for phrase in self.secret_phrases):
            raise Misconfigured(f"secret_phrases: each needs at least {MIN_SECRET_LETTERS} letters or digits")

    def refusal(self, text: str) -> str:
        """Return what the model is told of an answer that must not be sent; empty where it may be."""
        letters = letters_of(text)
        if any(letters_of(phrase) in letters for phrase in self.secret_phrases):
            return HAS_PHRASE
        allowed = self.allowed_link_hosts
        if allowed and not all(is_allowed(host, allowed) for host in linked_hosts(text)):
            return f"{HAS_LINK} Allowed are {', '.join(sorted(allowed))}."
        return ""


def shortened(text: str) -> str:
    """Return a text as it is, or one of more than `MAX_CHARACTERS` up to its last whole sentence, which may be none."""
    return text if len(text) <= MAX_CHARACTERS else whole_sentences(text[:MAX_CHARACTERS])

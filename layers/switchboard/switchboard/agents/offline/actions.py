"""Tools that change something: whether a customer asks for what one does. A question, a doubt or a no never does.

What a tool does is the first word of its description: `Book a repair` changes something, `Tell what became of an order`
does not.
"""

import re

from pydantic_ai.tools import ToolDefinition

from switchboard.agents.knowledge.synonyms import GENERAL_SYNONYMS, synonym_table
from switchboard.agents.offline.intents import without_greeting

_CHANGES = (
    r"add|book|buy|cancel|change|charge|create|delete|make|move|open|order|pay|place|refund|register|remove|reschedule"
    r"|reserve|schedule|send|start|stop|subscribe|submit|unsubscribe|update"
)
_SYNONYMS = synonym_table(GENERAL_SYNONYMS)
_WORD = r"[a-z]+"

_ASKS_ABOUT = r"(?i)(?:do|does|did|is|are|was|were|have|has|what|when|where|which|who|why|how|should|must)\b"
_DOUBT = (
    r"\b(?:whether|might|maybe|perhaps|thinking|considering|(?:if|before|after|when|once|until|unless) (?:i|we|you))\b"
)
_SPEAKS_OF_ANOTHER = r"\b(?:how|what|why|where|which|know|wonder\w*|ask\w*|heard?|cancel\w*|chang\w+|mov\w+)\b.*"
_NOT = r"(?:\b(?:not|never|without|stop|dont)|n't)(?:\s+\w+){0,3}\s+"
_CALLED_OFF = r"\b(?:never ?mind|nvm|wait|forget (?:it|that)|scratch that|on second thought)\b"
_BEGINS = r"(?:^|[,;:]\s*|\b(?:please|just|and|then)\s+)"
_WANTS = r"\b(?:i|we)\b(?:'d| would)?(?:\s+\w+)?\s+(?:like|love|want|need|wanna)\b(?:\s+[\w'-]+){0,5}?\s+"
_CAN = r"\b(?:can|could|would|will|may)\s+(?:you|u|i|we)\b(?:\s+\w+){0,2}?\s+"


def verb_of(tool: ToolDefinition) -> str:
    """Return the word that says what a tool changes; empty for one that only looks."""
    first = re.search(_WORD, (tool.description or tool.name.replace("_", " ")).lower())
    return first[0] if first and re.fullmatch(_CHANGES, first[0]) else ""


def words_of_verb(verb: str) -> tuple[str, ...]:
    """Return a verb and the words that mean the same: book, appointment, reserve."""
    return _SYNONYMS.get(verb, (verb,))


def asks_for(sentence: str, verb: str) -> bool:
    """Tell whether a sentence asks to have something done: book me in, I need an appointment, can you book it."""
    text = without_greeting(_plain(sentence)).strip()
    verbs = rf"(?:{'|'.join(words_of_verb(verb))})\b"
    unclear = [_DOUBT, rf"{_NOT}(?:an? )?{verbs}"]
    if not re.match(_SPEAKS_OF_ANOTHER, verb):
        unclear.append(rf"{_SPEAKS_OF_ANOTHER}\b{verbs}")
    if re.match(_ASKS_ABOUT, text) or re.search("|".join(unclear), text):
        return False
    if re.search(rf"{_CAN}{verbs}", text):
        return True
    return not text.endswith("?") and re.search(rf"(?:{_BEGINS}|{_WANTS}){verbs}", text) is not None


def called_off(prompt: str, verb: str) -> bool:
    """Tell whether somewhere in what a customer says they take back what they ask for."""
    return re.search(rf"{_CALLED_OFF}|{_NOT}(?:{'|'.join((*words_of_verb(verb), 'it'))})\b", _plain(prompt)) is not None


def may_go_on(text: str) -> bool:
    """Tell whether a text may give what we asked for: it asks nothing, and has no doubt and no no."""
    return re.search(rf"\?|{_DOUBT}|\b(?:no|not|never|dont)\b|n't\b", _plain(text)) is None and (
        re.match(_ASKS_ABOUT, text) is None
    )


def _plain(text: str) -> str:
    return text.lower().replace("\u2019", "'")

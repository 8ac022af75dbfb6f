"""What a customer asks: the sentences to search for, and what to search for where a question is about the days."""

import re
from collections.abc import Iterator

from switchboard.agents.knowledge.days import DAYS
from switchboard.agents.knowledge.phrases import in_a_word
from switchboard.agents.knowledge.stop_words import STOP_WORDS
from switchboard.agents.offline.intents import is_small_talk, without_greeting

_FILE = r"\[(?:file|image|video|document|contact|voice message|a message without words): [^\]]*\]"
_FILES = frozenset("photo photos picture pictures pic pics image images video screenshot".split())  # noqa: SIM905
_SENDING = frozenset("attach attached did send sending sent receive received view got".split())  # noqa: SIM905
_SENTENCE_END = r"(?<=[.?!]) "
_QUESTION_WORD = r"(?:when|where|what|which|who|how|do|does|did|can|could|is|are|will|would|should|has|have)\b"
_ASKS = f"(?i){_QUESTION_WORD}"
_SECOND_QUESTION = rf"(?i),? and (?={_QUESTION_WORD})"
_SPEAKS_OF_WHAT_CAME_BEFORE = r"(?i)\b(?:it|one|ones|that|this|them|these|those)\b"
_OF_HOURS = r"open(?:s|ed|ing)?|clos(?:e|es|ed|ing)|hours?|days?|business|shop|store|schedule|works?|working"
_WORD = r"[^\W\d_]+"


def sent_a_file(prompt: str) -> bool:
    """Tell whether the customer sent files and no words, or only says that they sent one."""
    words = set(re.findall(r"\w+", re.sub(_FILE, "", prompt).lower()))
    return bool(re.search(_FILE, prompt) or words & _FILES) and words <= _FILES | _SENDING | STOP_WORDS


def sentences(prompt: str) -> list[str]:
    """Return what is said, sentence by sentence, without small talk."""
    lines = filter(None, re.sub(_FILE, "", prompt).splitlines())
    return [sentence for line in lines for sentence in _serious(line)]


def questions(prompt: str) -> Iterator[str]:
    """Yield what has to be answered; where somebody asks with a question mark, the rest tells the story."""
    for line in filter(None, re.sub(_FILE, "", prompt).splitlines()):
        serious = _serious(line)
        asked = [_with_its_story(serious, place) for place, each in enumerate(serious) if is_a_question(each)]
        yield from asked or serious


def searches(question: str) -> list[str]:
    """Return what to search for: where the customer asks only for the hours, each day, for no model knows the date."""
    words = set(re.findall(_WORD, in_a_word(question).lower())) - STOP_WORDS
    if words and all(re.fullmatch(_OF_HOURS, word) for word in words):
        return [f"open on {day}" for day in DAYS]
    return [question]


def is_a_question(sentence: str) -> bool:
    """Tell whether a sentence asks something."""
    return sentence.endswith("?") or re.match(_ASKS, without_greeting(sentence)) is not None


def _serious(line: str) -> list[str]:
    parts = (part for sentence in re.split(_SENTENCE_END, line) for part in re.split(_SECOND_QUESTION, sentence))
    return [each for each in parts if not (is_small_talk(each) or _says_nothing(each))]


def _says_nothing(sentence: str) -> bool:
    """Tell whether a sentence neither asks nor has a word that one could search for: I need some help."""
    return not is_a_question(sentence) and STOP_WORDS.issuperset(re.findall(r"\w+", in_a_word(sentence).lower()))


def _with_its_story(sentences: list[str], place: int) -> str:
    """Return a question after the sentence that it speaks of, as in: It does not fit. Can I bring it back."""
    question = sentences[place]
    before = sentences[place - 1] if place else ""
    if before and not is_a_question(before) and re.search(_SPEAKS_OF_WHAT_CAME_BEFORE, question):
        return f"{before} {question}"
    return question

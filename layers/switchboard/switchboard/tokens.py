"""How many tokens a text may cost a model, without the model's tokenizer; and texts cut to a number of tokens.

Tokenizers of today's models work on UTF-8 bytes, so a text never has more tokens than bytes. Two lower-case Latin
letters or spaces count as one token, because no model comes near one token for each in words. Every other ASCII
character counts as one, and any other character as its bytes: three for Chinese, four for an emoji. English text has
about half of the tokens estimated, Chinese a third.
"""

from collections.abc import Sequence
from itertools import accumulate, takewhile
from string import ascii_lowercase

MAX_PROMPT_TOKENS = 32_000  # of the history, the messages and what tools return in a turn, together
MAX_TOOL_TOKENS = 8_000  # of what tools return
MAX_CALLS_TOKENS = 1_500  # of one turn's calls and results, in the history
MAX_SUMMARY_TOKENS = 2_000  # of what stands in the place of older history
MAX_QUESTION_TOKENS = MAX_PROMPT_TOKENS - MAX_TOOL_TOKENS  # of the messages and the history, which gets what they leave
MAX_MESSAGES_TOKENS = MAX_QUESTION_TOKENS - 1_000  # of the messages

CUT = "[cut here]"  # stands where the rest of a text is left out

_HALF = frozenset(f"{ascii_lowercase} ")


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has; in practice there are fewer."""
    return len(_bytes(text)) - sum(map(text.count, _HALF)) // 2


def cut_text(text: str, tokens: int) -> str:
    """Return the text, or as much of its beginning as has so many tokens together with the mark behind it."""
    if estimate_tokens(text) <= tokens:
        return text
    room = 2 * (tokens - _MARK_TOKENS)
    fits = takewhile(lambda half_tokens: half_tokens <= room, accumulate(map(_half_tokens, text)))
    kept = text[: sum(1 for _ in fits)]
    return f"{kept}\n{CUT}" if kept else CUT


def keep_newest(texts: Sequence[str], tokens: int) -> tuple[str, ...]:
    """Return texts, the newest last, that have at most so many tokens together: the oldest are cut first.

    Each stays, if only as the mark that it is cut. Before one that is cut, all are, so that none is shown without what
    followed it.
    """
    left, kept = tokens - len(texts) * _MARK_TOKENS, list[str]()
    for text in reversed(texts):
        kept.append(cut_text(text, max(left, 0) + _MARK_TOKENS))
        left = left - max(0, estimate_tokens(text) - _MARK_TOKENS) if kept[-1] == text else 0
    return tuple(reversed(kept))


def cut_longest(texts: Sequence[str], tokens: int) -> tuple[str, ...]:
    """Return texts that have at most so many tokens together: the long ones are cut to one length, no short one is."""
    left, sizes = tokens, sorted(map(estimate_tokens, texts))
    for number, size in enumerate(sizes):
        longest = left // (len(sizes) - number)
        if size > longest:
            return tuple(cut_text(text, longest) for text in texts)
        left -= size
    return tuple(texts)


def _half_tokens(character: str) -> int:
    return 1 if character in _HALF else 2 * len(_bytes(character))


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


_MARK_TOKENS = estimate_tokens(f"\n{CUT}")

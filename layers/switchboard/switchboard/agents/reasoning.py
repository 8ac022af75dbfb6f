"""A model's reasoning, where it stands in the text of its answer: taken out before anybody reads it.

Models mark it in many ways: `<think>` (DeepSeek, Qwen), `<thinking>` (Nova, Claude), `[THINK]` (Magistral), `◁think▷`
(Kimi), `<seed:think>`, `<|START_THINKING|>` (Command), `<|channel|>analysis<|message|>` (gpt-oss).
"""

import re

from switchboard.agents.sentences import whole_sentences

_NAMES = (
    r"(?:assistant[_ -]?|ant[_:-]?|inner[_ -]?|internal[_ -]?)?"
    r"(?:think(?:ing)?|thoughts?|reason(?:ing|s)?|rationale|reflect(?:ion|ions|ing)?|scratch[_ -]?pad|"
    r"monologue|deliberation|chain[_ -]?of[_ -]?thoughts?|cot|analysis)"
    r"(?:[_ -]?(?:process|steps?|block|content))?"
)
_OPEN, _CLOSE = r"(?:\\?<|&lt;|[＜◁])", r"(?:\\?>|&gt;|[＞▷]|\Z)"
_TAG = re.compile(
    rf"{_OPEN}\|?\s*(?P<end>[/\\])?\s*(?:[a-z]{{1,20}}:)?{_NAMES}(?:\s[^<>＜＞\n]{{0,200}})?(?P<empty>/)?\s*\|?{_CLOSE}"
    r"|(?-i:\[(?P<end_mistral>/)?THINK\])"
    r"|<\|(?:START|(?P<end_command>END))_(?:THINKING|ACTION)\|>"
    r"|<\|channel\|>\s*(?P<end_harmony>final)?[\w ]{0,80}<\|message\|>",
    re.IGNORECASE,
)
_ENDS = ("end", "end_mistral", "end_command", "end_harmony")
_CONTROL = re.compile(r"<\|(?:start\|>assistant|[a-zA-Z][\w-]{0,30}\|>)|<｜[^<>｜\n]{1,40}｜>")  # such as <|im_end|>
_ANSWER = r"(?:(?:final[_ -]?)?(?:answer|response)|reply|output)"
_AROUND_ALL = re.compile(rf"\A\s*<{_ANSWER}>|</{_ANSWER}>\s*\Z", re.IGNORECASE)
_QUOTES = {"`": "`", '"': '"', "'": "'", "“": "”", "„": "“", "«": "»", "‘": "’"}


def without_reasoning(text: str) -> str:
    """Return an answer without the reasoning in it, and without its tags: empty where nothing else was said.

    What stands before a closing tag without an opening one is reasoning too. One that is never closed leaves the whole
    sentences before it. A tag between quotes or backticks is a word that the answer speaks of, and stays.
    """
    kept, reads_from, is_reasoning = "", 0, False
    for tag in filter(lambda each: not _is_quoted(each), _TAG.finditer(text)):
        if tag["empty"]:
            kept += "" if is_reasoning else text[reads_from : tag.start()]
        elif any(tag[name] for name in _ENDS):
            kept, is_reasoning = (kept if is_reasoning else ""), False
        elif not is_reasoning:
            kept, is_reasoning = kept + text[reads_from : tag.start()], True
        reads_from = tag.end()
    kept = whole_sentences(kept) if is_reasoning else kept + text[reads_from:]
    return _AROUND_ALL.sub("", _CONTROL.sub("", kept)).strip()


def _is_quoted(tag: re.Match[str]) -> bool:
    before, after = tag.string[: tag.start()][-1:], tag.string[tag.end() :][:1]
    return bool(after) and _QUOTES.get(before) == after

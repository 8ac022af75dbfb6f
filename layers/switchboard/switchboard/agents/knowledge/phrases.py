"""What customers say in several words, as the one word that a business writes: set me back → cost."""

import re

_PHRASES = (
    (r"set (?:me|us|you) back|(?:have|need|expect) to (?:pay|spend)|what do (?:you|u) (?:charge|ask|want)", "cost"),
    (r"second[- ]?hand|pre-?(?:owned|loved)", "used"),
    (r"changed my mind|(?:don'?t|do not) (?:like|want) (?:it|them|the)|(?:doesn'?t|didn'?t|does not) fit", "return"),
    (r"(?:send|bring|take|give|hand|ship|mail)(?:ing)?((?: \w+){0,3}?) back", r"return\1"),
    (
        r"(?:send|post|mail)(?:ing)? (?!.*\b(?:photo|picture|quote|email|text|link|receipt|return|application)s?\b)",
        "ship ",
    ),
    (r"(?:do|will|would|can|could) (?:you|u) buy|sell(?:ing)? (?:you )?my|get rid of my", "trade"),
    (r"to my (?:door(?:step)?|house|home|place|address|office)", "delivered"),
    (r"(?:come|stop|drop|swing|pop|walk)(?:ing)? (?:in|by|over|round|around)|until when|till when", "open"),
    (r"how (?:late|early)|(?:any|some)(?:body|one) (?:in|there|at)|(?:be|are you) there", "open"),
    (r"how (?:soon|fast|quick(?:ly)?)|turn-?around(?: time)?", "long"),
    (r"try(?:ing)?((?: \w+){0,3}?) (?:out|first|before)|test drive|for a spin", r"test\1"),
    (r"hear from (?:you|u)|notif(?:y|ied)|(?:let|call|ring|message) (?:me|us)(?: know)? (?:when|once|as soon)", "text"),
    (r"pick(?:ing)?(?: \w+)? up|pick(?:ing)?-?up", "pickup"),
    (r"(?:are|r) (?:you|u|ya) hiring|do you hire|hiring(?= now| people| staff| any|\W*$)", "job"),
    (r"work(?:ing)? (?:for|with|at) (?:you|your)|looking for (?:staff|employees|help|workers)", "job"),
    (r"hir(?:e|es|ed|ing)", "rent"),
    (r"how old (?:do|must|should|does)|what age|minimum age|old enough", "older"),
    (r"(?:left|forgot|lost) my((?: \w+){1,2}?) (?:in|at) (?:the|your) (?:store|shop|place)", r"lost property\1"),
    (r"next[- ]day|overnight|same[- ]day", "express"),
    (r"how far", "miles"),
    (r"reach (?:you|u|someone)|contact(?:ing)? (?:you|u)|get (?:a )?hold of|get in touch", "phone"),
    (r"get (?:there|to (?:you|your))|near(?:est|by)?", "where"),
)
_REWRITTEN = tuple((re.compile(rf"\b(?:{phrase})(?!\w)", re.IGNORECASE), word) for phrase, word in _PHRASES)


def in_a_word(question: str) -> str:
    """Return a question with such phrases as the words that they mean."""
    for phrase, word in _REWRITTEN:
        question = phrase.sub(word, question)
    return question

"""What a customer wants who does not ask for a fact: a human, help, silence, a greeting. English, by written rules."""

import re

from switchboard.reactions import read_reaction


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_PERSON = (
    r"(?:human|person|someone|somebody|colleague|employee|representative|rep|manager|supervisor|operator"
    r"|member of staff|agent)"
)
_ASKS_FOR_A_HUMAN = _any_of(
    rf"\b(?:speak|talk|chat|connect|transfer|forward|put|pass|hand|get|bring in)\b(?:\W+\w+){{0,4}}?\W+{_PERSON}\b",
    rf"\b(?:want|need|like|real|actual|live|the)\W+(?:an?\W+)?{_PERSON}\b(?!\W+(?:to|who))",
    r"\b(?:speak|talk|chat)\W+(?:to|with)\b",
    r"\b(?:real|actual|live) people\b",
    r"\bhuman\b",
    rf"^\W*(?:an?\W+)?{_PERSON}(?:\W+please)?\W*$",
)
_ASKS_WHAT_WE_ARE = _any_of(
    r"\b(?:are|r) (?:you|u) (?:an? |some )?(?:real|actual|live|human|person|bot|robot|chat ?bot|ai|machine|computer)\b",
    r"\b(?:am i|is this|are we)\b.*\b(?:human|person|bot|robot|chat ?bot|ai|machine)\b",
)
_DANGER = _any_of(
    r"\b(?:on fire|(?:caught|catch(?:es|ing)?) fire|in flames|explod\w+|emergency|ambulance|electric shock|bleeding)\b",
    r"\b(?:poison\w*|unconscious|called? 911|allergic reaction|smells? (?:of |like )?(?:gas|smoke|burning))\b",
    r"\b(?:is|are|was|were|keeps?|start(?:s|ed)|began)(?:\W+\w+)?\W+(?:smok\w+|burning|sparking|swelling|melting)\b"
    r"(?!.*\ballowed)",
    r"\b(?:i|he|she|we|they|wife|husband|son|daughter|kid|child|got|was|were|is|am|been)\W+(?:\w+\W+)?"
    r"(?:hurt|injured|crashed|burned)\b",
)
_COMPLAINT = _any_of(
    r"\b(?:complain\w*|unacceptable|terrible|horrible|awful|disgust\w+|ridiculous|outrag\w+|rip-?off|ripped off)\b",
    r"\b(?:scam\w*|furious|angry|fed up|disappoint\w+|worst|never again|lawyer|sue you|rude|useless)\b",
    r"\b(?:not happy|unhappy|ripped me off)\b",
    r"\b(?:overcharged|charged (?:me |us )?(?:twice|double|too much)|bad (?:service|experience)|wast(?:e|ed) .*time)\b",
    r"\b(?:second|third|fourth|\d(?:nd|rd|th)) time\b",
    r"\b(?:i|we) (?:want|demand|expect) (?:my|our|a|the) (?:full )?(?:money|refund)\b(?! policy)",
    r"\b(?:still|already|again)\b(?:\W+\w+){0,3}\W+(?:broken|not working|not fixed|doesn'?t work|fails?|failed)\b",
    r"\b(?:broke|failed|fell off|came off|snapped)\b.*\b(?:again|right after|you (?:just )?(?:fixed|repaired|sold))\b",
    r"\bsent (?:me |us )?the wrong\b",
    r"\bnobody (?:answer|repl|call)\w+",
)
_AGREES = re.compile(
    r"(?!.*\b(?:no|not|don|bye)\b)\W*(?:yes|yeah|yep|yup|sure|ok|okay|please|of course|go ahead|do that|absolutely)\b"
    r"(?:\W+\w+){0,3}[^\w?]*|\W*[👍👌✅]\W*|(?:liked|loved) \W.*",
    re.IGNORECASE,
)
_DECLINES = re.compile(
    r"\W*(?:(?:ok|okay|oh)\W+)?"
    r"(?:no|nope|nah|not now|never ?mind|nvm|that'?s (?:all|it|fine|ok)|(?:i'?m|all) (?:good|fine|set)|don'?t bother)\b"
    r"(?:\W+(?:no|need|it|is|it's|thanks?|thank|you|thx|ok|okay|fine|all|good|for|now|i'?m|that'?s|bye))*\W*",
    re.IGNORECASE,
)
_HELLO = r"\W*(?:hi+|hello|hey+|hiya|howdy|good (?:morning|afternoon|evening|day))\b"
_GREETS = re.compile(rf"{_HELLO}(?:\W+\w+)?[^\w?]*", re.IGNORECASE)
_GREETS_FIRST = re.compile(rf"{_HELLO}(?:\s+(?:there|guys|again|all))?\W*", re.IGNORECASE)
_IS_PLEASED = re.compile(
    r"\W*(?:(?:great|perfect|ok|okay|cool|good|super|wonderful|awesome)\W+)?"
    r"(?:thanks?|thank you|thx|ty|tysm|cheers|bye|goodbye|great|perfect|ok|okay|kk|cool|super|wonderful|awesome|got it"
    r"|sounds good|will do|see you|have a (?:good|great|nice))\b"
    r"(?:\W+\w+){0,3}[^\w?]*",
    re.IGNORECASE,
)


def asks_for_a_human(text: str) -> bool:
    """Tell whether the customer asks for a person."""
    return _ASKS_FOR_A_HUMAN.search(text) is not None


def asks_what_we_are(text: str) -> bool:
    """Tell whether the customer asks who or what answers them."""
    return _ASKS_WHAT_WE_ARE.search(text) is not None


def needs_a_human(text: str) -> bool:
    """Tell whether the customer complains, or is in danger."""
    return bool(_DANGER.search(text) or _COMPLAINT.search(text))


def agrees(text: str) -> bool:
    """Tell whether the customer says yes, and nothing else."""
    return _AGREES.fullmatch(text) is not None


def declines(text: str) -> bool:
    """Tell whether the customer says no, and nothing else."""
    return _DECLINES.fullmatch(text) is not None


def is_pleased(text: str) -> bool:
    """Tell whether the customer thanks, confirms or says goodbye, and nothing else."""
    return _IS_PLEASED.fullmatch(text) is not None


def is_small_talk(sentence: str) -> bool:
    """Tell whether a sentence asks nothing: a greeting, thanks, a no or a reaction."""
    return bool(_GREETS.fullmatch(sentence) or is_pleased(sentence) or declines(sentence) or read_reaction(sentence))


def without_greeting(sentence: str) -> str:
    """Return a sentence without the greeting that it begins with."""
    return _GREETS_FIRST.sub("", sentence, count=1)

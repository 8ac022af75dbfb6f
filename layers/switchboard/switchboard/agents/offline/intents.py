"""What a customer wants who does not ask for a fact: a human, help, silence, a greeting. English, by written rules."""

import re

from switchboard.reactions import read_reaction


def _any_of(*patterns: str) -> str:
    return f"(?i){'|'.join(patterns)}"


_PERSON = (
    r"(?:human|person|someone|somebody|colleague|employee|representative|rep|manager|supervisor|operator"
    r"|member of staff|staff member|team member|boss|agent)"
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
    r"\b(?:who|what) (?:are|r) (?:you|u)\W*$|\bwhat(?:'s| is) your name|\bwhat can (?:you|u) (?:do|help)|\bwho am i\b",
    r"\b(?:am i|is this|are we)\b.*\b(?:human|person|bot|robot|chat ?bot|ai|machine|computer|program|automated)\b",
)
_AGREES = (
    r"(?i)(?!.*\b(?:no|not|don|bye)\b)"
    r"\W*(?:yes|yeah|yep|yup|sure|ok|okay|please|of course|go ahead|do that|absolutely)\b"
    r"(?:\W+\w+){0,3}[^\w?]*|\W*[👍👌✅]\W*|(?:liked|loved) \W.*"
)
_DECLINES = (
    r"(?i)\W*(?:(?:ok|okay|oh)\W+)?(?:no|nope|nah|not now|never ?mind|nvm|nothing else|don'?t bother"
    r"|that'?s (?:all|it|fine|ok|everything)|(?:i'?m|all) (?:good|fine|set))\b"
    r"(?:\W+(?:no|need|it|is|it's|thanks?|thank|you|thx|ok|okay|fine|all|good|for|now|i'?m|that'?s|everything|bye))*\W*"
)
_HELLO = r"\W*(?:hi+|hello|hey+|hiya|howdy|good (?:morning|afternoon|evening|day))\b"
_HOW_ARE_YOU = r"\W*(?:how(?:'s it going| are (?:you|things)| r u)|what'?s up|sup|yo)(?: doing)?(?: today)?\W*"
_IS_SOMEBODY_THERE = r"\W*(?:is )?(?:any|some)(?:body|one) (?:there|here|home)\W*"
_GREETS = rf"(?i){_HELLO}(?:\W+\w+)?[^\w?]*|(?:{_HELLO}(?:\W+\w+)?)?(?:{_HOW_ARE_YOU}|{_IS_SOMEBODY_THERE})"
_GREETS_FIRST = rf"(?i){_HELLO}(?:\s+(?:there|guys|again|all))?\W*"
_GOOD = r"(?:great|perfect|ok|okay|kk|cool|super|wonderful|awesome|nice|lovely|brilliant|fantastic|alright|all right)"
_IS_PLEASED = (
    rf"(?i)\W*(?:(?:oh|ah|good|{_GOOD})\W+){{0,2}}"
    rf"(?:thanks?|thank you|thx|ty|tysm|cheers|bye|goodbye|good night|{_GOOD}|got it|understood|noted|excellent|amazing"
    r"|sounds good|will do|see (?:you|ya)|have a (?:good|great|nice)|you too|same to you|take care|no problem|np"
    r"|(?:much )?appreciate\w*|(?:that|this)(?:'s| is| was)? (?:helps|helped|great|perfect|helpful|good))\b"
    r"(?:\W+(?:thanks?|thank|you|so|very|much|a|lot|for|your|the|all|help|time|again|sounds|good|great|that|is|was)\b)*"
    r"(?:\W+\w+){0,3}[^\w?]*"
)
_IS_NOT_HELPED = _any_of(
    r"^\W*👎\W*$|^disliked \W|\bunhelpful\b|^\W*(?:that'?s )?wrong(?: answer)?\W*$",
    r"\b(?:not|n't) (?:very |at all |really )?(?:helpful|help(?:ing)? (?:me|at all))\b",
    r"\b(?:not|n't) (?:what i (?:asked|meant)|answer(?:ing)? my|my question|understand (?:me|my))",
)
_WANTS_NO_MESSAGES = _any_of(
    r"\b(?:stop|quit) (?:(?:sending|writing|texting|messaging|contacting|bothering|spamming) (?:me|us)"
    r"|sending (?:these|any)|(?:these|those|the|your|all (?:these|those|your)) (?:messages|texts|notifications))\b",
    r"\b(?:don'?t|do not|never) (?:want|wish|need) (?:to (?:get|receive|hear)|(?:any )?(?:more )?(?:of )?(?:these|those"
    r"|your)?) ?(?:any )?(?:more )?(?:messages|texts|notifications|from you)\b",
    r"\b(?:don'?t|do not|never) (?:text|message|contact|write(?: to)?) (?:me|us) (?:again|any ?more|ever)\b",
    r"\b(?:unsubscribe|remove|delete|take) (?:me|my (?:phone )?number) (?:off|from|out of)\b|\bunsubscribe me\b",
    r"\b(?:unsubscribe|opt out)\b(?!.*\?)",
)


def wants_no_messages(text: str) -> bool:
    """Tell whether the customer asks for no more messages."""
    return re.search(_WANTS_NO_MESSAGES, text) is not None


def asks_for_a_human(text: str) -> bool:
    """Tell whether the customer asks for a person."""
    return re.search(_ASKS_FOR_A_HUMAN, text) is not None


def asks_what_we_are(text: str) -> bool:
    """Tell whether the customer asks who or what answers them."""
    return re.search(_ASKS_WHAT_WE_ARE, text) is not None


def agrees(text: str) -> bool:
    """Tell whether the customer says yes, and nothing else."""
    return re.fullmatch(_AGREES, text) is not None


def declines(text: str) -> bool:
    """Tell whether the customer says no, and nothing else."""
    return re.fullmatch(_DECLINES, text) is not None


def is_not_helped(text: str) -> bool:
    """Tell whether the customer says that our reply did not help, and nothing else."""
    return re.search(_IS_NOT_HELPED, text) is not None


def is_pleased(text: str) -> bool:
    """Tell whether the customer thanks, confirms or says goodbye, and nothing else."""
    return re.fullmatch(_IS_PLEASED, text) is not None


def is_small_talk(sentence: str) -> bool:
    """Tell whether a sentence asks nothing: a greeting, thanks, a no or a reaction."""
    greets = re.fullmatch(_GREETS, sentence) is not None
    return greets or is_pleased(sentence) or declines(sentence) or read_reaction(sentence) is not None


def without_greeting(sentence: str) -> str:
    """Return a sentence without the greeting that it begins with."""
    return re.sub(_GREETS_FIRST, "", sentence, count=1)

"""Who needs a human at once: a customer in danger, and one who complains. English, by written rules."""

import re

_SMOKES = r"(?:smok\w+|burning|sparking|swelling|melting)"
_PARTS = r"(?:legs?|arms?|hands?|head|face|fingers?|knees?|foot|feet|wrist|eyes?|back)"
_PEOPLE = r"(?:i|he|she|we|they|wife|husband|son|daughter|kid|child)"
_YOURS = r"(?:you|your (?:\w+ )?(?:guys?|people|mechanics?|staff|shop|team|driver))"
_DANGER = (
    r"\b(?:on fire|(?:caught|catch(?:es|ing)?) fire|in flames|explod\w+|emergency|ambulance|electric shock|bleeding)\b",
    r"\b(?:poison\w*|unconscious|called? 911|allergic reaction|hospital|overheat\w*|swollen|(?:an|in) accident)\b",
    r"\bsmells? (?:of |like )?(?:gas|smoke|burning|burnt|weird|strange|funny|bad)\b",
    rf"\b(?:is|are|was|were|keeps?|start(?:s|ed)|began)(?:\W+\w+)?\W+{_SMOKES}\b(?!.*\ballowed)",
    r"\b(?:it|battery|motor|charger)\b(?:\W+\w+){0,3}\W+hot\b",
    rf"\b{_PEOPLE} (?:fell|crashed)\b|\b(?:cut|hurt|hit|broke|burn(?:ed|t)) (?:my|his|her|their|our) {_PARTS}\b",
    rf"\b(?:{_PEOPLE}|got|was|were|is|am|been)\W+(?:\w+\W+)?(?:hurt|injured|crashed|burned)\b",
)
_COMPLAINT = (
    r"\b(?:complain\w*|unacceptable|terrible|horrible|awful|appalling|disgust\w+|ridiculous|outrag\w+|rip-?off)\b",
    r"\b(?:scam\w*|furious|angry|fed up|disappoint\w+|frustrat\w+|annoy\w+|upset|worst|never again|rude|useless)\b",
    r"\b(?:lawyer|sue you|chargeback|(?:one|1)[- ]star|bad review|ripped (?:off|me off)|(?:is|what) a joke)\b",
    r"\b(?:not (?:very |at all |really )?(?:happy|satisfied)|unhappy|dissatisfied)\b",
    r"\b(?:overcharged|(?:charged|paid|billed)(?: me| us)? (?:twice|double|too much)|wast(?:e|ed) .*time)\b",
    r"\b(?:bad|poor|lousy) (?:service|experience|quality|work)\b",
    r"\b(?:second|third|fourth|\d(?:nd|rd|th)) time\b",
    r"\b(?:i|we) (?:want|demand|expect) (?:my|our|a|the) (?:full )?(?:money|refund)\b(?! policy)",
    r"\b(?:still|already|again)\b(?:\W+\w+){0,3}\W+(?:broken|not working|not fixed|doesn'?t work|fails?|failed)\b",
    r"\b(?:broke|failed|fell off|came off|snapped)\b.*\b(?:again|right after|you (?:just )?(?:fixed|repaired|sold))\b",
    rf"\b{_YOURS}(?: \w+)? (?:damaged|broke|scratched|lost|ruined|bent|forgot|ignored|lied|messed|screwed)\b",
    r"\b(?:sent (?:me |us )?|got |received )the wrong\b|\bnever (?:arrived|came|showed up|turned up|received|got)\b",
    r"\bstill (?:waiting|nothing)\b|\bwait(?:ing|ed) (?:\w+ ){0,4}(?:weeks|months|ages|forever)\b",
    r"\b(?:nobody|no ?one|none of you)(?: \w+)? (?:answer|repl|call|respond|got back|gets back|help|came|pick)\w*",
)
_NEEDS_A_HUMAN = "(?i)" + "|".join((*_DANGER, *_COMPLAINT))


def needs_a_human(text: str) -> bool:
    """Tell whether the customer complains, or is in danger."""
    return re.search(_NEEDS_A_HUMAN, text) is not None

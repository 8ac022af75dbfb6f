"""Who writes in a schedule: the authors as Twilio names them, and what each of them is in truth.

What the code takes them for is decided by `switchboard.author`, as for a webhook and for a list.
"""

import random
import re
from dataclasses import replace

from switchboard.author import ASSISTANT_AUTHOR, AuthorRole, AuthorRules
from switchboard.events import MessageAdded

CUSTOMER = "+12025550110"
DESK = "robin"  # takes part in the conversation
REST_CLIENT = "joe"  # takes no part in it, and writes by a REST request
OWN_PHONE = "+12025550177"  # of a human who answers from there
PROGRAM = "system"  # a REST request that names no author

HUMANS = (DESK, REST_CLIENT, OWN_PHONE)
ROLES = {
    CUSTOMER: AuthorRole.CUSTOMER,
    **dict.fromkeys(HUMANS, AuthorRole.HUMAN),
    PROGRAM: AuthorRole.SYSTEM,
    ASSISTANT_AUTHOR: AuthorRole.ASSISTANT,
}
AUTHOR_RULES = AuthorRules(human_addresses=(re.compile(re.escape(OWN_PHONE)),))


def has_webhook(author: str, chance: random.Random) -> bool:
    """Tell whether Twilio sends a webhook: of a REST request only where the request asks for it."""
    return author not in {REST_CLIENT, PROGRAM} or chance.random() < 1 / 2


def is_human(message: MessageAdded) -> bool:
    """Tell whether a human wrote a message, whatever the code takes them for."""
    return ROLES[message.author] is AuthorRole.HUMAN


def in_truth(message: MessageAdded) -> MessageAdded:
    """Return a message with the role that its author has in truth."""
    return replace(message, author_role=ROLES[message.author])

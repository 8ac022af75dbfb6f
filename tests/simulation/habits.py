"""What a customer of the proofs writes, and what some of them answer each reply of ours with, at once.

Each text says the index of its message, so that the proofs' agent can say which messages it answers.
"""

import random

AUTORESPONSE = "I am driving and answer later"
CHATTER = "I am a program and have this to say:"
MENU = "yes please"
REACTION = "👍"
STOP, START = "stop texting me", "subscribe"  # in wordings that Twilio does not answer
HABITS = (AUTORESPONSE, CHATTER, MENU, REACTION)

FEW_TURNS = 6  # in ten minutes, where somebody chatters
MAX_ANSWERS = 12  # then they stop, whatever we do


def body_of(index: int, *, habit: str = "") -> str:
    """Return what a customer writes in the message with this index; by habit, numbers aside, the same each time.

    A program that chatters says something else each time.
    """
    if habit == REACTION:
        return REACTION * (index + 1)
    if habit in {STOP, START}:
        return habit + "!" * (index + 1)
    new_words = "".join("abcdefghij"[int(digit)] for digit in str(index)) if habit == CHATTER else ""
    return " ".join(filter(None, [habit, new_words, str(index)]))


def index_of(body: str) -> int:
    """Return the index that a body says."""
    if body.startswith((STOP, START)):
        return body.count("!") - 1
    return body.count(REACTION) - 1 if REACTION in body else int(body.rpartition(" ")[2])


def plan_consent(seed: int, *, conversations: int, messages: int) -> tuple[int, dict[int, str]]:
    """Return a conversation's number, and what its customer says of consent, by how many messages are left to write.

    In two of five schedules they say something, now and then twice the same.
    """
    chance = random.Random(f"consent {seed}")  # noqa: S311 -- a schedule, not a secret
    number = chance.randrange(1, conversations + 1)
    if chance.random() >= 2 / 5:
        return number, {}
    left = sorted(chance.sample(range(messages), k=min(messages, chance.choice([1, 2, 3, 4]))), reverse=True)
    return number, {at: STOP if chance.random() < 3 / 5 else START for at in left}


def plan_habit(seed: int, *, conversations: int) -> tuple[int, str] | None:
    """Return the number of the conversation whose customer has a habit, and the habit, in two of five schedules."""
    chance = random.Random(f"habit {seed}")  # noqa: S311 -- a schedule, not a secret
    if chance.random() >= 2 / 5:
        return None
    return chance.randrange(1, conversations + 1), chance.choice(HABITS)

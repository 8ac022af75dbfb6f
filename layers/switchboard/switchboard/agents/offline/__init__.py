"""The offline model: a deterministic stand-in for a language model, so that everything runs without credentials.

It is a few written rules, and shows how the system behaves, not how a model talks. It sees what a real model sees, the
messages and the tools, and does what the instructions of an assistant ask for. It understands English, says so in five
other languages, and takes tools by the words of their names and descriptions.

Its patterns are texts, which `re` compiles at the first use and keeps: a cold start compiles none.
"""

from switchboard.agents.offline.model import (
    ALL_RIGHT,
    GREETING,
    HANDED_OFF,
    MAX_SEARCHES,
    NOT_HELPED,
    OFFER,
    ONLY_A_FILE,
    PARTLY_UNKNOWN,
    TAKEN_SERIOUSLY,
    UNKNOWN,
    WELCOME,
    WHAT_WE_ARE,
    OfflineModel,
)

__all__ = [
    "ALL_RIGHT",
    "GREETING",
    "HANDED_OFF",
    "MAX_SEARCHES",
    "NOT_HELPED",
    "OFFER",
    "ONLY_A_FILE",
    "PARTLY_UNKNOWN",
    "TAKEN_SERIOUSLY",
    "UNKNOWN",
    "WELCOME",
    "WHAT_WE_ARE",
    "OfflineModel",
]

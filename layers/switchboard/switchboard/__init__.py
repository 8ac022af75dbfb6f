"""One AI agent behind SMS, WhatsApp and web chat, over Twilio Conversations.

What a program of yours imports is here: `Provider`, and what an agent is asked and answers.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from switchboard.agent import Answer as Answer
    from switchboard.agent import EntryRole as EntryRole
    from switchboard.agent import HistoryEntry as HistoryEntry
    from switchboard.agent import Question as Question
    from switchboard.answer_settings import AnswerSettings as AnswerSettings
    from switchboard.provider import Provider as Provider

__version__ = "0.1.0"

_HOMES = {
    "Answer": "agent",
    "AnswerSettings": "answer_settings",
    "EntryRole": "agent",
    "HistoryEntry": "agent",
    "Provider": "provider",
    "Question": "agent",
}


def __getattr__(name: str) -> object:
    """Import a name when it is first used: a cold start on Lambda loads nothing that it does not need."""
    if name not in _HOMES:
        raise AttributeError(f"module 'switchboard' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 -- see above

    return getattr(import_module(f"switchboard.{_HOMES[name]}"), name)

"""A stateful emulator of Twilio Conversations (v1): REST API, signed webhooks, customers' phones and web chats."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twilio_emulator.emulator import Emulator

__all__ = ["Emulator"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import the emulator when it is first asked for: `__main__` has to be ready for Ctrl-C before that."""
    if name != "Emulator":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from twilio_emulator.emulator import Emulator  # noqa: PLC0415 -- see above

    return Emulator

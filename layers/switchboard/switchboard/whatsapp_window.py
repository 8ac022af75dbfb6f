"""WhatsApp's window, for what programs and humans write: no free text leaves where WhatsApp would not take it."""

from datetime import datetime

from switchboard.channels.channel import WHATSAPP_WINDOW, Channel
from switchboard.errors import WindowClosed
from switchboard.ports import SilentCustomers


def require_open_window(conversation_sid: str, *, customers: SilentCustomers, now: datetime) -> None:
    """Raise `WindowClosed` unless each customer on WhatsApp wrote less than 24 hours ago; nobody may be on WhatsApp.

    Only this conversation's messages are read: one that a program has just opened counts as silent, although the
    customer may have written in another. Twilio sends a message to every customer, so one closed window is enough.
    Where Twilio cannot be asked, it raises `SendRefused` or `NotSent`: nothing has left.
    """
    since = now - WHATSAPP_WINDOW
    if customers.has_silent_customer(conversation_sid, channel=Channel.WHATSAPP, since=since):
        raise WindowClosed(
            f"{conversation_sid}: a customer on WhatsApp has not written in the last 24 hours, and free text does not"
            ' reach them: send an approved template, with content=Content(sid="HX…")'
        )

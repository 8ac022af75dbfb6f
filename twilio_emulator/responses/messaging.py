"""Typing indicators, which Twilio offers at messaging.twilio.com."""

import re
from datetime import timedelta

from twilio_emulator.models import typing
from twilio_emulator.responses.parameters import invalid_parameter
from twilio_emulator.responses.request import Request, Response, ok

TYPING_DURATION = timedelta(seconds=25)  # or until the next message (Twilio, "Typing indicators for WhatsApp")


async def show_typing(request: Request) -> Response:
    """Show the sender of a WhatsApp message that the business is typing."""
    request.form.reject_unknown({"channel", "messageId"})
    if request.form.required("channel").lower() != "whatsapp":
        raise invalid_parameter("channel", "must be whatsapp")
    sid = request.form.required("messageId")
    if not re.fullmatch(r"(SM|MM)[0-9a-fA-F]{32}", sid):
        raise invalid_parameter("messageId", "must be an SM or MM SID")
    for conversation_sid, messages in request.backend.state.messages.items():
        if any(message.channel_message_sid == sid for message in messages.values()):
            typing.start(request.backend, conversation_sid, "business", duration=TYPING_DURATION)
    return ok({"success": True})

"""A stateful emulator of Twilio Conversations (v1): REST API, signed webhooks, customers' phones and web chats."""

from twilio_emulator.emulator import Emulator

__all__ = ["Emulator"]

"""A stateful Twilio Conversations (v1) on one machine: REST, webhooks, phones. No account, no cost."""

from twilio_emulator.emulator import Emulator

__all__ = ["Emulator"]

"""A stateful Twilio Conversations (v1) on one machine: REST, webhooks, phones. No account, no cost."""

from local.twilio.emulator import Emulator

__all__ = ["Emulator"]

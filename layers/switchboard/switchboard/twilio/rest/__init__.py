"""Twilio Conversations (v1, classic) over the twilio package: messages, conversations, the service they belong to."""

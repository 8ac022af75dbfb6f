"""The webhooks that the emulator sends: signed, in order within a conversation, before or after an event."""

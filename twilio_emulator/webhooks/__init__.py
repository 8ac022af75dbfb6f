"""The webhooks the emulator sends: signed, in order within a conversation, before or after what they tell of."""

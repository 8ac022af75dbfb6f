"""One AI agent behind SMS, WhatsApp and web chat, over Twilio Conversations."""

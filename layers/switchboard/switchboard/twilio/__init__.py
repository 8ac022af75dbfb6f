"""Twilio's wire: the only place where its raw forms and JSON exist."""

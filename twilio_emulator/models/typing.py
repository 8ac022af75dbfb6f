"""Who is typing in a conversation. Twilio sends no webhook for it."""

from datetime import timedelta

from twilio_emulator.models.backend import Backend


def start(backend: Backend, conversation_sid: str, who: str, *, duration: timedelta) -> None:
    """Show somebody as typing: an identity, an address, or `business` for Twilio's typing indicator."""
    backend.state.typing.setdefault(conversation_sid, {})[who] = backend.clock() + duration
    for participant in backend.state.participants.get(conversation_sid, {}).values():
        address = participant.binding.address if participant.binding else participant.identity
        backend.on_phone_changed(address or "", "")


def who(backend: Backend, conversation_sid: str) -> dict[str, timedelta]:
    """Return who is typing, and for how long their indicator still shows."""
    now = backend.clock()
    typing = backend.state.typing.get(conversation_sid, {})
    return {each: until - now for each, until in typing.items() if until > now}

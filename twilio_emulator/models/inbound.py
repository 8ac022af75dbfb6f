"""Inbound messages, and the conversations that they belong to or open.

Twilio adds an inbound message to the open conversation with the same address pair. If there is none and the receiving
address is configured for auto-creation, it opens one. Otherwise the message goes to Programmable Messaging, which the
emulator does not have (Twilio, "Inbound autocreation").
"""

from collections.abc import Sequence

from twilio_emulator.exceptions import NOT_FOUND, TwilioError
from twilio_emulator.models import addresses, conversations, messages, participants, scoped_webhooks
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.deliveries import CHANNEL_SIDS, receive_from_twilio
from twilio_emulator.models.events import Origin, channel_origin, rest_origin, sdk_origin
from twilio_emulator.models.resources import (
    AddressConfiguration,
    AutoCreationType,
    Binding,
    Channel,
    Conversation,
    File,
    Message,
    State,
)
from twilio_emulator.models.state import pair_key

CHAT = "chat"  # the recipient of a web-chat message

# Single words, in any case (Twilio, "opt-out keywords"). The message is added to the conversation all the same.
OPT_OUT_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
OPT_IN_WORDS = frozenset({"START", "YES", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})

# What Twilio itself answers; it is no message of the conversation. Twilio's texts, abridged.
GOODBYE = "You have successfully been unsubscribed. Reply START to resubscribe."
WELCOME_BACK = "You have successfully been re-subscribed. Reply STOP to unsubscribe."
HOW_TO_STOP = "Reply STOP to unsubscribe."


def conversation_for(backend: Backend, sender: str, to: str) -> Conversation | None:
    """Return the open conversation for a message, or None; raise Twilio's error if the address pair is not valid."""
    if to == CHAT:
        return _find_open_chat(backend, sender)
    addresses.channel_of_pair(backend, sender, to)
    sid = backend.state.conversations_by_pair.get(pair_key(sender, to))
    return backend.state.conversations[sid] if sid else None


def draft_conversation(backend: Backend, sender: str, to: str) -> Conversation:
    """Return a draft of the conversation that a message opens; raise 20404 if auto-creation is off."""
    if to == CHAT:
        return conversations.draft(backend, service_sid=backend.state.configuration.default_chat_service_sid)
    configuration = _auto_creation_configuration(backend, sender, to)
    service_sid = configuration.auto_creation.conversation_service_sid
    return conversations.draft(
        backend,
        service_sid=service_sid or backend.state.configuration.default_chat_service_sid,
        friendly_name=sender,
    )


def open_conversation(backend: Backend, draft: Conversation, *, sender: str, to: str) -> Conversation:
    """Add the conversation that a message opens, with the customer as its participant.

    A web chat is opened as the server of a website does it: over REST, without webhooks.
    """
    if to == CHAT:
        without_webhooks = rest_origin(webhook_enabled=False)
        conversation = conversations.commit(backend, draft, origin=without_webhooks)
        participants.commit(
            backend, participants.draft(backend, conversation.sid, identity=sender), origin=without_webhooks
        )
        return conversation
    origin = origin_of(sender, to)
    conversation = conversations.commit(backend, draft, origin=origin, bindings=(binding(backend, sender, to),))
    auto = _auto_creation_configuration(backend, sender, to).auto_creation
    if auto.type is AutoCreationType.WEBHOOK:
        scoped_webhooks.add(
            backend,
            conversation.sid,
            target="webhook",
            url=auto.webhook_url,
            method=auto.webhook_method,
            filters=auto.webhook_filters or (),
        )
    customer = participants.draft(backend, conversation.sid, address=sender, proxy_address=to)
    participants.commit(backend, customer, origin=origin)
    return conversation


def draft_message(
    backend: Backend, conversation_sid: str, *, sender: str, to: str, body: str | None, files: Sequence[File] = ()
) -> Message:
    """Return a draft of a customer's message; record when they last wrote, and whether they opted out or in."""
    channel = channel_of(sender, to)
    draft = messages.draft(
        backend,
        conversation_sid,
        author=sender,
        body=body,
        files=files,
        channel_message_sid=backend.new_sid(CHANNEL_SIDS[channel]) if channel else None,
        may_be_empty=may_be_empty(sender, to),
    )
    if channel is not None:
        backend.state.last_inbound[pair_key(sender, to)] = backend.clock()
    if channel is Channel.SMS:
        _apply_keyword(backend, sender, to, body or "")
    return draft


def channel_of(sender: str, to: str) -> Channel | None:
    """Return the channel that a customer writes on; None in a web chat."""
    return None if to == CHAT else addresses.channel_of(sender)


def may_be_empty(sender: str, to: str) -> bool:
    """Tell whether a customer may send neither words nor files: by WhatsApp, a location, a contact or a sticker."""
    return channel_of(sender, to) is Channel.WHATSAPP


def origin_of(sender: str, to: str) -> Origin:
    """Return the origin of what a customer does."""
    channel = channel_of(sender, to)
    return channel_origin(channel) if channel else sdk_origin(sender)


def binding(backend: Backend, sender: str, to: str) -> Binding:
    """Return the binding of a customer to an address of the account."""
    return Binding(channel=addresses.channel_of_pair(backend, sender, to), address=sender, proxy_address=to)


def _auto_creation_configuration(backend: Backend, sender: str, to: str) -> AddressConfiguration:
    configuration = addresses.find_configuration(backend, to)
    if configuration is None or not configuration.auto_creation.enabled:
        raise TwilioError(
            NOT_FOUND, f"There is no conversation for messages from {sender} to {to}, and auto-creation is off"
        )
    return configuration


def _find_open_chat(backend: Backend, identity: str) -> Conversation | None:
    """Return the newest open conversation of an identity; None if there is none."""
    if addresses.channel_of(identity) and not addresses.is_short_code(identity):
        raise TwilioError(50211)
    sids = reversed(backend.state.memberships.get(identity, {}))
    chats = (sid for sid in sids if participants.find_by_identity(backend, sid, identity))
    existing = (backend.state.conversations[sid] for sid in chats)
    return next((conversation for conversation in existing if conversation.state is not State.CLOSED), None)


def _apply_keyword(backend: Backend, sender: str, to: str, body: str) -> None:
    """Opt a customer out or in, and answer as Twilio does: STOP and START where they change something, HELP always."""
    word, pair = body.strip().upper(), pair_key(sender, to)
    if word in HELP_WORDS:
        receive_from_twilio(backend, sender, HOW_TO_STOP, author=to)
    elif word in OPT_OUT_WORDS and pair not in backend.state.opted_out:
        backend.state.opted_out.add(pair)
        receive_from_twilio(backend, sender, GOODBYE, author=to)
    elif word in OPT_IN_WORDS and pair in backend.state.opted_out:
        backend.state.opted_out.discard(pair)
        receive_from_twilio(backend, sender, WELCOME_BACK, author=to)

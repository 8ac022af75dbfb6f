"""What a customer sends: into the conversation of the address pair, or into a new one.

Precedence (Twilio, "Inbound autocreation"): the open conversation with this exact pair; else a new one, if our address
is configured so; else Programmable Messaging, which is no part of the emulator.
"""

from collections.abc import Sequence

from twilio_emulator.exceptions import NOT_FOUND, TwilioError
from twilio_emulator.models import addresses, conversations, messages, participants, scoped_webhooks
from twilio_emulator.models.backend import World
from twilio_emulator.models.deliveries import CHANNEL_SIDS
from twilio_emulator.models.events import Origin, carrier, rest, sdk
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

CHAT = "chat"  # what a web-chat message is addressed to

# Single words, in any case (Twilio, opt-out keywords). The text itself is still passed on.
OPT_OUT_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
OPT_IN_WORDS = frozenset({"START", "YES", "UNSTOP"})


def text(world: World, *, sender: str, to: str, body: str | None, files: Sequence[File] = ()) -> Message:
    """Take a message from a phone, or with `to` = `chat` from an identity; open a conversation where needed."""
    messages.check_content(body, files)
    conversation = conversation_for(world, sender, to)
    if conversation is None:
        drafted = draft_conversation(world, sender, to)
        conversation = open_conversation(world, drafted, sender=sender, to=to)
    draft = draft_message(world, conversation.sid, sender=sender, to=to, body=body, files=files)
    return messages.commit(world, draft, origin=origin_of(sender))


def conversation_for(world: World, sender: str, to: str) -> Conversation | None:
    """Return the open conversation that takes this text; Twilio's error where the addresses do not go together."""
    if to == CHAT:
        return _open_chat(world, sender)
    addresses.pair(world, sender, to)
    sid = world.state.conversations_by_pair.get(pair_key(sender, to))
    return world.state.conversations[sid] if sid else None


def draft_conversation(world: World, sender: str, to: str) -> Conversation:
    """Return the conversation that a first text opens; an error where our address opens none."""
    if to == CHAT:
        return conversations.draft(world, service_sid=world.state.configuration.default_chat_service_sid)
    configuration = _autocreating(world, sender, to)
    service_sid = configuration.auto_creation.conversation_service_sid
    return conversations.draft(
        world,
        service_sid=service_sid or world.state.configuration.default_chat_service_sid,
        friendly_name=sender,
    )


def open_conversation(world: World, drafted: Conversation, *, sender: str, to: str) -> Conversation:
    """Open the conversation of a first text, with its customer in it.

    A web chat is opened as a website's server does: by REST, which fires no webhooks.
    """
    if to == CHAT:
        silent = rest(webhook_enabled=False)
        conversation = conversations.commit(world, drafted, origin=silent)
        participants.commit(world, participants.draft(world, conversation.sid, identity=sender), origin=silent)
        return conversation
    origin = origin_of(sender)
    conversation = conversations.commit(world, drafted, origin=origin, bindings=(binding(world, sender, to),))
    auto = _autocreating(world, sender, to).auto_creation
    if auto.type is AutoCreationType.WEBHOOK:
        scoped_webhooks.add(
            world,
            conversation.sid,
            target="webhook",
            url=auto.webhook_url,
            method=auto.webhook_method,
            filters=auto.webhook_filters or (),
        )
    customer = participants.draft(world, conversation.sid, address=sender, proxy_address=to)
    participants.commit(world, customer, origin=origin)
    return conversation


def draft_message(
    world: World, conversation_sid: str, *, sender: str, to: str, body: str | None, files: Sequence[File] = ()
) -> Message:
    """Return a customer's message; note that he wrote, and whether he opted out or in."""
    channel = addresses.channel_of(sender) if to != CHAT else None
    draft = messages.draft(
        world,
        conversation_sid,
        author=sender,
        body=body,
        files=files,
        channel_message_sid=world.new_sid(CHANNEL_SIDS[channel]) if channel else None,
    )
    if channel is not None:
        world.state.last_inbound[pair_key(sender, to)] = world.clock()
    if channel is Channel.SMS:
        _note_keyword(world, pair_key(sender, to), body or "")
    return draft


def origin_of(sender: str) -> Origin:
    """Return who causes what a customer does."""
    channel = addresses.channel_of(sender)
    return carrier(channel) if channel else sdk(sender)


def binding(world: World, sender: str, to: str) -> Binding:
    """Return how a customer is bound to our address."""
    return Binding(channel=addresses.pair(world, sender, to), address=sender, proxy_address=to)


def _autocreating(world: World, sender: str, to: str) -> AddressConfiguration:
    configuration = addresses.configured(world, to)
    if configuration is None or not configuration.auto_creation.enabled:
        raise TwilioError(NOT_FOUND, f"No conversation takes texts from {sender} to {to}, and none is auto-created")
    return configuration


def _open_chat(world: World, identity: str) -> Conversation | None:
    """Return the newest open conversation that an identity is in."""
    if addresses.channel_of(identity):
        raise TwilioError(50211)
    sids = reversed(world.state.memberships.get(identity, {}))
    standing = (world.state.conversations[sid] for sid in sids)
    return next((conversation for conversation in standing if conversation.state is not State.CLOSED), None)


def _note_keyword(world: World, pair: str, body: str) -> None:
    word = body.strip().upper()
    if word in OPT_OUT_WORDS:
        world.state.opted_out.add(pair)
    elif word in OPT_IN_WORDS:
        world.state.opted_out.discard(pair)

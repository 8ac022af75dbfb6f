"""What a customer sends: into the conversation of the address pair, or into a new one.

Precedence (Twilio, "Inbound autocreation"): the open conversation with this exact pair; else a new one, if our address
is configured so; else Programmable Messaging, which is no part of the emulator.
"""

from collections.abc import Sequence

from local.twilio.exceptions import NOT_FOUND, TwilioError
from local.twilio.models import addresses, conversations, messages, participants, scoped_webhooks
from local.twilio.models.events import carrier, rest, sdk
from local.twilio.models.records import AddressConfiguration, AutoCreationType, Conversation, File, Message, State
from local.twilio.models.world import World, pair_key

CHAT = "chat"  # what a web-chat message is addressed to


def text(world: World, *, sender: str, to: str, body: str | None, media: Sequence[File] = ()) -> Message:
    """Take a message from a phone, or with `to` = `chat` from an identity; open a conversation where needed."""
    if to == CHAT:
        conversation = open_chat(world, sender) or start_chat(world, sender)
    else:
        standing = conversation_of_pair(world, sender, to)
        conversation = standing or start(world, autocreating(world, sender, to), sender=sender)
    return deliver(world, conversation.sid, sender=sender, body=body, media=media)


def conversation_of_pair(world: World, sender: str, to: str) -> Conversation | None:
    """Return the open conversation of two addresses; Twilio's error where they do not go together."""
    addresses.pair(world, sender, to)
    sid = world.state.conversations_by_pair.get(pair_key(sender, to))
    return world.state.conversations[sid] if sid else None


def autocreating(world: World, sender: str, to: str) -> AddressConfiguration:
    """Return the configuration by which a text to our address opens a conversation; an error if none does."""
    configuration = addresses.configured(world, to)
    if configuration is None or not configuration.auto_creation.enabled:
        raise TwilioError(NOT_FOUND, f"No conversation takes texts from {sender} to {to}, and none is auto-created")
    return configuration


def start(world: World, configuration: AddressConfiguration, *, sender: str) -> Conversation:
    """Open the conversation of a first text, with its customer in it."""
    auto = configuration.auto_creation
    channel = addresses.pair(world, sender, configuration.address)
    conversation = conversations.create(
        world,
        service_sid=auto.conversation_service_sid or world.state.default_service_sid,
        origin=carrier(channel),
        friendly_name=sender,
    )
    if auto.type is AutoCreationType.WEBHOOK:
        scoped_webhooks.add(
            world,
            conversation.sid,
            target="webhook",
            url=auto.webhook_url,
            method=auto.webhook_method,
            filters=auto.webhook_filters or (),
        )
    participants.add(
        world, conversation.sid, origin=carrier(channel), address=sender, proxy_address=configuration.address
    )
    return conversation


def open_chat(world: World, identity: str) -> Conversation | None:
    """Return the newest open conversation that an identity is in."""
    return next(
        (
            conversation
            for conversation in reversed(world.state.conversations.values())
            if conversation.state is not State.CLOSED and participants.of_identity(world, conversation.sid, identity)
        ),
        None,
    )


def start_chat(world: World, identity: str) -> Conversation:
    """Open a web chat as a website's server does: by REST, which fires no webhooks."""
    silent = rest(webhook_enabled=False)
    conversation = conversations.create(world, service_sid=world.state.default_service_sid, origin=silent)
    participants.add(world, conversation.sid, origin=silent, identity=identity)
    return conversation


def deliver(
    world: World, conversation_sid: str, *, sender: str, body: str | None, media: Sequence[File] = ()
) -> Message:
    """Add a customer's message to his conversation."""
    channel = addresses.channel_of(sender)
    return messages.add(
        world,
        conversation_sid,
        origin=carrier(channel) if channel else sdk(sender),
        author=sender,
        body=body,
        media=media,
    )

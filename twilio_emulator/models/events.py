"""Events: what happened or is about to happen, the parameters of the webhook that reports it, and its origin.

A parameter that does not apply is left out instead of being empty (Twilio, "Conversations webhooks").
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from twilio_emulator.models.resources import Channel

PRE_EVENTS = (
    "onConversationAdd",
    "onConversationUpdate",
    "onConversationRemove",
    "onMessageAdd",
    "onMessageUpdate",
    "onMessageRemove",
    "onParticipantAdd",
    "onParticipantUpdate",
    "onParticipantRemove",
)
USER_EVENTS = ("onUserAdded", "onUserUpdate", "onUserUpdated")  # only the account's webhooks can subscribe to them
POST_EVENTS = (
    "onConversationAdded",
    "onConversationUpdated",
    "onConversationRemoved",
    "onConversationStateUpdated",
    "onMessageAdded",
    "onMessageUpdated",
    "onMessageRemoved",
    "onParticipantAdded",
    "onParticipantUpdated",
    "onParticipantRemoved",
    "onDeliveryUpdated",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What caused an event; `source` is the `Source` parameter, None for events that have none."""

    source: str | None
    fires_webhooks: bool = True
    client_identity: str | None = None


TWILIO_ORIGIN = Origin(source="API")  # changes of state by a timer or a message
DELIVERY_ORIGIN = Origin(source=None)  # in real projects, delivery events have no Source parameter
_SOURCES = {Channel.SMS: "SMS", Channel.WHATSAPP: "WHATSAPP", Channel.MESSENGER: "MESSENGER", Channel.RCS: "RCS"}


def rest_origin(*, webhook_enabled: bool) -> Origin:
    """Return the origin of a REST call; it fires webhooks only with the header X-Twilio-Webhook-Enabled."""
    return Origin(source="API", fires_webhooks=webhook_enabled)


def channel_origin(channel: Channel) -> Origin:
    """Return the origin of an inbound message on a channel."""
    return Origin(source=_SOURCES[channel])


def sdk_origin(identity: str) -> Origin:
    """Return the origin of an action in a web chat, which uses Twilio's SDK."""
    return Origin(source="SDK", client_identity=identity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event; `fields` are its parameters in order, with one pair for each value of a repeated parameter.

    `only_webhook_sid` is set on a replayed event, which is sent to one webhook of the conversation only.
    """

    type: str
    service_sid: str
    conversation_sid: str | None
    fields: tuple[tuple[str, str], ...]
    origin: Origin
    only_webhook_sid: str | None = None

    def by_name(self) -> Mapping[str, str]:
        """Return the parameters by name; of a repeated one, the last value."""
        return dict(self.fields)


def form_fields(pairs: Iterable[tuple[str, object]]) -> tuple[tuple[str, str], ...]:
    """Return the parameters that have a value as form fields; times have milliseconds."""
    return tuple((name, _text(value)) for name, value in pairs if value is not None)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"
    return str(value)

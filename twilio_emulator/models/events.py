"""What happened, as a webhook tells it: a type, its parameters, and who caused it.

Parameters and where they appear: Twilio, "Conversations webhooks". Those that do not apply are left out, not empty.
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
USER_EVENTS = ("onUserAdded", "onUserUpdate", "onUserUpdated")  # the account's webhooks alone can have them
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
    """Who caused an event; `source` is Twilio's word, None where Twilio gives none."""

    source: str | None
    fires: bool = True
    client_identity: str | None = None


TWILIO = Origin(source="API")  # timers
DELIVERY = Origin(source=None)  # seen in live projects: delivery events carry no Source
_SOURCES = {Channel.SMS: "SMS", Channel.WHATSAPP: "WHATSAPP", Channel.MESSENGER: "MESSENGER", Channel.RCS: "RCS"}


def rest(*, webhook_enabled: bool) -> Origin:
    """Return the origin of a REST call, which fires webhooks only if its header says so."""
    return Origin(source="API", fires=webhook_enabled)


def carrier(channel: Channel) -> Origin:
    """Return the origin of a text that came in on a channel."""
    return Origin(source=_SOURCES[channel])


def sdk(identity: str) -> Origin:
    """Return the origin of what somebody does in a web chat."""
    return Origin(source="SDK", client_identity=identity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One happening; `fields` are the parameters of its type, in order, a repeated name for each of its values.

    `only_webhook` is the conversation's webhook that alone is told, where an old event is told again.
    """

    type: str
    service_sid: str
    conversation_sid: str | None
    fields: tuple[tuple[str, str], ...]
    origin: Origin
    only_webhook: str | None = None

    def named(self) -> Mapping[str, str]:
        """Return the parameters by name, the last value of each."""
        return dict(self.fields)


def fields(pairs: Iterable[tuple[str, object]]) -> tuple[tuple[str, str], ...]:
    """Return form fields of those parameters that have a value; instants to the millisecond."""
    return tuple((name, _text(value)) for name, value in pairs if value is not None)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"
    return str(value)

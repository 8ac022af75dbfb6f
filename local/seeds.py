"""The conversations that the payloads of `events/webhook` tell of, in the emulator from the start.

So `sam local invoke` with a payload finds its conversation there, and the reply has somewhere to go. They began when
the payloads say, long ago: no sweep takes their messages for lost ones.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from json import loads

from local.identity import OUR_SMS_NUMBER, OUR_WHATSAPP_NUMBER
from local.payloads import EVENTS, form
from twilio_emulator.models import conversations, inbound, messages, participants
from twilio_emulator.models.backend import World
from twilio_emulator.models.events import rest

_OURS = {"SMS": OUR_SMS_NUMBER, "WHATSAPP": OUR_WHATSAPP_NUMBER, "SDK": inbound.CHAT}  # by the webhook's Source


def plant(world: World, *, service_sid: str) -> None:
    """Add the conversations to a service, each with its customer and his message; no webhook tells of it."""
    for path in sorted((EVENTS / "webhook").glob("*.json")):
        _add(world, service_sid, form(loads(path.read_text())))


def _add(world: World, service_sid: str, webhook: Mapping[str, str]) -> None:
    sid, sender, to = webhook["ConversationSid"], webhook["Author"], _OURS[webhook["Source"]]
    began = datetime.fromisoformat(webhook["DateCreated"])
    silently = rest(webhook_enabled=False)
    drafted = conversations.draft(world, service_sid=service_sid, friendly_name=sender, date_created=began)
    conversations.commit(world, replace(drafted, sid=sid), origin=silently)
    if to == inbound.CHAT:
        customer = participants.draft(world, sid, identity=sender, date_created=began)
    else:
        customer = participants.draft(world, sid, address=sender, proxy_address=to, date_created=began)
    participants.commit(world, replace(customer, sid=webhook["ParticipantSid"]), origin=silently)
    said = inbound.draft_message(world, sid, sender=sender, to=to, body=webhook["Body"])
    said = replace(said, sid=webhook["MessageSid"], participant_sid=webhook["ParticipantSid"], date_created=began)
    messages.commit(world, said, origin=silently)

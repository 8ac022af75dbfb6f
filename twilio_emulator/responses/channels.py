"""What a bot needs of messaging.twilio.com and content.twilio.com: the typing indicator, content templates."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from twilio_emulator.exceptions import INVALID_PARAMETER, TwilioError
from twilio_emulator.models import content_templates
from twilio_emulator.models.resources import Content
from twilio_emulator.responses.parameters import invalid
from twilio_emulator.responses.request import JSON, Answer, Call, created, found, instant

TYPING_LASTS = timedelta(seconds=25)  # or until the next message (Twilio, typing indicators for WhatsApp)


async def show_typing(call: Call) -> Answer:
    """Show the customer who sent a WhatsApp message that somebody is typing."""
    call.form.only({"channel", "messageId"})
    if call.form.required("channel").lower() != "whatsapp":
        raise invalid("channel", "is not whatsapp")
    sid = call.form.required("messageId")
    if not re.fullmatch(r"(SM|MM)[0-9a-fA-F]{32}", sid):
        raise invalid("messageId", "is no SM or MM SID")
    for conversation_sid, messages in call.world.state.messages.items():
        if any(message.channel_message_sid == sid for message in messages.values()):
            until = call.world.clock() + TYPING_LASTS
            call.world.state.typing.setdefault(conversation_sid, {})["business"] = until
    return found({"success": True})


class _Text(BaseModel):
    body: Annotated[str, Field(min_length=1, max_length=1600)]


class _Types(BaseModel):
    text: Annotated[_Text | None, Field(alias="twilio/text")] = None


class _Template(BaseModel):
    """A template to add; of Twilio's types the emulator renders `twilio/text`."""

    friendly_name: str = ""
    language: str = "en"
    variables: dict[str, str] | None = None
    types: _Types


async def create_content(call: Call) -> Answer:
    """Add a content template."""
    try:
        template = _Template.model_validate_json(call.content)
    except ValidationError:
        raise TwilioError(INVALID_PARAMETER, "Invalid parameter: the body is no template of texts") from None
    if template.types.text is None:
        raise TwilioError(INVALID_PARAMETER, "Invalid parameter: the emulator renders templates of twilio/text only")
    content = content_templates.create(
        call.world,
        friendly_name=template.friendly_name,
        language=template.language,
        variables=template.variables or {},
        body=template.types.text.body,
    )
    return created(_content_body(call, content))


async def fetch_content(call: Call) -> Answer:
    """Return a content template."""
    return found(_content_body(call, content_templates.fetch(call.world, call.parts["sid"])))


def _content_body(call: Call, content: Content) -> JSON:
    url = f"{call.origin_url}/v1/Content/{content.sid}"
    return {
        "sid": content.sid,
        "account_sid": call.world.account_sid,
        "friendly_name": content.friendly_name,
        "language": content.language,
        "variables": content.variables,
        "types": {"twilio/text": {"body": content.body}},
        "date_created": instant(content.date_created),
        "date_updated": instant(content.date_created),
        "url": url,
        "links": {"approval_fetch": f"{url}/ApprovalRequests"},
    }

"""Content templates, which Twilio offers at content.twilio.com; the emulator renders those of type twilio/text."""

from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from twilio_emulator.exceptions import INVALID_PARAMETER, TwilioError
from twilio_emulator.models import content_templates
from twilio_emulator.models.resources import Content
from twilio_emulator.responses.request import JSON, Request, Response, created, ok, timestamp


class _Text(BaseModel):
    body: Annotated[str, Field(min_length=1, max_length=1600)]


class _Types(BaseModel):
    text: Annotated[_Text | None, Field(alias="twilio/text")] = None


class _Template(BaseModel):
    friendly_name: str = ""
    language: str = "en"
    variables: dict[str, str] | None = None
    types: _Types


async def create(request: Request) -> Response:
    """Add a content template."""
    try:
        template = _Template.model_validate_json(request.content)
    except ValidationError:
        raise TwilioError(INVALID_PARAMETER, "Invalid parameter: the body is not a valid content template") from None
    if template.types.text is None:
        raise TwilioError(INVALID_PARAMETER, "Invalid parameter: the emulator supports only the type twilio/text")
    content = content_templates.create(
        request.backend,
        friendly_name=template.friendly_name,
        language=template.language,
        variables=template.variables or {},
        body=template.types.text.body,
    )
    return created(_body(request, content))


async def fetch(request: Request) -> Response:
    """Return a content template."""
    return ok(_body(request, content_templates.fetch(request.backend, request.path_params["sid"])))


def _body(request: Request, content: Content) -> JSON:
    url = f"{request.base_url}/v1/Content/{content.sid}"
    return {
        "sid": content.sid,
        "account_sid": request.backend.account_sid,
        "friendly_name": content.friendly_name,
        "language": content.language,
        "variables": content.variables,
        "types": {"twilio/text": {"body": content.body}},
        "date_created": timestamp(content.date_created),
        "date_updated": timestamp(content.date_created),
        "url": url,
        "links": {"approval_fetch": f"{url}/ApprovalRequests"},
    }

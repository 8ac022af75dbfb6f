"""mcs.us1.twilio.com: files are uploaded here, then named in a message.

The media service is in no description of Twilio's; fields are from its documentation and its JavaScript client.
"""

from email.message import Message as Header
from email.parser import BytesParser
from email.policy import HTTP
from http import HTTPStatus

from twilio_emulator.exceptions import INVALID_PARAMETER, TwilioError
from twilio_emulator.models import media
from twilio_emulator.models.resources import Media
from twilio_emulator.responses.request import JSON, Answer, Call, created, found, instant


async def upload(call: Call) -> Answer:
    """Keep a file: the raw body with its content type, or the first file of a multipart form."""
    call.query.only({"Filename", "Category"})
    content, content_type, filename = _file(call)
    if not content:
        raise TwilioError(INVALID_PARAMETER, "Invalid parameter: the file is empty")
    uploaded = media.upload(
        call.world,
        call.service_sid,
        content=content,
        content_type=content_type,
        filename=call.query.text("Filename") or filename,
    )
    return created(_body(call, uploaded))


async def fetch(call: Call) -> Answer:
    """Return what is known of a file, and where its content is."""
    return found(_body(call, media.fetch(call.world, call.service_sid, call.parts["sid"])))


async def content(call: Call) -> Answer:
    """Return a file's content."""
    fetched = media.fetch(call.world, call.service_sid, call.parts["sid"])
    return Answer(status=HTTPStatus.OK, content=fetched.content, content_type=fetched.file.content_type)


def _file(call: Call) -> tuple[bytes, str, str | None]:
    if not call.content_type.startswith("multipart/"):
        return call.content, call.content_type or "application/octet-stream", None
    header = f"Content-Type: {call.content_type}\r\n\r\n".encode("latin-1", "replace")
    for part in BytesParser(policy=HTTP).parsebytes(header + call.content).walk():
        if not part.is_multipart() and part.get_filename() is not None:
            return _payload(part), part.get_content_type(), part.get_filename()
    raise TwilioError(INVALID_PARAMETER, "Invalid parameter: the form holds no file")


def _payload(part: Header) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _body(call: Call, uploaded: Media) -> JSON:
    path = f"/v1/Services/{uploaded.service_sid}/Media/{uploaded.file.sid}"
    return {
        "sid": uploaded.file.sid,
        "account_sid": call.world.account_sid,
        "service_sid": uploaded.service_sid,
        "date_created": instant(uploaded.date_created),
        "date_upload_updated": instant(uploaded.date_created),
        "date_updated": instant(uploaded.date_created),
        "links": {
            "content": f"{path}/Content",
            "content_direct_temporary": f"{call.origin_url}{path}/Content",
        },
        "size": uploaded.file.size,
        "content_type": uploaded.file.content_type,
        "filename": uploaded.file.filename,
        "author": None,
        "channel_sid": None,
        "message_sid": uploaded.message_sid,
        "url": f"{call.origin_url}{path}",
    }

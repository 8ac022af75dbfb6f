"""Media, which Twilio offers at mcs.us1.twilio.com: a client uploads a file and then sends a message with its SID.

No OpenAPI description covers this service. Its fields are taken from Twilio's documentation and JavaScript client.
"""

from email.message import Message as Header
from email.parser import BytesParser
from email.policy import HTTP
from http import HTTPStatus

from twilio_emulator.exceptions import INVALID_PARAMETER, TwilioError
from twilio_emulator.models import media
from twilio_emulator.models.resources import Media
from twilio_emulator.responses.request import JSON, Request, Response, created, ok, timestamp


async def upload(request: Request) -> Response:
    """Add a file: the raw body with its content type, or the first file of a multipart form."""
    request.query.reject_unknown({"Filename", "Category"})
    content, content_type, filename = _file(request)
    if not content:
        raise TwilioError(INVALID_PARAMETER, "Invalid parameter: the file must not be empty")
    uploaded = media.upload(
        request.backend,
        request.service_sid,
        content=content,
        content_type=content_type,
        filename=request.query.text("Filename") or filename,
    )
    return created(_body(request, uploaded))


async def fetch(request: Request) -> Response:
    """Return the metadata of a file."""
    return ok(_body(request, media.fetch(request.backend, request.service_sid, request.path_params["sid"])))


async def content(request: Request) -> Response:
    """Return a file's content."""
    fetched = media.fetch(request.backend, request.service_sid, request.path_params["sid"])
    return Response(status=HTTPStatus.OK, content=fetched.content, content_type=fetched.file.content_type)


def _file(request: Request) -> tuple[bytes, str, str | None]:
    if not request.content_type.startswith("multipart/"):
        return request.content, request.content_type or "application/octet-stream", None
    header = f"Content-Type: {request.content_type}\r\n\r\n".encode("latin-1", "replace")
    for part in BytesParser(policy=HTTP).parsebytes(header + request.content).walk():
        if not part.is_multipart() and part.get_filename() is not None:
            return _payload(part), part.get_content_type(), part.get_filename()
    raise TwilioError(INVALID_PARAMETER, "Invalid parameter: the form must contain a file")


def _payload(part: Header) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _body(request: Request, uploaded: Media) -> JSON:
    path = f"/v1/Services/{uploaded.service_sid}/Media/{uploaded.file.sid}"
    return {
        "sid": uploaded.file.sid,
        "account_sid": request.backend.account_sid,
        "service_sid": uploaded.service_sid,
        "date_created": timestamp(uploaded.date_created),
        "date_upload_updated": timestamp(uploaded.date_created),
        "date_updated": timestamp(uploaded.date_created),
        "links": {
            "content": f"{path}/Content",
            "content_direct_temporary": f"{request.base_url}{path}/Content",
        },
        "size": uploaded.file.size,
        "content_type": uploaded.file.content_type,
        "filename": uploaded.file.filename,
        "author": None,
        "channel_sid": None,
        "message_sid": uploaded.message_sid,
        "url": f"{request.base_url}{path}",
    }

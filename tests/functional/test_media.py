"""Reading and uploading a file at Twilio: over HTTP against the emulator, and against servers that answer otherwise."""

import base64
import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import pytest
import requests

from switchboard.errors import NotSent, Permanent, SendRefused, SwitchboardError, Transient
from switchboard.events import Marker
from switchboard.media import Media
from tests.builders import sid
from tests.functional.test_twilio_rest import Requests, connected, redirect, reset_connection, server_that, url
from tests.signing import ACCOUNT, SERVICE, TOKEN

__all__ = ["url"]  # the emulator

PICTURE = b"\x89PNG\r\n\x1a\n" + b"." * 5_000
MEDIA = Media(content_type="image/png", sid=sid("ME", 1))

type Respond = Callable[[BaseHTTPRequestHandler], None]


def sent_by_whatsapp(url: str) -> Media:
    """Let a customer send the picture, and return it as a list tells of it."""
    order = {
        "from": "whatsapp:+12025550110",
        "to": "whatsapp:+12025550101",
        "body": "",
        "media": [{"content": base64.b64encode(PICTURE).decode(), "content_type": "image/png", "filename": "car.png"}],
    }
    added = requests.post(f"{url}/_emulator/inbound", json=order, timeout=10).json()
    twilio = connected(url)
    [message] = twilio.messages.list_messages(added["conversation_sid"])
    twilio.service.stop()
    return message.media[0]


def read(url: str, media: Media = MEDIA, max_bytes: int = 100_000) -> bytes:
    twilio = connected(url)
    try:
        return twilio.messages.read_media(media, max_bytes)
    finally:
        twilio.service.stop()


def test_what_a_customer_sent_is_read_by_its_sid(url: str) -> None:
    media = sent_by_whatsapp(url)

    assert (media.content_type, media.size) == ("image/png", len(PICTURE))
    assert read(url, media) == PICTURE


def test_a_larger_file_is_not_fetched(url: str) -> None:
    with pytest.raises(Permanent, match="more than 5000"):
        read(url, sent_by_whatsapp(url), max_bytes=5_000)


def test_a_file_that_is_gone_is_no_reason_to_try_again(url: str) -> None:
    with pytest.raises(Permanent, match="404"):
        read(url)


def test_a_file_that_twilio_did_not_name_is_not_asked_for() -> None:
    with pytest.raises(Permanent, match="no SID"):
        read("http://127.0.0.1:9", Media(content_type="image/png"))


# ── servers that answer otherwise ────────────────────────────────────────────────────────────────────────────────────


def answers(handler: BaseHTTPRequestHandler, body: bytes, *, status: int = 200, length: int | None = None) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)


def names(link: str, size: int = 5, then: Respond = lambda handler: answers(handler, b"12345")) -> Respond:
    """Answer the metadata with a link, `{here}` standing for the server, and everything else with `then`."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        if urlsplit(handler.path).path.endswith(f"/Media/{MEDIA.sid}"):
            here = f"http://{handler.headers['Host']}"
            links = {"content_direct_temporary": link.format(here=here)}
            answers(handler, json.dumps({"size": size, "links": links}).encode())
        else:
            then(handler)

    return respond


def test_a_link_of_the_same_host_is_asked_with_the_credentials() -> None:
    asked = Requests(names("{here}/files/1"))

    with server_that(asked) as url:
        assert read(url) == b"12345"

    assert asked.paths[1] == "/files/1"
    assert asked.credentials == [f"{ACCOUNT}:{TOKEN}"] * 2


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:9/files/1",
        "https://example.com/files/1",
        "https://twilio.com.example.com/1",
        "https://media.us1.twilio.com@example.com/1",
        "http://media.us1.twilio.com/1",  # not https
        "file:///etc/hostname",
        "https://example.com\\.twilio.com/1",
        "",
    ],
)
def test_an_address_that_is_not_twilios_is_not_asked(link: str) -> None:
    asked = Requests(names(link))

    with server_that(asked) as url, pytest.raises(Permanent, match="not its own"):
        read(url)

    assert len(asked.paths) == 1


@pytest.mark.parametrize(
    ("respond", "error"),
    [
        (lambda handler: answers(handler, b"{}", status=503), Transient),
        (lambda handler: answers(handler, b"{}", status=429), Transient),
        (lambda handler: answers(handler, b'{"code": 20003}', status=401), Transient),
        (lambda handler: answers(handler, b'{"code": 20003}', status=403), Permanent),
        (lambda handler: answers(handler, b"<html>"), Transient),
        (lambda handler: answers(handler, b"[]"), Transient),
        (lambda handler: answers(handler, b'{"size": "many", "links": {}}'), Transient),
        (names("{here}/files/1", then=redirect), Permanent),
        (names("{here}/files/1", then=lambda handler: answers(handler, b"", status=503)), Transient),
        (names("{here}/files/1", then=lambda handler: answers(handler, b"", status=404)), Permanent),
        (names("{here}/files/1", then=lambda handler: answers(handler, b"123", length=5)), Transient),  # cut off
        (names("{here}/files/1", then=lambda handler: answers(handler, b"." * 100_001)), Permanent),  # it grew
    ],
)
def test_what_goes_wrong_says_whether_to_try_again(respond: Respond, error: type[SwitchboardError]) -> None:
    with server_that(respond) as url, pytest.raises(error):
        read(url)


def test_a_server_that_is_not_there_is_asked_later() -> None:
    with pytest.raises(Transient):
        read("http://127.0.0.1:9")


# ── uploading ────────────────────────────────────────────────────────────────────────────────────────────────────────


def upload(url: str) -> str:
    twilio = connected(url)
    try:
        return twilio.messages.upload(content=PICTURE, content_type="image/png", filename="a car & more.png")
    finally:
        twilio.service.stop()


def test_an_uploaded_file_is_a_message_that_its_marker_finds(url: str) -> None:
    twilio = connected(url)
    conversation = twilio.conversations.create_conversation(friendly_name="A shop")
    marker = Marker(turn="T1", part=1)

    media_sid = upload(url)
    sent = twilio.messages.send_message(conversation.sid, body="[image: car.png]", marker=marker, media_sid=media_sid)

    [message] = twilio.messages.list_messages(conversation.sid)
    assert (message.message_sid, message.body, message.marker) == (sent.message_sid, "", marker)
    assert message.media == (Media(content_type="image/png", size=len(PICTURE), sid=media_sid),)
    assert read(url, message.media[0]) == PICTURE
    with pytest.raises(SendRefused) as refused:  # one SID is good for one message
        twilio.messages.send_message(conversation.sid, body="", marker=marker, media_sid=media_sid)
    assert refused.value.code == 50508
    twilio.service.stop()


def test_an_upload_is_the_files_bytes_with_its_type_and_name() -> None:
    seen: list[tuple[str, str | None, str | None]] = []

    def respond(handler: BaseHTTPRequestHandler) -> None:
        headers = handler.headers
        seen.append((handler.path, headers["Content-Type"], headers["Content-Length"]))
        answers(handler, json.dumps({"sid": MEDIA.sid}).encode(), status=201)

    with server_that(Requests(respond)) as url:
        assert upload(url) == MEDIA.sid

    path = f"/v1/Services/{SERVICE}/Media?Filename=a+car+%26+more.png"
    assert seen == [(path, "image/png", str(len(PICTURE)))]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (503, b"{}", NotSent),
        (429, b"{}", NotSent),
        (401, b'{"code": 20003}', NotSent),
        (201, b"<html>", NotSent),
        (201, b"[]", NotSent),
        (201, b"{}", NotSent),
        (302, b"", SendRefused),
        (400, b'{"code": 20422}', SendRefused),
        (413, b"<html>", SendRefused),
    ],
)
def test_an_upload_that_failed_has_reached_nobody(status: int, body: bytes, error: type[SwitchboardError]) -> None:
    with server_that(lambda handler: answers(handler, body, status=status)) as url, pytest.raises(error):
        upload(url)


def test_an_upload_whose_answer_is_lost_has_reached_nobody() -> None:
    with server_that(reset_connection) as url, pytest.raises(NotSent):
        upload(url)
    with pytest.raises(NotSent):
        upload("http://127.0.0.1:9")

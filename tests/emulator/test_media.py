import json

import requests

from tests.emulator.emulator_server import CUSTOMER, OUR_SMS, SERVICE, EmulatorServer, refused
from tests.emulator.webhook_site import WebhookSite
from tests.waiting import wait_until

MEDIA = f"/v1/Services/{SERVICE}/Media"
PICTURE = b"\x89PNG\r\n\x00\xff"


def upload(twilio: EmulatorServer, *, service: str = SERVICE) -> str:
    path = f"/v1/Services/{service}/Media?Filename=car.png"
    answer = twilio.request("POST", path, data=PICTURE, headers={"Content-Type": "image/png"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sid"])


def test_a_file_comes_back_byte_for_byte(twilio: EmulatorServer) -> None:
    sid = upload(twilio)

    known = twilio.request("GET", f"{MEDIA}/{sid}").json()
    content = twilio.request("GET", f"{MEDIA}/{sid}/Content")

    assert (known["content_type"], known["filename"], known["size"]) == ("image/png", "car.png", len(PICTURE))
    assert known["links"]["content_direct_temporary"] == f"{twilio.url}{MEDIA}/{sid}/Content"
    assert (content.content, content.headers["content-type"]) == (PICTURE, "image/png")


def test_a_file_belongs_to_the_service_it_was_uploaded_to(twilio: EmulatorServer) -> None:
    other = twilio.client.conversations.v1.services.create(friendly_name="other")
    sid = upload(twilio)

    assert twilio.request("GET", f"/v1/Services/{other.sid}/Media/{sid}").status_code == 404
    with refused(code=50507, status=404):
        twilio.client.conversations.v1.services(other.sid).conversations.create().messages.create(media_sid=sid)


def test_a_file_can_be_uploaded_as_a_multipart_form(twilio: EmulatorServer) -> None:
    answer = requests.Request("POST", f"{twilio.url}{MEDIA}", files={"file": ("a.png", PICTURE, "image/png")}).prepare()

    stored = twilio.request("POST", MEDIA, data=answer.body, headers=dict(answer.headers)).json()

    assert (stored["filename"], stored["content_type"], stored["size"]) == ("a.png", "image/png", len(PICTURE))


def test_a_file_is_sent_with_one_message_only(twilio: EmulatorServer, site: WebhookSite) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    sid = upload(twilio)

    message = conversation.messages.create(author="switchboard", media_sid=sid, x_twilio_webhook_enabled="true")

    assert message.media == [{"sid": sid, "size": len(PICTURE), "content_type": "image/png", "filename": "car.png"}]
    assert message.body is None
    assert twilio.request("GET", f"{MEDIA}/{sid}").json()["message_sid"] == message.sid
    with refused(code=50508):
        conversation.messages.create(media_sid=sid)
    wait_until(lambda: site.types().count("onMessageAdded") == 2)
    *_, received = [received for received in site.received if received.type == "onMessageAdded"]
    assert json.loads(received.fields["Media"]) == [
        {"Sid": sid, "Filename": "car.png", "ContentType": "image/png", "Size": len(PICTURE)}
    ]
    assert "Body" not in received.fields


def test_a_customer_sends_a_file_and_the_webhook_contains_it(twilio: EmulatorServer, site: WebhookSite) -> None:
    file = {"content": "iVBORw0KGgA=", "content_type": "image/png", "filename": "car.png"}

    answer = twilio.request(
        "POST", "/_emulator/inbound", json={"from": CUSTOMER, "to": OUR_SMS, "body": "", "media": [file]}
    ).json()

    message = twilio.service.conversations(answer["conversation_sid"]).messages(answer["message_sid"]).fetch()
    assert message.media[0]["content_type"] == "image/png"
    assert json.loads(site.first("onMessageAdded").fields["Media"])[0]["Filename"] == "car.png"

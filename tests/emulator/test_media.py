import json

import requests
from twilio.rest.content.v1.content import ContentList

from tests.emulator.emulator_server import CUSTOMER, OUR_SMS, OUR_WHATSAPP, SERVICE, Served, refused
from tests.emulator.webhook_site import WebhookSite
from tests.waiting import wait_until

MEDIA = f"/v1/Services/{SERVICE}/Media"
PICTURE = b"\x89PNG\r\n\x00\xff"


def upload(twilio: Served, *, service: str = SERVICE) -> str:
    path = f"/v1/Services/{service}/Media?Filename=car.png"
    answer = twilio.request("POST", path, data=PICTURE, headers={"Content-Type": "image/png"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sid"])


def test_a_file_comes_back_byte_for_byte(twilio: Served) -> None:
    sid = upload(twilio)

    known = twilio.request("GET", f"{MEDIA}/{sid}").json()
    content = twilio.request("GET", f"{MEDIA}/{sid}/Content")

    assert (known["content_type"], known["filename"], known["size"]) == ("image/png", "car.png", len(PICTURE))
    assert known["links"]["content_direct_temporary"] == f"{twilio.url}{MEDIA}/{sid}/Content"
    assert (content.content, content.headers["content-type"]) == (PICTURE, "image/png")


def test_a_file_belongs_to_the_service_it_was_given_to(twilio: Served) -> None:
    other = twilio.client.conversations.v1.services.create(friendly_name="other")
    sid = upload(twilio)

    assert twilio.request("GET", f"/v1/Services/{other.sid}/Media/{sid}").status_code == 404
    with refused(code=50507, status=404):
        twilio.client.conversations.v1.services(other.sid).conversations.create().messages.create(media_sid=sid)


def test_a_multipart_form_is_taken_too(twilio: Served) -> None:
    answer = requests.Request("POST", f"{twilio.url}{MEDIA}", files={"file": ("a.png", PICTURE, "image/png")}).prepare()

    stored = twilio.request("POST", MEDIA, data=answer.body, headers=dict(answer.headers)).json()

    assert (stored["filename"], stored["content_type"], stored["size"]) == ("a.png", "image/png", len(PICTURE))


def test_a_message_carries_a_file_once(twilio: Served, site: WebhookSite) -> None:
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    sid = upload(twilio)

    message = conversation.messages.create(author="switchboard", media_sid=sid, x_twilio_webhook_enabled="true")

    assert message.media == [{"sid": sid, "size": len(PICTURE), "content_type": "image/png", "filename": "car.png"}]
    assert message.body is None
    assert twilio.request("GET", f"{MEDIA}/{sid}").json()["message_sid"] == message.sid
    with refused(code=50508):
        conversation.messages.create(media_sid=sid)
    wait_until(lambda: site.types().count("onMessageAdded") == 2)
    *_, told = [received for received in site.received if received.type == "onMessageAdded"]
    assert json.loads(told.fields["Media"]) == [
        {"Sid": sid, "Filename": "car.png", "ContentType": "image/png", "Size": len(PICTURE)}
    ]
    assert "Body" not in told.fields


def test_a_phone_sends_a_file(twilio: Served, site: WebhookSite) -> None:
    file = {"content": "iVBORw0KGgA=", "content_type": "image/png", "filename": "car.png"}

    answer = twilio.request(
        "POST", "/_emulator/inbound", json={"from": CUSTOMER, "to": OUR_SMS, "body": "", "media": [file]}
    ).json()

    message = twilio.service.conversations(answer["conversation_sid"]).messages(answer["message_sid"]).fetch()
    assert message.media[0]["content_type"] == "image/png"
    assert json.loads(site.first("onMessageAdded").fields["Media"])[0]["Filename"] == "car.png"


def content(twilio: Served) -> str:
    template = ContentList.ContentCreateRequest(
        {
            "friendly_name": "greeting",
            "language": "en",
            "variables": {"1": "friend"},
            "types": {"twilio/text": {"body": "Hello {{1}}"}},
        }
    )
    return str(twilio.client.content.v1.contents.create(template).sid)


def test_a_template_is_rendered_with_its_variables(twilio: Served) -> None:
    conversation = twilio.service.conversations.create()
    sid = content(twilio)

    filled = conversation.messages.create(content_sid=sid, content_variables='{"1": "John"}', body="ignored")
    default = conversation.messages.create(content_sid=sid)

    assert (filled.body, filled.content_sid) == ("Hello John", sid)
    assert default.body == "Hello friend"


def test_a_template_leaves_the_file_that_stands_beside_it(twilio: Served) -> None:
    conversation = twilio.service.conversations.create()
    file = upload(twilio)

    message = conversation.messages.create(content_sid=content(twilio), media_sid=file)

    assert message.media is None
    assert conversation.messages.create(media_sid=file).media


def test_a_template_reaches_whatsapp_outside_the_window(twilio: Served) -> None:
    conversation = twilio.service.conversations.create()
    customer = f"whatsapp:{CUSTOMER}"
    conversation.participants.create(messaging_binding_address=customer, messaging_binding_proxy_address=OUR_WHATSAPP)

    conversation.messages.create(author="switchboard", content_sid=content(twilio))

    assert [row["body"] for row in twilio.inbox(customer)] == ["Hello friend"]


def test_a_typing_indicator_is_shown_in_its_conversation_for_a_while(twilio: Served) -> None:
    sids = twilio.text("hi", sender=f"whatsapp:{CUSTOMER}", to=OUR_WHATSAPP)

    answer = twilio.request(
        "POST",
        "/v2/Indicators/Typing.json",
        data={"channel": "whatsapp", "messageId": sids["channel_message_sid"]},
    )

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert twilio.typing(sids["conversation_sid"]) == ["business"]
    assert twilio.typing(twilio.text("hi")["conversation_sid"]) == []
    twilio.advance_clock(seconds=25)
    assert twilio.typing(sids["conversation_sid"]) == []

from twilio.rest.content.v1.content import ContentList

from tests.emulator.emulator_server import CUSTOMER, OUR_WHATSAPP, EmulatorServer
from tests.emulator.test_media import upload


def create_template(twilio: EmulatorServer) -> str:
    template = ContentList.ContentCreateRequest(
        {
            "friendly_name": "greeting",
            "language": "en",
            "variables": {"1": "friend"},
            "types": {"twilio/text": {"body": "Hello {{1}}"}},
        }
    )
    return str(twilio.client.content.v1.contents.create(template).sid)


def test_a_template_is_rendered_with_its_variables(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create()
    sid = create_template(twilio)

    filled = conversation.messages.create(content_sid=sid, content_variables='{"1": "John"}', body="ignored")
    default = conversation.messages.create(content_sid=sid)

    assert (filled.body, filled.content_sid) == ("Hello John", sid)
    assert default.body == "Hello friend"


def test_a_template_replaces_the_media_of_its_message(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create()
    file = upload(twilio)

    message = conversation.messages.create(content_sid=create_template(twilio), media_sid=file)

    assert message.media is None
    assert conversation.messages.create(media_sid=file).media


def test_a_template_reaches_whatsapp_outside_the_window(twilio: EmulatorServer) -> None:
    conversation = twilio.service.conversations.create()
    customer = f"whatsapp:{CUSTOMER}"
    conversation.participants.create(messaging_binding_address=customer, messaging_binding_proxy_address=OUR_WHATSAPP)

    conversation.messages.create(author="switchboard", content_sid=create_template(twilio))

    assert [row["body"] for row in twilio.inbox(customer)] == ["Hello friend"]

import pytest

from tests.emulator.emulator_server import SERVICE, VISITOR, EmulatorServer
from tests.emulator.test_media import PICTURE, upload


def create_resources(twilio: EmulatorServer) -> str:
    """Create a resource of almost every kind; return the SID of a conversation."""
    sid = twilio.text("hi")["conversation_sid"]
    twilio.text("hi", sender=VISITOR, to="chat")
    twilio.text("STOP", sender="+12025550111")
    conversation = twilio.service.conversations(sid)
    conversation.update(unique_name="order-17", timers_inactive="PT1M")
    conversation.messages.create(author="switchboard", media_sid=upload(twilio))
    conversation.webhooks.create(target="webhook", configuration_url="https://bot.example.com")
    return sid


def test_a_snapshot_restores_everything(twilio: EmulatorServer) -> None:
    sid = create_resources(twilio)
    snapshot = twilio.request("GET", "/_emulator/snapshot").content
    twilio.request("POST", "/_emulator/reset")
    assert twilio.service.conversations.list() == []

    assert twilio.request("PUT", "/_emulator/snapshot", data=snapshot).status_code == 204

    assert twilio.request("GET", "/_emulator/snapshot").content == snapshot
    assert twilio.service.conversations("order-17").fetch().sid == sid
    assert twilio.text("again")["conversation_sid"] == sid
    (media,) = [message.media for message in twilio.service.conversations(sid).messages.list() if message.media]
    content = twilio.request("GET", f"/v1/Services/{SERVICE}/Media/{media[0]['sid']}/Content").content
    assert content == PICTURE
    twilio.advance_clock(minutes=1)
    assert twilio.service.conversations(sid).fetch().state == "inactive"


@pytest.mark.parametrize("snapshot", ["", "{}", "[1]", '{"seed": 1}', '{"seed": "of another service"}', "\x00"])
def test_an_invalid_snapshot_is_refused_and_changes_nothing(twilio: EmulatorServer, snapshot: str) -> None:
    sid = twilio.text("hi")["conversation_sid"]

    answer = twilio.request("PUT", "/_emulator/snapshot", data=snapshot)

    assert (answer.status_code, answer.json()["code"]) == (400, 20422)
    assert twilio.service.conversations(sid).fetch().sid == sid

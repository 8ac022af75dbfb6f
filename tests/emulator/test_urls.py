"""Most paths exist twice: with /Services/{IS}, and without it, which means the default service."""

import pytest

from tests.emulator.emulator_server import CUSTOMER, OUR_SMS, SERVICE, EmulatorServer
from twilio_emulator.rest.urls import ROUTES

SERVICES_FAMILY = f"/v1/Services/{SERVICE}"
UNDER_SERVICE = [
    path.removeprefix("/v1/Services/{service_sid}") for path in ROUTES if "/Services/{service_sid}/" in path
]
IN_BOTH = [path for path in UNDER_SERVICE if f"/v1{path}" in ROUTES and "Configuration" not in path]
CONTAIN_THEIR_SERVICE = ("Messages", "Participants", "Webhooks", "Receipts")


@pytest.fixture
def parts(twilio: EmulatorServer) -> dict[str, str]:
    """Return path parameters of existing resources."""
    conversation = twilio.service.conversations(twilio.text("hi")["conversation_sid"])
    conversation.participants.create(identity="alice")
    conversation.webhooks.create(target="webhook", configuration_url="https://bot.example.com")
    message = conversation.messages.create(author="switchboard", body="hello")
    return {
        "conversation_sid": message.conversation_sid,
        "message_sid": message.sid,
        "user_sid": twilio.service.users("alice").fetch().sid,
    }


@pytest.mark.parametrize("path", [path for path in IN_BOTH if not path.endswith("}") and "With" not in path])
def test_a_list_is_the_same_with_and_without_the_service_in_the_path(
    twilio: EmulatorServer, parts: dict[str, str], path: str
) -> None:
    filled = path.format(**parts) + (f"?Address=%2B{CUSTOMER[1:]}" if "ParticipantConversations" in path else "")

    without_service, with_service = (
        twilio.request("GET", family + filled).json() for family in ("/v1", SERVICES_FAMILY)
    )

    rows, other_rows = without_service[without_service["meta"]["key"]], with_service[with_service["meta"]["key"]]
    assert len(rows) == len(other_rows) > 0
    for row, other in zip(rows, other_rows, strict=True):
        urls = {name: row[name] for name in ("url", "links") if name in row}
        assert f"/Services/{SERVICE}" not in str(urls)
        assert str(urls).replace("/v1/", f"{SERVICES_FAMILY}/") == str({name: other[name] for name in urls})
        added = set(other) - set(row)
        assert added == ({"chat_service_sid"} if path.endswith(CONTAIN_THEIR_SERVICE) else set())
        assert {**other, **urls} == {**row, **{name: other[name] for name in added}}


@pytest.mark.parametrize("family", ["/v1", SERVICES_FAMILY])
def test_resources_are_created_changed_and_deleted_with_and_without_the_service_in_the_path(
    twilio: EmulatorServer, family: str
) -> None:
    def call(method: str, path: str, **form: str) -> str:
        answer = twilio.request(method, family + path, data=form or None)
        assert answer.status_code in {200, 201, 204}, answer.text
        return str(answer.json()["sid"]) if answer.content else ""

    with_participants = call("POST", "/ConversationWithParticipants", Participant='{"identity": "bob"}')
    conversation = f"/Conversations/{call('POST', '/Conversations', UniqueName='order-17')}"
    made = {
        f"{conversation}/Messages": {"Body": "hi"},
        f"{conversation}/Participants": {
            "MessagingBinding.Address": CUSTOMER,
            "MessagingBinding.ProxyAddress": OUR_SMS,
        },
        f"{conversation}/Webhooks": {"Target": "webhook", "Configuration.Url": "https://bot.example.com"},
        "/Users": {"Identity": "alice"},
        "/Roles": {"FriendlyName": "reader", "Type": "conversation", "Permission": "sendMessage"},
    }
    changes = {
        "Webhooks": {"Configuration.Url": "https://bot.example.com/b"},
        "Roles": {"Permission": "leaveConversation"},
    }

    for path, form in made.items():
        sid = call("POST", path, **form)
        changed = changes.get(path.rpartition("/")[2], {"Attributes": '{"a": 1}'})
        assert call("POST", f"{path}/{sid}", **changed) == sid
        assert call("GET", f"{path}/{sid}") == sid
        call("DELETE", f"{path}/{sid}")
        assert twilio.request("GET", f"{family}{path}/{sid}").status_code == 404
    call("POST", "/Conversations/order-17", FriendlyName="renamed")
    call("DELETE", "/Conversations/order-17")
    assert [each.sid for each in twilio.service.conversations.list()] == [with_participants]


def test_another_services_resources_are_not_found_in_the_default_service(twilio: EmulatorServer) -> None:
    other = twilio.client.conversations.v1.services.create(friendly_name="other")
    of_other = twilio.client.conversations.v1.services(other.sid)
    sids = [
        f"Conversations/{of_other.conversations.create().sid}",
        f"Users/{of_other.users.create(identity='alice').sid}",
        f"Roles/{of_other.roles.list()[0].sid}",
    ]

    statuses = [
        twilio.request("GET", f"{family}/{sid}").status_code for family in ("/v1", SERVICES_FAMILY) for sid in sids
    ]

    assert statuses == [404] * 6

import pytest

from tests.emulator.emulator_server import CUSTOMER, OUR_SMS, SERVICE, VISITOR, EmulatorServer
from twilio_emulator.models import conversations, messages, participants
from twilio_emulator.models.events import rest_origin

NO_WEBHOOKS = rest_origin(webhook_enabled=False)


@pytest.fixture
def sid(twilio: EmulatorServer) -> str:
    """Return a conversation with 120 messages, added without REST calls, whose rate is limited."""
    backend = twilio.emulator.backend
    conversation = conversations.commit(backend, conversations.draft(backend, service_sid=SERVICE), origin=NO_WEBHOOKS)
    for number in range(120):
        draft = messages.draft(backend, conversation.sid, body=str(number))
        messages.commit(backend, draft, origin=NO_WEBHOOKS)
    return conversation.sid


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("page_size", [1, 7, 50, 100])
def test_the_package_lists_every_message_once_in_order(
    twilio: EmulatorServer, sid: str, order: str, page_size: int
) -> None:
    listed = twilio.service.conversations(sid).messages.list(order=order, page_size=page_size)

    numbers = [int(message.body) for message in listed]
    assert numbers == (list(range(120)) if order == "asc" else list(range(119, -1, -1)))


def test_pages_link_to_each_other_at_the_emulators_own_address(twilio: EmulatorServer, sid: str) -> None:
    path = f"/v1/Services/{SERVICE}/Conversations/{sid}/Messages"

    first = twilio.request("GET", f"{path}?PageSize=50").json()["meta"]
    second = twilio.request("GET", first["next_page_url"].removeprefix(twilio.url)).json()["meta"]
    third = twilio.request("GET", second["next_page_url"].removeprefix(twilio.url)).json()["meta"]

    assert first["next_page_url"].startswith(f"{twilio.url}{path}?")
    assert (first["page"], first["page_size"], first["key"]) == (0, 50, "messages")
    assert first["previous_page_url"] is None
    assert second["previous_page_url"] == first["url"] == first["first_page_url"]
    assert third["next_page_url"] is None
    assert second["url"] == first["next_page_url"]


def test_the_default_page_size_is_fifty_and_the_maximum_a_hundred(twilio: EmulatorServer, sid: str) -> None:
    path = f"/v1/Services/{SERVICE}/Conversations/{sid}/Messages"

    sizes = [len(twilio.request("GET", f"{path}{query}").json()["messages"]) for query in ("", "?PageSize=1000")]

    assert sizes == [50, 100]


def test_a_full_last_page_has_no_next_page(twilio: EmulatorServer, sid: str) -> None:
    path = f"/v1/Services/{SERVICE}/Conversations/{sid}/Messages"

    last = twilio.request("GET", f"{path}?PageSize=60&Page=1").json()

    assert [message["index"] for message in last["messages"]] == list(range(60, 120))
    assert last["meta"]["next_page_url"] is None


@pytest.mark.parametrize(
    ("path", "largest"),
    [
        ("/Conversations", 100),
        ("/Conversations/{sid}/Participants", 100),
        ("/Conversations/{sid}/Messages/{message}/Receipts", 50),
        ("/Conversations/{sid}/Webhooks", 5),
        ("/Users", 50),
        ("/Users/{visitor}/Conversations", 50),
        ("/Roles", 50),
        ("/ParticipantConversations?Address={customer}", 50),
    ],
)
def test_each_list_has_its_own_maximum_page_size(twilio: EmulatorServer, path: str, largest: int) -> None:
    twilio.text("hi", sender=VISITOR, to="chat")
    sids = twilio.text("hi")
    filled = path.format(
        sid=sids["conversation_sid"],
        message=sids["message_sid"],
        visitor=VISITOR,
        customer=CUSTOMER.replace("+", "%2B"),
    )

    separator = "&" if "?" in filled else "?"
    answer = twilio.request("GET", f"/v1/Services/{SERVICE}{filled}{separator}PageSize=1000").json()

    assert answer["meta"]["page_size"] == largest


@pytest.mark.parametrize(("path", "largest"), [("/Services", 100), ("/Configuration/Addresses", 50)])
def test_each_list_of_the_account_has_its_own_maximum_page_size(
    twilio: EmulatorServer, path: str, largest: int
) -> None:
    assert twilio.request("GET", f"/v1{path}?PageSize=1000").json()["meta"]["page_size"] == largest


def test_a_filter_applies_to_the_next_page_too(twilio: EmulatorServer) -> None:
    backend = twilio.emulator.backend
    for _ in range(3):
        conversation = conversations.commit(
            backend, conversations.draft(backend, service_sid=SERVICE), origin=NO_WEBHOOKS
        )
        participants.commit(
            backend,
            participants.draft(backend, conversation.sid, address=CUSTOMER, proxy_address=OUR_SMS),
            origin=NO_WEBHOOKS,
        )
        twilio.service.conversations(conversation.sid).update(state="closed")
    twilio.service.conversations.create()

    closed = twilio.service.conversations.list(state="closed", page_size=1)
    of_customer = twilio.service.participant_conversations.list(address=CUSTOMER, page_size=2)

    assert len(closed) == 3
    assert len(of_customer) == 3


@pytest.mark.parametrize("query", ["PageSize=0", "PageSize=-1", "Page=-1", "PageSize=x", "PageToken=elsewhere"])
def test_invalid_paging_parameters_are_refused(twilio: EmulatorServer, sid: str, query: str) -> None:
    answer = twilio.request("GET", f"/v1/Services/{SERVICE}/Conversations/{sid}/Messages?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, 20422)

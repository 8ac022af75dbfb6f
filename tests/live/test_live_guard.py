"""The guard of the live tests: against a real account they use only what they created. Tested without an account."""

import json

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException

from tests.live.account import Account, emulated
from tests.live.live_guard import PREFIX, TWILIO, GuardedClient, NotOurs, own_name

SERVICE = "IS" + "0" * 32
OURS = f"{TWILIO}/v1/Services/{SERVICE}"
OTHERS = "CH" + "0" * 31 + "9"
CUSTOMER, OUR_NUMBER = "+12025550110", "+12025550100"


@pytest.mark.parametrize(
    ("method", "url", "form"),
    [
        ("GET", f"{OURS}/Conversations", {}),
        ("GET", f"{OURS}/Conversations/{OTHERS}", {}),
        ("POST", f"{OURS}/Conversations/{OTHERS}/Messages", {"Body": "hi"}),
        ("DELETE", f"{OURS}/Conversations/{OTHERS}", {}),
        ("GET", f"{OURS}/Users", {}),
        ("DELETE", f"{OURS}/Users/alice", {}),
        ("POST", f"{OURS}/Users", {"Identity": "alice"}),
        ("POST", f"{OURS}/Roles", {"FriendlyName": "x"}),
        ("POST", f"{OURS}/Configuration/Webhooks", {"PostWebhookUrl": ""}),
        ("DELETE", OURS, {}),
        ("POST", f"{TWILIO}/v1/Services/{SERVICE[:-1]}1/Conversations", {}),
        ("POST", f"{TWILIO}/v1/Conversations", {}),
        ("GET", "https://api.twilio.com/2010-04-01/Accounts/AC.json", {}),
        ("GET", f"{OURS}/ParticipantConversations?Address=%2B12025550110", {}),
        ("GET", f"{OURS}/ParticipantConversations?Identity=alice", {}),
        ("GET", f"{OURS}/ParticipantConversations", {"Address": CUSTOMER}),
        ("POST", f"{OURS}/ConversationWithParticipants", {"Participant": ['{"identity": "alice"}']}),
        (
            "POST",
            f"{OURS}/ConversationWithParticipants",
            {"Participant": json.dumps({"messaging_binding": {"address": CUSTOMER}})},
        ),
    ],
)
def test_a_request_for_a_resource_that_is_not_ours_is_refused(method: str, url: str, form: dict[str, object]) -> None:
    with pytest.raises(NotOurs):
        GuardedClient(service_sid=SERVICE).check(method, url, form)


@pytest.mark.parametrize("name", ["Address", "ProxyAddress", "ProjectedAddress"])
def test_an_address_in_our_own_conversation_is_refused(name: str) -> None:
    client = GuardedClient(service_sid=SERVICE)
    client.ours.add("CH1")

    with pytest.raises(NotOurs):
        client.check("POST", f"{OURS}/Conversations/CH1/Participants", {f"MessagingBinding.{name}": CUSTOMER})


def test_a_refused_request_is_not_sent() -> None:
    with emulated() as account:
        participants = account.conversation().participants

        with pytest.raises(NotOurs):
            participants.create(messaging_binding_address=CUSTOMER, messaging_binding_proxy_address=OUR_NUMBER)

        assert participants.list() == []
        account.clean_up()


def test_everything_that_was_created_is_deleted_also_after_an_error() -> None:
    with emulated() as account:
        conversation = account.conversation()
        identity = own_name()
        conversation.participants.create(identity=identity)
        account.service.users.create(identity=own_name())
        account.service.conversation_with_participants.create(participant=[json.dumps({"identity": own_name()})])
        with pytest.raises(TwilioRestException):
            conversation.participants.create(identity=identity)
        account.service.users(identity).delete()

        account.clean_up()


def test_a_conversation_that_cannot_be_deleted_is_named_and_the_others_are_deleted() -> None:
    with emulated() as account:
        undeletable = account.conversation().sid
        other = account.conversation().sid
        account.http.ours.discard(undeletable)

        with pytest.raises(AssertionError, match=undeletable):
            account.clean_up()

        assert not exists(account, other)
        account.http.ours.add(undeletable)
        account.http.created.add(f"Conversations/{undeletable}")
        account.clean_up()


def test_a_delete_that_twilio_refuses_with_429_is_repeated() -> None:
    with emulated() as account:
        account.conversation()
        too_many = {"kind": "answer", "on": "DELETE *", "code": 20429, "count": 1}
        httpx.post(f"{account.http.origin}/_emulator/faults", json=too_many).raise_for_status()

        account.clean_up()


def exists(account: Account, sid: str) -> bool:
    account.http.ours.add(sid)
    try:
        return bool(account.service.conversations(sid).fetch())
    except TwilioRestException:
        return False


def test_our_names_have_a_prefix_and_are_unique() -> None:
    assert own_name().startswith(PREFIX)
    assert own_name() != own_name()

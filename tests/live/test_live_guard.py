"""What runs against somebody's account touches nothing of his: held here without any account."""

import json

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException

from tests.live.account import Account, emulated
from tests.live.live_guard import PREFIX, TWILIO, Careful, WouldTouchOthers, own_name

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
def test_what_is_not_ours_is_never_asked_for(method: str, url: str, form: dict[str, object]) -> None:
    with pytest.raises(WouldTouchOthers):
        Careful(service_sid=SERVICE).refuse_others(method, url, form)


@pytest.mark.parametrize("name", ["Address", "ProxyAddress", "ProjectedAddress"])
def test_no_phone_is_reached_from_our_own_conversation_either(name: str) -> None:
    careful = Careful(service_sid=SERVICE)
    careful.ours.add("CH1")

    with pytest.raises(WouldTouchOthers):
        careful.refuse_others("POST", f"{OURS}/Conversations/CH1/Participants", {f"MessagingBinding.{name}": CUSTOMER})


def test_no_call_that_is_refused_leaves_the_machine() -> None:
    with emulated() as account:
        participants = account.conversation().participants

        with pytest.raises(WouldTouchOthers):
            participants.create(messaging_binding_address=CUSTOMER, messaging_binding_proxy_address=OUR_NUMBER)

        assert participants.list() == []
        account.clean_up()


def test_everything_that_was_made_is_deleted_also_what_was_refused_halfway() -> None:
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


def test_one_that_cannot_be_deleted_does_not_keep_the_others_and_is_named() -> None:
    with emulated() as account:
        kept = account.conversation().sid
        other = account.conversation().sid
        account.http.ours.discard(kept)

        with pytest.raises(AssertionError, match=kept):
            account.clean_up()

        assert not is_there(account, other)
        account.http.ours.add(kept)
        account.http.made.add(f"Conversations/{kept}")
        account.clean_up()


def test_a_delete_that_came_too_soon_comes_again() -> None:
    with emulated() as account:
        account.conversation()
        too_many = {"kind": "answer", "on": "DELETE *", "code": 20429, "count": 1}
        httpx.post(f"{account.http.origin}/_emulator/faults", json=too_many).raise_for_status()

        account.clean_up()


def is_there(account: Account, sid: str) -> bool:
    account.http.ours.add(sid)
    try:
        return bool(account.service.conversations(sid).fetch())
    except TwilioRestException:
        return False


def test_names_of_ours_are_known_by_their_beginning() -> None:
    assert own_name().startswith(PREFIX)
    assert own_name() != own_name()

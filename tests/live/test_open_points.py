"""What Twilio does not document and the emulator assumes: one test for each assumption.

All pass against the emulator. One that fails against Twilio shows what Twilio does instead. The tests create
conversations, chat identities and users of their own, delete them, and send nothing to a phone.

    TWILIO_LIVE=1 TWILIO_ACCOUNT_SID=… TWILIO_AUTH_TOKEN=… TWILIO_CONVERSATIONS_SERVICE_SID=… \\
        .venv/bin/python -m pytest tests/live -v
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator.emulator_server import refused
from tests.live.account import Account
from tests.live.live_guard import PREFIX, own_name

NO_SID = "0" * 32
UNRESOLVABLE_URL = "https://switchboard.invalid/webhook"  # RFC 2606: .invalid has no hosts


def unused_sid(account: Account, sid: str) -> str:
    """Return a SID that does not exist, and allow requests for it."""
    account.http.ours.add(sid)
    return sid


def chat_participant(account: Account) -> Any:  # noqa: ANN401 -- the package types its resources loosely
    """Return a participant of a new conversation."""
    return account.conversation().participants.create(identity=own_name())


# ── what does not exist ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_conversation_that_is_not_there_is_20404(account: Account, method: str) -> None:
    path = f"Conversations/{unused_sid(account, f'CH{NO_SID}')}"

    with refused(code=20404, status=404):
        account.request(method, path, {"FriendlyName": "x"} if method == "POST" else None)


@pytest.mark.parametrize("children", ["Messages", "Participants", "Webhooks"])
def test_the_children_of_a_conversation_that_is_not_there_are_50350(account: Account, children: str) -> None:
    with refused(code=50350, status=404):
        account.request("GET", f"Conversations/{unused_sid(account, f'CH{NO_SID}')}/{children}")


@pytest.mark.parametrize(
    ("child", "code"), [("Messages/IM", 20404), ("Participants/MB", 20404), ("Webhooks/WH", 50360)]
)
def test_a_child_that_is_not_there_has_its_own_code(account: Account, child: str, code: int) -> None:
    conversation = account.conversation()

    with refused(code=code, status=404):
        account.request("GET", f"Conversations/{conversation.sid}/{child}{NO_SID}")


def test_the_receipts_of_a_message_that_is_not_there_are_50500(account: Account) -> None:
    with refused(code=50500, status=404):
        account.request("GET", f"Conversations/{account.conversation().sid}/Messages/IM{NO_SID}/Receipts")


def test_a_user_that_is_not_there_is_20404_and_their_conversations_50200(account: Account) -> None:
    identity = unused_sid(account, own_name())

    with refused(code=20404, status=404):
        account.service.users(identity).fetch()
    with refused(code=50200, status=404):
        account.request("GET", f"Users/{identity}/Conversations")


# ── the HTTP status of refused requests ──────────────────────────────────────────────────────────────────────────────


def call_twice(create: Callable[[], object]) -> None:
    create()
    create()


def closed(account: Account) -> Any:  # noqa: ANN401 -- see chat_participant
    return account.conversation().update(state="closed")


def with_the_same_name(account: Account) -> None:
    name = own_name()
    call_twice(lambda: account.conversation(unique_name=name))


def with_the_same_identity(account: Account) -> None:
    conversation, identity = account.conversation(), own_name()
    call_twice(lambda: conversation.participants.create(identity=identity))


def with_the_same_user(account: Account) -> None:
    identity = own_name()
    call_twice(lambda: account.service.users.create(identity=identity))


def six_webhooks(account: Account) -> None:
    webhooks = account.conversation().webhooks
    for _ in range(6):
        webhooks.create(
            target="webhook", configuration_url=UNRESOLVABLE_URL, configuration_filters=["onMessageRemoved"]
        )


def post(path: Callable[[Account], str], **form: str) -> Callable[[Account], object]:
    named = {name.replace("_", "."): value for name, value in form.items()}
    return lambda account: account.request("POST", path(account), named)


def conversations(_account: Account) -> str:
    return "Conversations"


def webhooks_of_one(account: Account) -> str:
    return f"Conversations/{account.conversation().sid}/Webhooks"


def json_with_bytes(count: int) -> str:
    return json.dumps("x" * (count - 2))


REFUSED: list[tuple[int, int, Callable[[Account], object]]] = [
    (20001, 400, post(conversations, FriendlyNam="misspelt")),
    (20004, 405, lambda a: a.request("PUT", "Conversations")),
    (20422, 400, lambda a: a.conversation(friendly_name="x" * 257)),
    (20422, 400, lambda a: a.conversation(unique_name=PREFIX + "x" * 256)),
    (50201, 409, with_the_same_user),
    (50206, 400, lambda a: a.conversation().participants.create(identity=unused_sid(a, f"US{NO_SID}"))),
    (50207, 400, lambda a: a.conversation().participants.create(identity=PREFIX + "x" * 256)),
    (50303, 400, lambda a: a.conversation(attributes=json_with_bytes(16 * 1024 + 1))),
    (50303, 400, lambda a: a.conversation().messages.create(body="hi", attributes=json_with_bytes(4 * 1024 + 1))),
    (50303, 400, lambda a: chat_participant(a).update(attributes=json_with_bytes(4 * 1024 + 1))),
    (50304, 400, lambda a: a.conversation(attributes="{not json")),
    (50304, 400, lambda a: a.conversation().messages.create(body="hi", attributes="NaN")),
    (50310, 400, lambda a: a.conversation().messages.create(body="hi", author="x" * 257)),
    (50353, 409, with_the_same_name),
    (50361, 403, six_webhooks),
    (50364, 400, post(webhooks_of_one, Target="pigeon", Configuration_Url=UNRESOLVABLE_URL)),
    (
        50365,
        400,
        post(webhooks_of_one, Target="webhook", Configuration_Url=UNRESOLVABLE_URL, Configuration_Filters="onNothing"),
    ),
    (50368, 400, post(webhooks_of_one, Configuration_Url=UNRESOLVABLE_URL)),
    (50369, 400, post(webhooks_of_one, Target="webhook")),
    (50374, 400, lambda a: a.conversation().update(state="")),
    (50375, 400, lambda a: a.conversation(timers_inactive="PT59S")),
    (50376, 400, lambda a: a.conversation(timers_closed="PT9M59S")),
    (50378, 400, lambda a: a.conversation(state="initializing")),
    (50379, 400, lambda a: a.conversation(timers_inactive="an hour")),
    (50380, 400, lambda a: a.conversation(timers_closed="an hour")),
    (50384, 400, lambda a: a.conversation(state="closed")),
    (50390, 400, lambda a: a.conversation(unique_name=f"CH{NO_SID}")),
    (50421, 400, lambda a: chat_participant(a).update(last_read_message_index=-1)),
    (50433, 409, with_the_same_identity),
    (50444, 400, lambda a: chat_participant(a).update(identity=own_name())),
    (50503, 400, lambda a: a.conversation().messages.create(body="")),
    (50504, 400, lambda a: a.conversation().messages.create(body="x" * (32 * 1024 + 1))),
    (50526, 400, lambda a: a.conversation().messages.create(content_sid="HX1")),
    (50528, 400, lambda a: a.conversation().messages.create(body="hi", content_variables='{"1": "x"}')),
]


@pytest.mark.parametrize(("code", "status", "call"), REFUSED, ids=[f"{n}-{row[0]}" for n, row in enumerate(REFUSED)])
def test_what_is_refused_has_this_code_and_status(
    account: Account, code: int, status: int, call: Callable[[Account], object]
) -> None:
    with refused(code=code, status=status):
        call(account)


@pytest.mark.parametrize(
    "change",
    [
        lambda conversation: conversation.update(state="active"),
        lambda conversation: conversation.update(friendly_name="again"),
        lambda conversation: conversation.messages.create(body="hi"),
        lambda conversation: conversation.participants.create(identity=own_name()),
    ],
    ids=["reopen", "rename", "message", "participant"],
)
def test_a_closed_conversation_is_immutable(account: Account, change: Callable[[Any], object]) -> None:
    conversation = closed(account)

    with refused(code=50377, status=400):
        change(account.service.conversations(conversation.sid))

    assert account.service.conversations(conversation.sid).fetch().state == "closed"


# ── what is accepted ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_unique_name_stands_for_the_sid_also_before_children(account: Account) -> None:
    created = account.conversation()

    by_name = account.service.conversations(created.unique_name)
    by_name.messages.create(body="hi")
    by_name.participants.create(identity=own_name())

    assert by_name.fetch().sid == created.sid
    assert [message.conversation_sid for message in by_name.messages.list()] == [created.sid]
    assert [each.conversation_sid for each in by_name.participants.list()] == [created.sid]


def test_timers_need_no_state(account: Account) -> None:
    conversation = account.conversation(timers_inactive="PT1M", timers_closed="PT10M")

    assert (conversation.state, set(conversation.timers)) == ("active", {"date_inactive", "date_closed"})


def test_an_identity_becomes_a_user_with_its_first_conversation(account: Account) -> None:
    identity = own_name()

    participant = account.conversation().participants.create(identity=identity)

    user = account.service.users(identity).fetch()
    assert (user.identity, user.sid[:2]) == (identity, "US")
    assert participant.role_sid is not None


def test_a_participant_is_found_by_their_identity(account: Account) -> None:
    participant = chat_participant(account)

    conversation = account.service.conversations(participant.conversation_sid)
    assert conversation.participants(participant.identity).fetch().sid == participant.sid


def test_a_message_without_an_author_is_the_systems(account: Account) -> None:
    message = account.conversation().messages.create(body="hi")

    assert (message.author, message.participant_sid, message.attributes) == ("system", None, "{}")
    assert (message.media, message.delivery) == (None, None)


def test_any_author_is_accepted_and_a_participants_own_makes_the_message_theirs(account: Account) -> None:
    participant = chat_participant(account)
    messages = account.service.conversations(participant.conversation_sid).messages

    of_no_participant = messages.create(author="switchboard", body="hi")
    of_participant = messages.create(author=participant.identity, body="hi")

    assert (of_no_participant.author, of_no_participant.participant_sid) == ("switchboard", None)
    assert (of_participant.author, of_participant.participant_sid) == (participant.identity, participant.sid)


def test_indices_begin_at_zero_go_up_and_are_not_used_again(account: Account) -> None:
    messages = account.conversation().messages
    first, second = (messages.create(body=body) for body in "ab")
    second.delete()

    third = messages.create(body="c")

    assert first.index == 0
    assert third.index > second.index > first.index


def test_a_list_is_in_the_order_of_indices_either_way_and_through_pages(account: Account) -> None:
    messages = account.conversation().messages
    for body in "abc":
        messages.create(body=body)

    assert [message.body for message in messages.list(page_size=2)] == ["a", "b", "c"]
    assert [message.body for message in messages.list(order="desc", page_size=2)] == ["c", "b", "a"]


def test_attributes_up_to_the_limit_come_back_as_the_string_they_were(account: Account) -> None:
    conversation = account.conversation(attributes=json_with_bytes(16 * 1024))
    spaced = '{ "ñ" : [1, 2.50, "\\u00e9"] }'

    message = conversation.messages.create(body="hi", attributes=spaced)

    assert conversation.attributes == json_with_bytes(16 * 1024)
    assert message.attributes == spaced
    assert conversation.messages.create(body="hi", attributes=json_with_bytes(4 * 1024)).attributes == json_with_bytes(
        4 * 1024
    )


def test_a_chat_message_may_be_longer_than_a_text(account: Account) -> None:
    assert len(account.conversation().messages.create(body="x" * 1601).body) == 1601


def test_a_chat_participant_gets_no_receipt(account: Account) -> None:
    participant = chat_participant(account)

    message = account.service.conversations(participant.conversation_sid).messages.create(body="hi")

    assert message.delivery is None
    assert message.delivery_receipts.list() == []


def test_a_conversation_has_a_messaging_service_without_being_given_one(account: Account) -> None:
    assert account.conversation().messaging_service_sid.startswith("MG")


def test_an_edit_keeps_author_and_index(account: Account) -> None:
    message = account.conversation().messages.create(author="switchboard", body="teh answer")

    edited = message.update(body="the answer")

    assert (edited.body, edited.author, edited.index) == ("the answer", "switchboard", message.index)


def test_nothing_is_read_until_somebody_says_so(account: Account) -> None:
    participant = chat_participant(account)
    conversation = account.service.conversations(participant.conversation_sid)
    for body in "ab":
        conversation.messages.create(body=body)
    membership = account.service.users(participant.identity).user_conversations(participant.conversation_sid)

    unread = membership.fetch()
    read = membership.update(last_read_message_index=0)

    assert (unread.unread_messages_count, unread.last_read_message_index) == (None, None)
    assert read.unread_messages_count == 1
    assert conversation.participants(participant.sid).fetch().last_read_message_index == 0


def test_a_conversation_with_chat_participants_is_there_at_once(account: Account) -> None:
    identities = [own_name(), own_name()]

    created = account.service.conversation_with_participants.create(
        unique_name=own_name(), participant=[json.dumps({"identity": each}) for each in identities]
    )

    participants = account.service.conversations(created.sid).participants.list()
    assert created.state == "active"
    assert {each.identity for each in participants} == set(identities)


def test_a_closed_conversation_lets_its_participants_go_and_may_be_deleted(account: Account) -> None:
    participant = chat_participant(account)
    conversation = account.service.conversations(participant.conversation_sid)
    conversation.update(state="closed")

    assert conversation.participants(participant.sid).delete()
    assert conversation.delete()


def test_a_deleted_conversations_unique_name_is_free(account: Account) -> None:
    name = own_name()
    account.conversation(unique_name=name).delete()

    assert account.conversation(unique_name=name).unique_name == name


def test_the_conversations_of_an_identity_are_found(account: Account) -> None:
    participant = chat_participant(account)

    rows = account.service.participant_conversations.list(identity=participant.identity)

    assert [(row.conversation_sid, row.participant_sid) for row in rows] == [
        (participant.conversation_sid, participant.sid)
    ]

"""A customer's message becomes a reply, through the whole local stack. Twilio and AWS are emulated."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.signing import message_fields
from tests.stacks import OUR_NUMBER, OUR_WHATSAPP, WEB_CHAT, Running
from tests.waiting import stays, wait_until

QUESTION = "When are you open on Saturday?"
VISITOR = "visitor-00000000000000000000000000000001"


@pytest.mark.parametrize(
    ("address", "to"),
    [("+12025550110", OUR_NUMBER), ("whatsapp:+12025550110", OUR_WHATSAPP), (VISITOR, WEB_CHAT)],
)
def test_a_message_gets_a_reply_on_its_channel(stack: Running, address: str, to: str) -> None:
    phone = stack.phone(address, to=to)

    phone.text(QUESTION)

    (reply,) = phone.wait_for_replies()
    assert reply["author"] == "switchboard"
    assert "8 am" in reply["body"]


def test_an_unknown_question_is_answered_with_the_offer_of_a_human(stack: Running) -> None:
    phone = stack.phone("+12025550111")

    phone.text("What is the airspeed velocity of an unladen swallow?")

    (reply,) = phone.wait_for_replies()
    assert "colleague" in reply["body"]


def test_a_location_by_whatsapp_which_has_no_words_is_answered_and_is_no_garbage_to_the_webhook(stack: Running) -> None:
    phone = stack.phone("whatsapp:+12025550198", to=OUR_WHATSAPP)

    phone.text("")

    assert phone.wait_for_replies()[0]["body"].startswith("I am sorry, I do not know that.")


def test_thirty_messages_in_ten_conversations_at_once_are_answered_once_and_in_order(stack: Running) -> None:
    phones = [stack.phone(f"+120255501{20 + number}") for number in range(10)]

    with ThreadPoolExecutor(max_workers=10) as threads:
        texts = list(threads.map(lambda phone: [phone.text(QUESTION) for _ in range(3)], phones))
    wait_until(lambda: all_answered(stack, texts), what="30 answered")
    wait_until(lambda: stack.queued() == 0)

    for phone, sent in zip(phones, texts, strict=True):
        (conversation_sid,) = {text["conversation_sid"] for text in sent}
        turns = stack.turns(conversation_sid)
        answered = [sid["S"] for turn in turns for sid in turn["message_sids"]["L"]]
        ours = [message for message in stack.messages(conversation_sid) if message["author"] == "switchboard"]
        assert answered == [text["message_sid"] for text in sent]
        assert [turn["outcome"]["S"] for turn in turns] == ["answered"] * len(turns)
        assert [message["body"] for message in ours] == [part["S"] for turn in turns for part in turn["parts"]["L"]]
        assert [each["message_sid"] for each in phone.inbox()] == [message["sid"] for message in ours]


def all_answered(stack: Running, texts: list[list[dict[str, str]]]) -> bool:
    """Tell whether each message is in the record of a turn."""
    return all(
        {sid["S"] for turn in stack.turns(sent[0]["conversation_sid"]) for sid in turn["message_sids"]["L"]}
        >= {text["message_sid"] for text in sent}
        for sent in texts
    )


def test_the_same_webhook_posted_twenty_times_is_answered_once(stack: Running) -> None:
    phone = stack.phone("+12025550140")
    webhook = webhook_of(stack, phone.text(QUESTION))

    with ThreadPoolExecutor(max_workers=20) as threads:
        statuses = list(threads.map(lambda _: stack.post_webhook(webhook, signed=webhook), range(20)))
    phone.wait_for_replies()
    wait_until(lambda: stack.queued() == 0)

    assert statuses == [200] * 20
    assert len(phone.inbox()) == 1
    assert len(stack.turns(webhook["ConversationSid"])) == 1


def test_a_hundred_unsigned_or_forged_webhooks_are_rejected_queue_nothing_and_log_no_error(stack: Running) -> None:
    phone = stack.phone("+12025550141")
    webhook = webhook_of(stack, phone.text(QUESTION))
    phone.wait_for_replies()
    wait_until(lambda: stack.queued() == 0)
    errors_before = stack.errors()
    forged = [{**webhook, "MessageSid": f"IM{number:032x}", "Index": str(9 + number)} for number in range(50)]

    with ThreadPoolExecutor(max_workers=20) as threads:
        unsigned = list(threads.map(lambda fields: stack.post_webhook(fields, signed=None), forged))
        tampered = list(threads.map(lambda fields: stack.post_webhook(fields, signed=webhook), forged))

    assert unsigned + tampered == [403] * 100
    stays(lambda: stack.queued() == 0, for_seconds=1, what="an empty queue")
    assert len(phone.inbox()) == 1
    assert stack.errors() == errors_before == []


def test_a_human_who_writes_silences_the_assistant(stack: Running) -> None:
    phone = stack.phone("+12025550142")
    text = phone.text(QUESTION)
    phone.wait_for_replies()

    human_writes(stack, text["conversation_sid"], "Robin here, I take this.")
    wait_until(lambda: is_owned_by_human(stack, text["conversation_sid"]), what="the takeover")
    phone.text("And on Sunday?")
    wait_until(lambda: len(stack.turns(text["conversation_sid"])) == 2 and stack.queued() == 0)

    assert [each["author"] for each in phone.inbox()] == ["switchboard", "robin"]


@pytest.mark.parametrize(
    ("number", "takes_part", "has_webhook"),
    [("+12025550171", True, False), ("+12025550172", False, True), ("+12025550173", False, False)],
    ids=["a participant, without webhook", "no participant, with webhook", "no participant, without webhook"],
)
def test_a_human_who_writes_over_rest_silences_the_assistant_however_their_message_came_in(
    stack: Running, number: str, *, takes_part: bool, has_webhook: bool
) -> None:
    phone = stack.phone(number)
    text = phone.text(QUESTION)
    phone.wait_for_replies()

    human_writes(stack, text["conversation_sid"], "I take this.", takes_part=takes_part, has_webhook=has_webhook)
    if has_webhook:
        wait_until(lambda: is_owned_by_human(stack, text["conversation_sid"]), what="the takeover")
    phone.text("And on Sunday?")
    wait_until(lambda: len(stack.turns(text["conversation_sid"])) == 2 and stack.queued() == 0)

    assert [each["author"] for each in phone.inbox()] == ["switchboard", "robin"]
    assert is_owned_by_human(stack, text["conversation_sid"])


def test_a_systems_note_does_not_silence_the_assistant(stack: Running) -> None:
    phone = stack.phone("+12025550174")
    text = phone.text(QUESTION)
    phone.wait_for_replies()

    human_writes(stack, text["conversation_sid"], "Order shipped.", author="system", takes_part=False)
    phone.text("And on Sunday?")
    phone.wait_for_replies(3)

    assert [each["author"] for each in phone.inbox()] == ["switchboard", "system", "switchboard"]
    assert not is_owned_by_human(stack, text["conversation_sid"])


def human_writes(
    stack: Running,
    conversation_sid: str,
    body: str,
    *,
    author: str = "robin",
    takes_part: bool = True,
    has_webhook: bool = True,
) -> None:
    """Let somebody write over REST, as a helpdesk does: after joining the conversation if they take part."""
    account = stack.stack.twilio_account
    conversation = f"{stack.stack.twilio_url}/v1/Services/{account.service_sid}/Conversations/{conversation_sid}"
    requests = [("Participants", {"Identity": author})] if takes_part else []
    for resource, form in (*requests, ("Messages", {"Author": author, "Body": body})):
        response = stack.http.post(
            f"{conversation}/{resource}",
            data=form,
            headers={"X-Twilio-Webhook-Enabled": str(has_webhook).lower()},
            auth=(account.account_sid, account.auth_token),
        )
        assert response.status_code == 201, response.text


def is_owned_by_human(stack: Running, conversation_sid: str) -> bool:
    """Tell whether the conversation's item has a human as its owner."""
    item = stack.stack.client("dynamodb").get_item(
        TableName=stack.environment("AgentFunction")["CONVERSATIONS_TABLE"],
        Key={"pk": {"S": conversation_sid}, "sk": {"S": "CONVERSATION"}},
        ConsistentRead=True,
    )
    return bool(item["Item"].get("owner") == {"S": "human"})


def webhook_of(stack: Running, text: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of the webhook of a message."""
    (message,) = (each for each in stack.messages(text["conversation_sid"]) if each["sid"] == text["message_sid"])
    return message_fields(
        AccountSid=stack.stack.twilio_account.account_sid,
        ChatServiceSid=stack.stack.twilio_account.service_sid,
        ConversationSid=message["conversation_sid"],
        MessageSid=message["sid"],
        Index=str(message["index"]),
        Author=message["author"],
        Body=message["body"],
        ParticipantSid=message["participant_sid"],
        DateCreated=message["date_created"].replace("Z", ".000Z"),
    )

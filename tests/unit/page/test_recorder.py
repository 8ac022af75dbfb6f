"""The recorder: what it keeps of a conversation, how much, and whose it is."""

import pytest

from local.activity import LogLine, WebhookLost
from local.page.recorder import MAX_CONVERSATIONS, MAX_EVENTS, MAX_PROMPTS, NO_LONGER_KEPT, Kind
from tests.builders import sid
from tests.unit.page.happenings import CONVERSATION, MESSAGE, TURN, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


def kinds(stage: Stage, conversation: str = CONVERSATION) -> list[str]:
    return [each.kind.value for each in stage.recorder.of(conversation)]


def test_a_webhook_is_kept_as_it_was_posted_with_its_answer(stage: Stage) -> None:
    stage.webhook(body="a & b = c\n", took=12, status=403)

    (webhook,) = stage.recorder.of(CONVERSATION)
    assert ["Body", "a & b = c\n"] in [list(pair) for pair in webhook.facts["fields"]]
    assert (webhook.facts["status"], webhook.facts["milliseconds"]) == (403, 12)


def test_an_answered_text_is_kept_in_the_order_in_which_it_happened(stage: Stage) -> None:
    stage.answered()

    assert kinds(stage) == ["webhook", "delivered", *["step"] * 7, "decision", "ended"]


def test_what_names_only_its_turn_is_kept_with_the_turns_conversation(stage: Stage) -> None:
    with stage.attempt() as request:
        stage.step("claim", request)
    stage.log("model_used", "another request", turn=TURN, input_tokens=12)

    last = stage.recorder.of(CONVERSATION)[-1]
    assert (last.facts["decision"], last.facts["input_tokens"]) == ("model_used", 12)


def test_what_names_nothing_is_kept_with_its_invocation_also_after_its_end(stage: Stage) -> None:
    stage.tell("onConversationAdded")
    stage.log("ignored_onConversationAdded", "w0", function="webhook")

    assert stage.recorder.of(CONVERSATION)[-1].facts["decision"] == "ignored_onConversationAdded"


def test_a_batch_is_kept_with_each_of_its_conversations_alone(stage: Stage) -> None:
    other = sid("CH", 2)
    with stage.attempt(), stage.attempt(conversation=other):
        pass

    assert kinds(stage) == kinds(stage, other) == ["delivered", "ended"]


@pytest.mark.parametrize("text", ["a print", "{broken", '{"_aws": {}}', '{"message": "x", "timestamp": 3}', "[1]", ""])
def test_other_lines_are_not_kept(stage: Stage, text: str) -> None:
    with stage.attempt():
        stage.recorder(LogLine(function="agent", text=text))

    assert kinds(stage) == ["delivered", "ended"]


def test_the_debug_lines_of_a_team_are_not_kept(stage: Stage) -> None:
    with stage.attempt() as request:
        stage.log("step", request, level="DEBUG", conversation_sid=CONVERSATION)
        stage.log("looked it up", request, level="DEBUG", conversation_sid=CONVERSATION)

    assert kinds(stage) == ["delivered", "ended"]


def test_a_webhook_that_was_lost_is_kept_with_why(stage: Stage) -> None:
    stage.recorder(WebhookLost(fields=[("ConversationSid", CONVERSATION)], reason="a fault dropped it"))

    (lost,) = stage.recorder.of(CONVERSATION)
    assert (lost.kind, lost.facts["reason"]) == (Kind.LOST, "a fault dropped it")


def test_only_the_newest_things_of_the_newest_conversations_are_kept(stage: Stage) -> None:
    for number in range(MAX_EVENTS + 10):
        stage.webhook(sid("IM", number))
    for number in range(2, MAX_CONVERSATIONS + 1):
        stage.webhook(ConversationSid=sid("CH", number))

    events = stage.recorder.of(CONVERSATION)
    stage.webhook(ConversationSid=sid("CH", MAX_CONVERSATIONS + 1))

    assert len(events) == MAX_EVENTS
    assert dict(events[0].facts["fields"])["MessageSid"] == sid("IM", 10)
    assert stage.recorder.of(CONVERSATION) == []


def test_what_the_model_was_shown_is_kept_of_its_newest_requests(stage: Stage) -> None:
    for number in range(MAX_PROMPTS + 3):
        stage.show("model", model=f"m{number}", shown=[{"part": "text", "text": f"prompt {number}"}])

    shown = [each.facts["shown"][0]["text"] for each in stage.recorder.of(CONVERSATION)]
    assert shown[3:] == [f"prompt {number}" for number in range(3, MAX_PROMPTS + 3)]
    assert set(shown[:3]) == {NO_LONGER_KEPT["text"]}


def test_one_thing_is_found_by_its_number(stage: Stage) -> None:
    stage.webhook(MESSAGE)
    (webhook,) = stage.recorder.of(CONVERSATION)

    assert stage.recorder.find(CONVERSATION, webhook.number) == webhook
    assert stage.recorder.find(CONVERSATION, webhook.number + 1) is None

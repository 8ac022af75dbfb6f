"""Turns and their bars: what belongs together, where each bar begins and ends, and what it says."""

import pytest

from local.activity import Outcome, WebhookLost
from local.page.bars import Bar, bars_of
from local.page.grouping import Turn, group
from tests.builders import sid
from tests.unit.page.happenings import CONVERSATION, MESSAGE, STEPS, TURN, Stage
from twilio_emulator.webhooks.sender import MAY_HAVE_ARRIVED

OTHER_TURN = "8" * 32
REPLY = sid("IM", 9)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def turns_of(stage: Stage) -> list[Turn]:
    return group(stage.recorder.of(CONVERSATION), sent=stage.sent)


def bars(stage: Stage, *, turn: int = -1) -> list[Bar]:
    return bars_of(turns_of(stage)[turn])


def names(stage: Stage, *, turn: int = -1) -> list[str]:
    return [bar.name for bar in bars(stage, turn=turn)]


def milliseconds(stage: Stage) -> dict[str, object]:
    return {bar.name: bar.as_json()["milliseconds"] for bar in bars(stage)}


def test_an_answered_text_is_one_turn_from_the_webhook_to_settle(stage: Stage) -> None:
    stage.answered()

    (turn,) = turns_of(stage)
    assert turn.key == TURN
    assert [name for name in names(stage) if name != "gather"] == ["webhook", "queued", *STEPS]


def test_a_step_begins_where_the_one_before_it_ended(stage: Stage) -> None:
    stage.webhook(took=12)
    with stage.attempt(sent=100) as request:
        for step, took in (("claim", 30), ("gather", 7), ("gate", 1), ("think", 400), ("freeze", 20)):
            stage.after(took)
            stage.step(step, request)

    expected = {"webhook": 12, "queued": 100, "claim": 30, "gather": 7, "gate": 1, "think": 400, "freeze": 20}
    assert expected.items() <= milliseconds(stage).items()


def test_a_turn_that_asked_twilio_nothing_says_so(stage: Stage) -> None:
    stage.answered()

    gather = next(bar for bar in bars(stage) if bar.name == "gather")
    assert (gather.start, gather.said) == (gather.end, "Every message came with its record, so Twilio was not asked.")


def test_the_model_and_its_tools_stand_inside_think(stage: Stage) -> None:
    with stage.attempt() as request:
        stage.step("claim", request)
        stage.step("gate", request)
        stage.after(100)
        stage.show(
            "model",
            model="m",
            answered=[{"part": "tool-call", "tool": "look_up", "text": "{}"}],
            shown=[],
            tools=[],
            input_tokens=900,
            output_tokens=100,
            milliseconds=60,
            failed="",
        )
        stage.show("tool", name="look_up", arguments={"a": 1}, returned="'b'", milliseconds=5)
        stage.after(10)
        stage.step("think", request)

    inside = [(bar.name, bar.inside, bar.said) for bar in bars(stage) if bar.inside]
    assert names(stage)[-4:-1] == ["think", "model", "look_up"]
    assert inside == [("model", 1, "m calls look_up, 1,000 tokens"), ("look_up", 1, "→ 'b'")]


def test_a_killed_worker_is_a_bar_and_its_records_wait_for_the_next(stage: Stage) -> None:
    stage.webhook()
    with stage.attempt(outcome=Outcome.CRASHED) as request:
        stage.step("claim", request)
        stage.after(40)
    stage.after(30_000)
    with stage.attempt(receives=2) as request:
        for step in STEPS:
            stage.step(step, request)
        stage.decide("answered", request)

    told = {bar.name: bar for bar in bars(stage)}
    assert len(turns_of(stage)) == 1
    assert (told["crashed"].tone, told["crashed"].said) == ("bad", "The worker crashed after claim: SIGKILL.")
    assert told["waits"].as_json()["milliseconds"] == 30_000
    assert (told["waits"].waits, told["waits"].attempt, told["settle"].attempt) == (True, 2, 2)


def test_why_a_turn_is_tried_again_stands_in_words(stage: Stage) -> None:
    with stage.attempt() as request:
        stage.step("claim", request)
        stage.after(20)
        stage.decide("retry", request, cause="the model is away")

    retry = next(bar for bar in bars(stage) if bar.name == "retry")
    assert (retry.tone, retry.said) == ("wait", "It did not work: it is tried again. (the model is away)")


def test_what_goes_on_has_no_end(stage: Stage) -> None:
    stage.webhook()
    assert [(bar.name, bar.end) for bar in bars(stage)][-1] == ("queued", None)

    with stage.attempt() as request:
        stage.step("claim", request)
        stage.step("gate", request)
        assert [(bar.name, bar.end) for bar in bars(stage)][-1] == ("thinks", None)
        stage.after(5)
        stage.decide("retry", request)
        stage.after(5)
    assert [(bar.name, bar.end) for bar in bars(stage)][-1] == ("waits", None)


def test_texts_that_are_answered_together_are_one_turn(stage: Stage) -> None:
    other = sid("IM", 2)
    stage.webhook(MESSAGE)
    with stage.attempt(MESSAGE) as request:
        stage.decide("coalescing", request)
    stage.webhook(other)
    with stage.attempt(MESSAGE, other, receives=2) as request:
        stage.step("claim", request)

    (turn,) = turns_of(stage)
    assert (turn.key, len(turn.asked), len(turn.attempts)) == (TURN, 2, 2)


def test_a_late_receipt_belongs_to_the_turn_that_sent_the_reply(stage: Stage) -> None:
    stage.answered(sent=[REPLY])
    stage.after(60_000)
    stage.answered(sid("IM", 2), turn=OTHER_TURN, sent=[sid("IM", 10)])
    stage.receipt(REPLY, "failed", ErrorCode="30005")
    with stage.attempt(REPLY, function="lifecycle") as request:
        stage.log("delivery_failed", request, function="lifecycle", conversation_sid=CONVERSATION)
    stage.after(3_600_000)
    stage.receipt(sid("IM", 10), "read")

    assert [turn.key for turn in turns_of(stage)] == [TURN, OTHER_TURN]
    failed, told = bars(stage, turn=0)[-2:]
    assert (failed.name, failed.tone, told.name) == ("failed", "bad", "delivery failed")
    assert "error 30005" in failed.said
    assert names(stage)[-1] == "read"
    assert "failed" not in names(stage)


def test_a_late_receipt_takes_nothing_from_what_happened_before_it(stage: Stage) -> None:
    stage.answered(sent=[REPLY])
    stage.after(60_000)
    stage.tell("onConversationStateUpdated", StateTo="inactive", Source="API")
    stage.after(60_000)
    stage.receipt(REPLY, "read")

    assert [turn.is_turn for turn in turns_of(stage)] == [True, False]
    assert names(stage, turn=0)[-1] == "read"


def test_a_receipt_belongs_to_the_turn_that_sends_while_it_has_no_record(stage: Stage) -> None:
    stage.answered(sent=[REPLY])
    stage.webhook(sid("IM", 2))
    with stage.attempt(sid("IM", 2)) as request:
        for step in ("claim", "gate", "think", "freeze"):
            stage.step(step, request, turn=OTHER_TURN)
    stage.after(5_000)
    stage.receipt(sid("IM", 10), "sent")
    stage.receipt(REPLY, "delivered")

    assert "sent" in names(stage)
    assert "delivered" not in names(stage)
    assert names(stage, turn=0)[-1] == "delivered"


def test_a_receipt_of_a_humans_message_belongs_to_no_turn(stage: Stage) -> None:
    with stage.attempt() as request:
        stage.step("freeze", request)
    stage.after(5_000)
    stage.webhook(REPLY, Author="robin", Source="API")
    stage.after(5_000)
    stage.receipt(REPLY, "delivered")

    assert [turn.is_turn for turn in turns_of(stage)] == [True, False]
    assert names(stage) == ["webhook", "delivered"]


def test_a_receipt_of_a_turn_that_is_not_kept_stands_between_turns(stage: Stage) -> None:
    stage.sent["6" * 32] = [REPLY]
    stage.answered()
    stage.receipt(REPLY, "read")

    assert [turn.is_turn for turn in turns_of(stage)] == [True, False]


def test_what_happens_between_two_turns_stands_between_them(stage: Stage) -> None:
    stage.answered()
    stage.after(60_000)
    stage.tell("onConversationStateUpdated", StateTo="inactive", Source="API")
    stage.after(60_000)
    stage.answered(sid("IM", 2), turn=OTHER_TURN)

    assert [turn.is_turn for turn in turns_of(stage)] == [True, False, True]
    (between,) = bars(stage, turn=1)
    assert between.said == "The conversation is inactive; its signature is Twilio's, 200."


def test_a_takeover_while_the_assistant_thinks_stands_in_the_turn(stage: Stage) -> None:
    stage.webhook()
    with stage.attempt() as request:
        stage.step("claim", request)
        stage.after(50)
        stage.log("taken_over", "l1", function="lifecycle", conversation_sid=CONVERSATION)
        stage.after(50)
        stage.decide("fenced", request)

    assert "taken over" in names(stage)


def test_a_webhook_that_was_sent_again_and_dropped_is_a_turn_of_its_own(stage: Stage) -> None:
    stage.answered()
    stage.after(600_000)
    stage.webhook()
    with stage.attempt() as request:
        stage.step("claim", request, turn=OTHER_TURN)
        stage.step("settle", request, turn=OTHER_TURN)
        stage.decide("dropped", request)

    assert [(len(turn.asked), len(turn.attempts)) for turn in turns_of(stage)] == [(1, 1), (1, 1)]


def test_a_refused_webhook_begins_no_turn(stage: Stage) -> None:
    stage.webhook(status=403)

    (between,) = turns_of(stage)
    assert not between.is_turn
    assert [(bar.tone, "not signed by Twilio" in bar.said) for bar in bars(stage)] == [("bad", True)]


LOST_REASONS = {
    "A fault dropped it.": ("webhook lost", "Nobody knows of it yet."),
    f"Not answered within 5 s: {MAY_HAVE_ARRIVED}.": ("not answered", "If it did not arrive, the sweeper"),
}


@pytest.mark.parametrize(("reason", "told"), LOST_REASONS.items())
def test_a_webhook_that_was_not_answered_is_not_said_to_be_lost(
    stage: Stage, reason: str, told: tuple[str, str]
) -> None:
    fields = {"EventType": "onMessageAdded", "ConversationSid": CONVERSATION, "MessageSid": MESSAGE, "Source": "SMS"}
    stage.recorder(WebhookLost(fields=list(fields.items()), reason=reason))

    waits, lost = bars(stage)
    assert (lost.name, waits.said[: len(told[1])]) == told
    assert lost.said.endswith(reason)

"""Gate: the rules by which messages get no answer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from switchboard.author import AuthorRole
from switchboard.content import Content
from switchboard.conversation import OwnerReason, ReplyKind
from switchboard.disclosure import parse_disclosure
from switchboard.errors import Permanent, Transient
from switchboard.events import Owner
from switchboard.media import Media
from switchboard.turn.context import Step
from switchboard.turn.gate import ASKED_TO_WRITE
from tests.builders import CONVERSATION, message_added, sid, turn_settings
from tests.unit.turn.harness import Harness, copies_of

TEMPLATE = Content(sid=sid("HX", 1))


def test_in_a_closed_conversation_no_message_gets_an_answer(harness: Harness) -> None:
    (message,) = harness.customer_writes("hi")
    harness.conversations.close(CONVERSATION, at=harness.clock())

    result = harness.deliver(message)

    assert (result.outcome, result.cause, result.messages) == ("refused", "closed", 1)
    assert result.acknowledged == {message.message_sid}
    assert harness.agent.questions == []


def test_while_a_human_owns_the_conversation_the_assistant_is_silent(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())

    result = harness.deliver(*harness.customer_writes("hello?"))

    assert (result.outcome, result.cause) == ("refused", "human")
    assert harness.agent.questions == []


def test_a_message_that_waited_too_long_is_a_dead_letter_and_changes_no_owner(harness: Harness) -> None:
    messages = harness.customer_writes("hi", at=harness.clock() - timedelta(hours=2))

    result = harness.deliver(*messages)

    assert (result.outcome, result.cause) == ("refused", "too_old")
    assert harness.item.owner is Owner.ASSISTANT
    assert harness.item.failed == {0}
    assert harness.dead_letters.messages == copies_of(*messages)


def test_after_a_message_that_waited_too_long_a_fresh_one_is_answered(harness: Harness) -> None:
    harness.deliver(*harness.customer_writes("late", at=harness.clock() - timedelta(minutes=61)))

    harness.deliver(*harness.customer_writes("fresh"))

    assert harness.replies == ["You said: fresh"]


def test_a_message_does_not_grow_too_old_while_its_answer_is_tried(harness: Harness) -> None:
    messages = harness.customer_writes("hi", at=harness.clock() - timedelta(minutes=58))
    harness.agent.errors = [Transient("away")] * 8

    harness.deliver_until_it_ends(*messages)

    assert harness.replies == ["You said: hi"]


def test_a_message_that_is_handed_back_after_an_hour_is_answered(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    harness.deliver(*messages)
    harness.clock.move(seconds=61 * 60)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())

    harness.deliver(*messages)

    assert harness.replies == ["You said: hi"]


@pytest.mark.parametrize(
    ("author", "hours", "outcome"),
    [
        ("whatsapp:+12025550110", 23.9, "answered"),
        ("whatsapp:+12025550110", 23.95, "refused"),
        ("whatsapp:+12025550110", 72, "refused"),
        ("+12025550110", 72, "answered"),
        ("visitor-" + "0" * 32, 72, "answered"),
    ],
)
def test_where_whatsapp_would_refuse_any_answer_humans_are_told_and_the_owner_stays(
    harness: Harness, author: str, hours: float, outcome: str
) -> None:
    messages = [replace(message, author=author) for message in harness.customer_writes("hi")]
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    harness.deliver(*messages)
    harness.clock.move(seconds=hours * 3600)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())

    result = harness.deliver(*messages)

    assert result.outcome == outcome
    assert harness.item.owner is Owner.ASSISTANT
    if outcome == "refused":
        assert result.cause == "window_closed"
        assert harness.replies == []
        assert harness.item.failed == {0}
        assert result.notice
        assert (result.notice.type, result.notice.reason) == ("HumanNeeded", "window_closed")
        assert harness.dead_letters.messages == copies_of(*messages)


def test_where_whatsapp_would_refuse_any_answer_a_template_asks_the_customer_to_write(harness: Harness) -> None:
    harness.settings = replace(turn_settings(), window_template=TEMPLATE)
    messages = [replace(message, author="whatsapp:+12025550110") for message in harness.customer_writes("hi")]
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    harness.deliver(*messages)
    harness.clock.move(seconds=30 * 3600)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())

    result = harness.deliver(*messages)

    assert (result.outcome, result.notice, harness.twilio.contents) == ("answered", None, [TEMPLATE])
    [record] = [record for record in harness.records if record.kind]
    assert record.kind is ReplyKind.TEMPLATE

    answer = [replace(message, author="whatsapp:+12025550110") for message in harness.customer_writes("and?")]
    harness.deliver(*answer)

    *_, asked, told = harness.history()
    assert (asked, told) == (("customer", "hi"), ("notice", ASKED_TO_WRITE))


def test_a_template_stands_alone_and_the_answer_to_what_follows_discloses(harness: Harness) -> None:
    harness.settings = replace(
        turn_settings(), window_template=TEMPLATE, disclosure=parse_disclosure("I am a machine.", name="x")
    )
    old = [replace(message, author="whatsapp:+12025550110") for message in harness.customer_writes("hi")]
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    harness.deliver(*old)
    harness.clock.move(seconds=30 * 3600)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())

    harness.deliver(*old)
    assert harness.replies == [ASKED_TO_WRITE]

    harness.deliver(*(replace(message, author="whatsapp:+12025550110") for message in harness.customer_writes("👍")))
    assert harness.replies[1:] == ["I am a machine.\n\nYou said: 👍"]


def test_a_template_that_twilio_refuses_leaves_the_customer_to_a_human(harness: Harness) -> None:
    harness.settings = replace(turn_settings(), window_template=TEMPLATE)
    messages = [replace(message, author="whatsapp:+12025550110") for message in harness.customer_writes("hi")]
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    harness.deliver(*messages)
    harness.clock.move(seconds=30 * 3600)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())
    harness.twilio.post_ends.append("refused")

    result = harness.deliver(*messages)

    assert result.outcome == "refused"
    assert result.notice
    assert result.notice.reason == "refused"
    assert harness.item.owner is Owner.HUMAN


def test_a_fresh_message_opens_the_window_for_what_waited(harness: Harness) -> None:
    old = [replace(message, author="whatsapp:+12025550110") for message in harness.customer_writes("hi")]
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    harness.deliver(*old)
    harness.clock.move(seconds=3 * 86_400)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())

    harness.deliver(*old, *[replace(message, author=old[0].author) for message in harness.customer_writes("hello?")])

    assert harness.replies == ["You said: hi | hello?"]


def test_a_webhook_that_comes_again_days_later_is_dropped_and_not_too_old(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.deliver(*messages)
    harness.clock.move(seconds=3 * 86_400)

    result = harness.deliver(*messages)

    assert result.outcome == "dropped"
    assert harness.item.owner is Owner.ASSISTANT


def test_a_handled_message_is_dropped_ahead_of_every_rule(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.deliver(*messages)
    harness.conversations.close(CONVERSATION, at=harness.clock())

    result = harness.deliver(*messages)

    assert result.outcome == "dropped"
    assert [record.outcome for record in harness.records] == ["answered"]


@pytest.mark.parametrize(
    "reaction", ["Liked “You said: hi”", "Hat „You said: hi“ mit einem Herz markiert", "👍", "❤️ 🙏"]
)
def test_a_reaction_to_words_of_ours_gets_no_answer(harness: Harness, reaction: str) -> None:
    harness.says("hi")

    result = harness.says(reaction)

    assert (result.outcome, result.cause, result.messages) == ("refused", "reaction", 1)
    assert harness.replies == ["You said: hi"]
    assert len(harness.agent.questions) == 1
    assert (harness.records[-1].rule, harness.records[-1].said) == ("reaction", (reaction,))


@pytest.mark.parametrize("question", ["Shall I book it?", "Reply YES to book it.", "We have:\n1. Bikes\n2. Helmets"])
@pytest.mark.parametrize("reaction", ["👍", "Liked “Shall I book…”"])
def test_a_reaction_to_a_question_of_ours_is_an_answer(harness: Harness, question: str, reaction: str) -> None:
    harness.agent.texts = [question]
    harness.says("hi")

    result = harness.says(reaction)

    assert result.outcome == "answered"
    assert harness.agent.questions[-1].messages == (reaction,)


def test_a_reaction_that_repeats_a_question_is_an_answer_whenever_we_asked_it(harness: Harness) -> None:
    harness.agent.texts = ["Shall I book it?", "We open at 9."]
    harness.says("hi")
    harness.says("when?")

    assert harness.says("Liked “We open at 9.”").outcome == "refused"
    assert harness.says("Liked “Shall I book it?”").outcome == "answered"


def test_of_a_reply_of_several_texts_each_may_have_asked(harness: Harness) -> None:
    harness.agent.texts = [f"Shall I book it?\n\n{'.' * 1600}"]
    harness.says("hi")

    assert harness.says("👍").outcome == "answered"


def test_an_emoji_before_any_word_of_ours_is_a_greeting(harness: Harness) -> None:
    assert harness.says("👋").outcome == "answered"


def test_a_tapback_where_we_know_no_word_of_ours_goes_by_what_it_repeats(harness: Harness) -> None:
    assert harness.says("Liked “See you at 10”").outcome == "refused"
    assert harness.says("Liked “Shall we come at 10?”").outcome == "answered"


def test_a_reaction_beside_a_text_is_answered_with_it(harness: Harness) -> None:
    harness.says("hi")

    result = harness.says("👍", "and on Sunday?")

    assert result.outcome == "answered"
    assert harness.agent.questions[-1].messages == ("👍", "and on Sunday?")


def test_an_emoji_below_a_picture_is_no_reaction(harness: Harness) -> None:
    harness.says("hi")
    (message,) = harness.customer_writes("👍")

    result = harness.deliver(replace(message, media=(Media(content_type="image/jpeg"),)))

    assert result.outcome == "answered"


def test_a_reaction_to_a_humans_words_is_shown_to_the_assistant(harness: Harness) -> None:
    harness.says("hi")
    harness.clock.move(seconds=1)
    harness.conversations.take_over(CONVERSATION, index=2, at=harness.clock())
    harness.clock.move(seconds=1)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())
    harness.twilio.add(message_added(index=2, author_role=AuthorRole.HUMAN, author="robin", body="Shall I refund it?"))

    assert harness.says("👍").outcome == "answered"


def test_a_reaction_to_another_programs_note_is_shown_to_the_assistant(harness: Harness) -> None:
    harness.says("hi")
    harness.twilio.add(
        message_added(index=2, author_role=AuthorRole.SYSTEM, author="system", body="Reply C to confirm")
    )

    assert harness.says("👍").outcome == "answered"


def test_a_reaction_to_a_reply_of_unknown_fate_gets_no_answer(harness: Harness) -> None:
    messages = harness.customer_writes("hi")
    harness.deliver_and_crash(*messages, after=Step.FREEZE)
    harness.clock.move(seconds=121)
    harness.deliver_and_crash_repeatedly(*messages, after=Step.CLAIM, times=2)
    assert harness.deliver(*messages).outcome == "unsure"

    assert harness.says("👍").cause == "reaction"


def test_a_reaction_ends_only_the_messages_whose_words_are_known(harness: Harness) -> None:
    harness.says("hi")
    deleted, reaction = harness.customer_writes("and on Sunday?", "👍")
    harness.deliver_and_crash(deleted, reaction, after=Step.CLAIM)
    harness.twilio.messages[CONVERSATION].remove(deleted)
    harness.clock.move(seconds=6 * 60)

    result = harness.deliver(reaction)

    assert (result.cause, result.messages) == ("reaction", 1)
    assert harness.deliver(deleted).outcome == "answered"


def test_a_reaction_ends_no_failure_and_a_text_after_it_does(harness: Harness) -> None:
    harness.agent.errors = [Permanent("a bug")]
    harness.says("hi")

    reaction = harness.says("👍")
    owner_after_reaction = harness.item.owner_reason
    text = harness.says("hello?")

    assert (reaction.outcome, owner_after_reaction) == ("refused", OwnerReason.FAILURE)
    assert (text.outcome, harness.item.owner) == ("answered", Owner.ASSISTANT)


def test_in_a_trial_only_its_addresses_are_answered(harness: Harness) -> None:
    harness.settings = turn_settings(trial_addresses=(r"(whatsapp:)?\+12025550199",))

    outside = harness.says("hi")

    assert (outside.outcome, outside.cause, harness.replies) == ("refused", "not_in_trial", [])
    assert harness.records[-1].rule == "not_in_trial"
    assert harness.item.owner is Owner.ASSISTANT


@pytest.mark.parametrize("trial", [(), (r"\+12025550199", r"\+12025550110"), (r".*",)])
def test_a_customer_in_the_trial_is_answered_and_without_a_trial_everybody_is(
    harness: Harness, trial: tuple[str, ...]
) -> None:
    harness.settings = turn_settings(trial_addresses=trial)

    assert harness.says("hi").outcome == "answered"


@pytest.mark.parametrize("part", [r"2025550110", r"\+1202"])
def test_an_expression_of_the_trial_must_match_the_whole_address(harness: Harness, part: str) -> None:
    harness.settings = turn_settings(trial_addresses=(part,))

    assert harness.says("hi").outcome == "refused"


def test_what_somebody_outside_the_trial_wrote_long_ago_is_no_dead_letter(harness: Harness) -> None:
    harness.settings = turn_settings(trial_addresses=(r"\+12025550199",))

    result = harness.deliver(*harness.customer_writes("hi", at=harness.clock() - timedelta(hours=2)))

    assert (result.cause, harness.dead_letters.messages) == ("not_in_trial", [])

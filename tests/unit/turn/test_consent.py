"""From STOP to START nobody thinks and nothing is sent; each is confirmed once, where Twilio does not do it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from switchboard.channels.channel import Channel
from switchboard.consent import ConsentChange
from switchboard.consent_sentences import HELP, OPT_IN, OPT_OUT, ConsentSentences
from switchboard.conversation import Conversation
from switchboard.customers import key_of
from switchboard.events import MessageAdded, Owner
from switchboard.languages import Language
from switchboard.lifecycle import apply
from switchboard.loops import LoopPause
from switchboard.turn.context import Step
from tests.builders import CONVERSATION, NOON, SECRET, from_human, sid
from tests.unit.turn.harness import Harness

SMS, WHATSAPP, CHAT = "+12025550110", "whatsapp:+12025550110", "visitor-" + "0" * 32
GOODBYE, WELCOME = OPT_OUT[Language.ENGLISH], OPT_IN[Language.ENGLISH]


class NothingToRequeue:
    def send_again(self, messages: Sequence[MessageAdded], *, since: datetime) -> None:
        raise AssertionError(f"{len(messages)} are requeued, since {since}")


def write(harness: Harness, author: str, *bodies: str) -> list[MessageAdded]:
    """Let the customer write, a second after whatever came before."""
    harness.clock.move(seconds=1)
    written = [replace(message, author=author) for message in harness.customer_writes(*bodies)]
    harness.twilio.messages[CONVERSATION][-len(written) :] = written
    return written


def say(harness: Harness, author: str, *bodies: str) -> list[str]:
    """Let the customer write; deliver it until it ends, and return the causes or outcomes."""
    results = harness.deliver_until_it_ends(*write(harness, author, *bodies))
    return [result.cause or result.outcome for result in results]


def tell_lifecycle(harness: Harness, message: MessageAdded) -> None:
    apply(
        message,
        conversations=harness.conversations,
        messages=harness.twilio,
        requeue=NothingToRequeue(),
        customer_secret=SECRET,
    )


@pytest.mark.parametrize("author", [WHATSAPP, CHAT])
def test_where_twilio_does_not_confirm_an_opt_out_and_an_opt_in_are_confirmed_once(
    harness: Harness, author: str
) -> None:
    say(harness, author, "STOP")
    say(harness, author, "Do you sell helmets?", "STOP")
    say(harness, author, "START")
    say(harness, author, "Do you sell bells?")

    assert harness.replies == [GOODBYE, WELCOME, "You said: Do you sell bells?"]
    assert [question.messages for question in harness.agent.questions] == [("Do you sell bells?",)]


def test_by_sms_twilio_confirms_its_keywords_and_we_what_it_does_not_know(harness: Harness) -> None:
    say(harness, SMS, "STOP")
    say(harness, SMS, "Hello?")
    say(harness, SMS, "START")
    assert harness.replies == []

    say(harness, SMS, "Please stop texting me")

    assert harness.replies == [GOODBYE]
    assert harness.agent.questions == []
    assert [record.rule for record in harness.records] == ["opt_out", "opted_out", "opt_in", "opt_out"]


def test_a_word_costs_no_turn_of_the_budget(harness: Harness) -> None:
    say(harness, WHATSAPP, "STOP")
    say(harness, WHATSAPP, "START")

    assert harness.conversations.spent(WHATSAPP, now=harness.clock()).by_all == 0


def test_a_question_beside_start_gets_an_answer_of_its_own(harness: Harness) -> None:
    say(harness, WHATSAPP, "STOP")
    say(harness, WHATSAPP, "Are you there?", "START", "Do you sell bells?")

    assert harness.replies == [GOODBYE, WELCOME, "You said: Do you sell bells?"]


def test_stop_and_start_in_one_batch_leave_a_customer_who_wants_messages(harness: Harness) -> None:
    say(harness, WHATSAPP, "Do you sell helmets?", "STOP", "Wait", "START")

    assert harness.replies == [WELCOME]
    assert harness.agent.questions == []
    assert not harness.item.consent.opted_out


def test_an_opt_in_that_no_list_shows_for_long_is_confirmed_when_its_record_comes(harness: Harness) -> None:
    say(harness, WHATSAPP, "STOP")
    hello, start = write(harness, WHATSAPP, "Hello?", "START")
    harness.deliver_and_crash(hello, start, after=Step.CLAIM)
    harness.twilio.outage_until = harness.clock() + timedelta(hours=1)
    harness.clock.move(seconds=600)

    harness.deliver_until_it_ends(hello)
    harness.twilio.outage_until = harness.clock()
    harness.deliver_until_it_ends(start)

    assert harness.replies == [GOODBYE, WELCOME]


def test_start_from_a_customer_who_gets_messages_is_a_message_like_any_other(harness: Harness) -> None:
    say(harness, WHATSAPP, "START")

    assert harness.replies == ["You said: START"]


def test_an_opt_out_that_is_applied_while_the_assistant_thinks_silences_it(harness: Harness) -> None:
    (question,) = write(harness, WHATSAPP, "Do you sell helmets?")

    def customer_stops() -> None:
        harness.agent.while_thinking = lambda: None
        (stop,) = write(harness, WHATSAPP, "STOP")
        tell_lifecycle(harness, stop)

    harness.agent.while_thinking = customer_stops
    assert harness.deliver(question).outcome == "fenced"
    harness.deliver_until_it_ends(question, harness.messages[-1])

    assert harness.replies == [GOODBYE]
    assert len(harness.agent.questions) == 1


def test_a_frozen_reply_that_has_not_left_is_not_sent_after_an_opt_out(harness: Harness) -> None:
    (question,) = write(harness, WHATSAPP, "Do you sell helmets?")
    harness.deliver_and_crash(question, after=Step.FREEZE)
    (stop,) = write(harness, WHATSAPP, "STOP")
    tell_lifecycle(harness, stop)

    results = harness.deliver_until_it_ends(question, stop)

    assert harness.replies == [GOODBYE]
    assert results[-1].outcome == "refused"
    assert (harness.item.owner, harness.records[0].rule) == (Owner.ASSISTANT, "opted_out")
    assert list(harness.conversations.notices) == []


def test_an_opt_out_that_only_a_list_shows_ends_what_is_missing(harness: Harness) -> None:
    (question,) = write(harness, WHATSAPP, "Do you sell helmets?")
    harness.deliver_and_crash(question, after=Step.FREEZE)
    write(harness, WHATSAPP, "STOP")
    harness.clock.move(seconds=100)

    harness.deliver_until_it_ends(question)

    assert harness.replies == []
    assert harness.item.consent.opted_out


def test_an_opt_out_whose_webhook_was_lost_is_found_below_the_next_message(harness: Harness) -> None:
    say(harness, WHATSAPP, "Do you sell helmets?")
    write(harness, WHATSAPP, "STOP")

    say(harness, WHATSAPP, "And bells?")

    assert harness.replies == ["You said: Do you sell helmets?", GOODBYE]
    assert len(harness.agent.questions) == 1


def test_a_confirmation_that_did_not_leave_is_sent_once_and_nothing_else_is(harness: Harness) -> None:
    (stop,) = write(harness, WHATSAPP, "STOP")
    harness.deliver(stop)
    harness.deliver_and_crash(stop, after=Step.FREEZE)

    harness.deliver_until_it_ends(stop)

    assert harness.replies == [GOODBYE]


def test_the_next_conversation_of_the_customer_on_the_channel_begins_opted_out(harness: Harness) -> None:
    say(harness, WHATSAPP, "STOP")
    harness.conversations.items[CONVERSATION] = Conversation(sid=CONVERSATION)  # as that of another conversation is
    harness.twilio.messages.clear()

    say(harness, WHATSAPP, "Hello?")

    assert harness.replies == []
    assert harness.agent.questions == []
    assert harness.item.consent.opted_out


def test_start_as_the_first_message_of_the_next_conversation_opts_in(harness: Harness) -> None:
    say(harness, WHATSAPP, "STOP")
    harness.conversations.items[CONVERSATION] = Conversation(sid=CONVERSATION)
    harness.twilio.messages.clear()

    say(harness, WHATSAPP, "START")
    say(harness, WHATSAPP, "Do you sell bells?")

    assert harness.replies == [WELCOME, "You said: Do you sell bells?"]


def test_after_an_opt_out_that_twilio_does_not_know_of_we_answer_start_by_sms_and_a_yes_opts_nobody_in(
    harness: Harness,
) -> None:
    say(harness, SMS, "Please stop texting me")
    say(harness, SMS, "Yes")
    say(harness, SMS, "START")

    assert harness.replies == [GOODBYE, WELCOME]
    assert harness.agent.questions == []


def test_a_confirmation_that_whatsapp_would_refuse_is_not_said(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    (stop,) = write(harness, WHATSAPP, "STOP")
    harness.deliver_until_it_ends(stop)
    harness.clock.move(seconds=3 * 86_400)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())

    harness.deliver_until_it_ends(stop)

    assert harness.replies == []
    assert harness.records[-1].rule == "opt_out"


def test_an_agent_that_opts_out_whoever_takes_it_back_in_the_same_breath_changes_nothing(harness: Harness) -> None:
    harness.agent.opt_out = True

    say(harness, SMS, "I am tired of this", "START")

    assert harness.replies == []
    assert not harness.item.consent.opted_out
    assert len(harness.agent.questions) == 1


def test_a_humans_word_and_an_opt_out_in_one_list_both_count(harness: Harness) -> None:
    (first,) = write(harness, WHATSAPP, "Hello?")
    harness.twilio.add(from_human(index=1, at=harness.clock()))
    write(harness, WHATSAPP, "STOP")
    (last,) = write(harness, WHATSAPP, "Hello??")

    harness.deliver_until_it_ends(first, last)

    assert harness.item.owner is Owner.HUMAN
    assert harness.item.consent.opted_out


def test_on_another_channel_of_the_number_messages_are_still_wanted(harness: Harness) -> None:
    customer = key_of(WHATSAPP, secret=SECRET)
    by_whatsapp = ConsentChange(opted_out=True, at=NOON, index=1, customer=customer, channel=Channel.WHATSAPP)
    harness.conversations.change_consent(sid("CH", 2), by_whatsapp)

    say(harness, SMS, "Hello?")

    assert harness.replies == ["You said: Hello?"]


def test_an_agent_may_understand_that_the_customer_wants_no_more(harness: Harness) -> None:
    harness.agent.opt_out = True
    say(harness, SMS, "I am so tired of all your messages, could this please end now")
    harness.agent.opt_out = False

    say(harness, SMS, "Hello?")

    assert harness.replies == [GOODBYE]
    assert len(harness.agent.questions) == 1


def test_help_is_answered_with_the_help_sentence_where_twilio_does_not_answer(harness: Harness) -> None:
    say(harness, WHATSAPP, "HELP")
    say(harness, SMS, "HELP")
    say(harness, SMS, "Hilfe")

    assert harness.replies == [HELP[Language.ENGLISH], HELP[Language.GERMAN]]
    assert harness.agent.questions == []
    assert [record.rule for record in harness.records] == ["", "help", ""]


def test_help_beside_a_question_or_with_the_sentence_off_is_the_agents(harness: Harness) -> None:
    say(harness, WHATSAPP, "HELP", "Where are you?")
    harness.settings = replace(harness.settings, consent=ConsentSentences(help={}))
    say(harness, WHATSAPP, "HELP")

    assert harness.replies == ["You said: HELP | Where are you?", "You said: HELP"]


def test_help_from_a_customer_who_has_opted_out_gets_nothing(harness: Harness) -> None:
    say(harness, WHATSAPP, "STOP")
    say(harness, WHATSAPP, "HELP")

    assert harness.replies == [GOODBYE]


def test_while_machines_answer_each_other_an_opt_out_counts_and_nothing_is_said(harness: Harness) -> None:
    pause = LoopPause(since=harness.clock(), times=1, texts=frozenset())
    harness.conversations.items[CONVERSATION] = Conversation(sid=CONVERSATION, loop_pause=pause)

    say(harness, WHATSAPP, "STOP")

    assert harness.replies == []
    assert harness.item.consent.opted_out


def test_under_a_human_an_opt_out_counts_and_nothing_is_said(harness: Harness) -> None:
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())

    say(harness, WHATSAPP, "STOP")

    assert harness.replies == []
    assert harness.item.consent.opted_out
    assert harness.item.left_to_human == {0}


def test_a_hand_back_and_a_redrive_say_nothing_to_a_customer_who_has_opted_out(harness: Harness) -> None:
    say(harness, WHATSAPP, "STOP")
    harness.conversations.take_over(CONVERSATION, index=None, at=harness.clock())
    (message,) = write(harness, WHATSAPP, "Hello?")
    harness.deliver_until_it_ends(message)
    harness.clock.move(seconds=1)
    harness.conversations.hand_back(CONVERSATION, at=harness.clock())

    harness.deliver_until_it_ends(message)
    harness.deliver_until_it_ends(replace(message, again=True))

    assert harness.replies == [GOODBYE]


def test_an_opt_out_that_waited_too_long_still_counts_and_is_confirmed(harness: Harness) -> None:
    (stop,) = write(harness, WHATSAPP, "STOP")
    harness.clock.move(seconds=timedelta(hours=5).total_seconds())

    harness.deliver_until_it_ends(stop)

    assert harness.replies == [GOODBYE]
    assert harness.dead_letters.messages == []

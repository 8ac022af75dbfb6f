"""The offline model: a few written rules in place of a language model."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_ai import Agent

from switchboard.agent import Answer, HistoryEntry
from switchboard.agents import offline
from switchboard.agents.assistant import HANDOFF, Assistant, Deps
from switchboard.agents.knowledge import Knowledge
from tests.assistants import KNOWLEDGE, answering, bakery, entry, question


def ask(*messages: str, history: tuple[HistoryEntry, ...] = ()) -> Answer:
    with answering(bakery) as agent:
        return agent.answer(question(*messages, history=history))


def test_a_question_is_answered_from_the_knowledge() -> None:
    answer = ask("When are you open on Saturday?")

    assert "8 am" in answer.text
    assert "2 pm" in answer.text
    assert not answer.handoff


@pytest.mark.parametrize("unknown", ["Do you sell cars?", "What is the meaning of life?", ""])
def test_an_unknown_question_is_answered_with_do_not_know_and_the_offer_of_a_human(unknown: str) -> None:
    answer = ask(unknown)

    assert answer.text == offline.UNKNOWN
    assert "do not know" in answer.text
    assert "colleague" in answer.text
    assert not answer.handoff


def test_messages_that_wait_together_are_all_answered_in_one_reply() -> None:
    answer = ask("Hi!", "Do you deliver to Ashford?", "We love rye. How much is a plain roll, and do you sell tanks?")

    delivery, price, rest = answer.text.split("\n\n")
    assert "Ashford" in delivery
    assert "90 cents" in price
    assert rest == offline.PARTLY_UNKNOWN


def test_two_questions_with_the_same_answer_get_it_once() -> None:
    answer = ask("When are you open on Saturday?", "saturday hours?")

    assert answer.text.count("8 am") == 1


@pytest.mark.parametrize(
    "text",
    [
        "Can I talk to a human?",
        "I want to speak with a real person please",
        "agent",
        "A colleague, please!",
        "put me through to the manager",
        "When do you open? Actually, just get me someone.",
    ],
)
def test_a_customer_who_asks_for_a_human_is_handed_off(text: str) -> None:
    answer = ask(text)

    assert answer.handoff
    assert answer.text == offline.HANDED_OFF


@pytest.mark.parametrize("text", ["Can someone else collect my cake?", "Can you write a name on it for my colleague?"])
def test_a_question_that_only_mentions_someone_is_not_handed_off(text: str) -> None:
    assert not ask(text).handoff


@pytest.mark.parametrize("yes", ["yes", "Yes please!", "ok", "sure, go ahead", "👍", f"Liked “{offline.OFFER}”"])
def test_a_customer_who_accepts_the_offer_is_handed_off(yes: str) -> None:
    history = (entry("customer", "Do you sell cars?"), entry("assistant", offline.UNKNOWN))

    assert ask(yes, history=history).handoff


@pytest.mark.parametrize("no", ["no thanks", "ok, no need", "ok prices?"])
def test_a_customer_who_does_not_accept_the_offer_is_not_handed_off(no: str) -> None:
    history = (entry("customer", "Do you sell cars?"), entry("assistant", offline.UNKNOWN))

    assert not ask(no, history=history).handoff


def test_yes_to_a_notice_of_ours_is_not_taken_for_a_yes_to_the_offer_before_it() -> None:
    history = (
        *(entry("customer", "Do you sell cars?"), entry("assistant", offline.UNKNOWN)),
        *(entry("customer", "Hello?"), entry("notice", "We are closed until nine. Is that all right?")),
    )

    assert not ask("yes", history=history).handoff


def test_a_question_is_answered_also_after_a_human_had_the_conversation() -> None:
    history = (entry("customer", "Do you sell cars?"), entry("human", "We do not."), entry("mark", "Handed back."))

    assert "8 am" in ask("When are you open on Saturday?", history=history).text


def test_yes_without_an_offer_is_not_handed_off() -> None:
    history = (entry("customer", "Do you deliver?"), entry("assistant", "Yes."))

    assert not ask("yes", history=history).handoff


@pytest.mark.parametrize("said", ["hi", "Good morning!", "👋", "hello, how are you?", "anybody there?"])
def test_a_greeting_is_answered_without_a_search(said: str) -> None:
    assert ask(said).text == offline.GREETING


@pytest.mark.parametrize("said", ["Thanks a lot!", "great, thank you", "ok", "Bye!", "👍🏽", "Liked “Yes.”"])
def test_mere_thanks_get_no_reply(said: str) -> None:
    history = (entry("customer", "Do you deliver?"), entry("assistant", "Yes."))

    assert ask(said, history=history) == Answer(no_reply=True)


def test_thanks_to_a_question_of_ours_are_answered() -> None:
    history = (entry("customer", "hi"), entry("assistant", offline.GREETING))

    assert ask("thanks", history=history).text == offline.WELCOME


def test_an_assistant_that_cannot_be_silent_is_not() -> None:
    agent = Agent(deps_type=Deps, output_type=[str, HANDOFF])

    with answering(Assistant(agent=agent, knowledge=Knowledge(KNOWLEDGE))) as pydantic_ai_agent:
        answer = pydantic_ai_agent.answer(question("Thanks a lot!"))

    assert answer.text == offline.WELCOME


def test_a_question_after_a_greeting_is_answered() -> None:
    answer = ask("Hello, how much is a plain roll and when are you open on Saturday?")

    assert "90 cents" in answer.text
    assert "8 am" in answer.text


def test_a_statement_beside_a_question_is_not_searched_for() -> None:
    answer = ask("My grandmother drives a tank. Do you deliver to Ashford?")

    assert "Ashford" in answer.text
    assert offline.OFFER not in answer.text


def test_questions_beyond_the_limit_of_searches_get_the_offer() -> None:
    answer = ask(*["When are you open on Saturday?"] * (offline.MAX_SEARCHES + 1))

    assert answer.text.endswith(offline.PARTLY_UNKNOWN)


def test_the_same_question_gets_the_same_answer() -> None:
    assert ask("How much is delivery?") == ask("How much is delivery?")


def test_an_assistant_without_a_search_tool_answers_every_question_with_unknown() -> None:
    agent = Agent(deps_type=Deps, output_type=[str, HANDOFF])

    with answering(Assistant(agent=agent, knowledge=Knowledge(KNOWLEDGE))) as pydantic_ai_agent:
        answer = pydantic_ai_agent.answer(question("When are you open on Saturday?"))

    assert answer.text == offline.UNKNOWN


@pytest.mark.parametrize("hours", ["What are your hours?", "are you open today?", "When do you close tomorrow"])
def test_a_question_for_the_hours_alone_is_answered_for_every_day(hours: str) -> None:
    answer = ask(hours)

    assert all(fact in answer.text for fact in ("7 am", "8 am", "On Monday we are closed"))


def test_a_question_is_searched_for_with_the_sentence_that_it_speaks_of() -> None:
    answer = ask("I would like a birthday cake. How much is it?")

    assert answer.text.startswith("A birthday cake for ten people costs $45")


@pytest.mark.parametrize(
    "text",
    [
        "This is unacceptable, the bread was mouldy!",
        "My oven is on fire",
        "I am really disappointed",
        "It is the second time that the cake is late",
        "I want my money back!",
        "My son got hurt",
        "Nobody got back to me about the cake",
        "You ruined my wedding cake",
        "I am still waiting for an answer",
        "We paid twice",
        "she fell and cut her hand",
    ],
)
def test_who_complains_or_is_in_danger_is_handed_off(text: str) -> None:
    assert ask(text) == Answer(text=offline.TAKEN_SERIOUSLY, handoff=True)


@pytest.mark.parametrize("said", ["👎", "you are not helpful", "that is not what I asked", "wrong answer"])
def test_who_was_not_helped_is_offered_a_human(said: str) -> None:
    history = (entry("customer", "Do you deliver?"), entry("assistant", "Yes."))

    assert ask(said, history=history).text == offline.NOT_HELPED


@pytest.mark.parametrize(
    ("asked", "fact"),
    [
        ("What would a sourdough set me back?", "$7"),
        ("can I drop in on Saturday", "8 am"),
        ("until when can I come by on Wednesday?", "6 pm"),
        ("could you bring it to my office", "$6"),
        ("how do I reach you?", "+1 202 555 0177"),
        ("could you possibly finish a birthday cake", "three days ahead"),
    ],
)
def test_a_question_in_other_words_is_answered(asked: str, fact: str) -> None:
    assert fact in ask(asked).text


@pytest.mark.parametrize(
    "text", ["Is smoking allowed?", "tell me a joke", "how do I get my money back", "what is the refund policy"]
)
def test_a_question_that_only_sounds_like_trouble_is_not_handed_off(text: str) -> None:
    assert not ask(text).handoff


@pytest.mark.parametrize("no", ["no thanks", "Nope", "no, that's all", "never mind", "nope, that's everything"])
def test_who_declines_the_offer_is_told_that_they_may_write_again(no: str) -> None:
    history = (entry("customer", "Do you sell cars?"), entry("assistant", offline.UNKNOWN))

    assert ask(no, history=history).text == offline.ALL_RIGHT


def test_a_no_to_nothing_gets_no_reply() -> None:
    history = (entry("customer", "Do you deliver?"), entry("assistant", "Yes."))

    assert ask("no thanks", history=history).no_reply


@pytest.mark.parametrize("said", ["I have a question", "i need help"])
def test_who_only_announces_a_question_is_asked_for_it(said: str) -> None:
    assert ask(said).text == offline.GREETING


@pytest.mark.parametrize(
    "file", ["image: image/jpeg", "document: application/pdf", "file: a/b", "voice message: audio/ogg"]
)
def test_a_file_without_words_is_answered_with_what_the_model_can_read(file: str) -> None:
    assert ask(f"[{file}]").text == offline.ONLY_A_FILE


def test_who_asks_for_a_file_they_sent_is_told_that_only_words_are_read() -> None:
    assert ask("did you get my photo?").text == offline.ONLY_A_FILE


def test_a_question_beside_a_file_is_answered() -> None:
    assert "8 am" in ask("When are you open on Saturday?\n[image: image/jpeg]").text


@pytest.mark.parametrize("asked", ["Are you a robot?", "am i talking to a person", "is this a bot", "who are you?"])
def test_who_asks_what_they_talk_to_is_told(asked: str) -> None:
    assert ask(asked) == Answer(text=offline.WHAT_WE_ARE)


@pytest.mark.parametrize(
    ("text", "honest", "yes"),
    [
        ("¿Tienen pan sin gluten?", "inglés", "sí, por favor"),
        ("Haben Sie am Samstag geöffnet?", "Englisch", "Ja bitte!"),
        ("Vous êtes ouverts le dimanche ?", "anglais", "oui"),
        ("Vocês abrem aos domingos?", "inglês", "sim, por favor"),
        ("Siete aperti la domenica?", "inglese", "sì grazie"),
    ],
)
def test_another_language_is_answered_in_it_with_an_offer_that_can_be_accepted(
    text: str, honest: str, yes: str
) -> None:
    answer = ask(text)
    history = (entry("customer", text), entry("assistant", answer.text))

    assert honest in answer.text
    assert ask(yes, history=history).handoff
    assert not ask("no", history=history).handoff


def test_english_with_words_that_another_language_has_too_is_english() -> None:
    assert ask("am I on?").text == offline.UNKNOWN


def test_many_questions_for_the_hours_search_each_day_once() -> None:
    hours = ["When do you open?", "When do you close?", "What are your hours?", "Are you open?"]

    assert "On Monday we are closed" in ask(*hours, "Do you deliver?", "What does rye bread cost?").text


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text() | st.sampled_from(["When do you open?", "cake 12345", "no", "[video: a]"]), max_size=10))
def test_any_texts_get_an_answer(texts: list[str]) -> None:
    answer = ask(*texts)

    assert answer.text or answer.no_reply

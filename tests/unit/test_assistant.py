"""The assistant that the agent function declares, on the offline model."""

import pytest

from switchboard.agents.knowledge.chunks import read_folder, read_markdown
from tests.assistants import FOLDER, KNOWLEDGE, answering, question, shop

ASSISTANT = shop()

QUESTIONS = {
    "opening-hours": [
        ("When are you open on Saturday?", "9 am"),
        ("are you open on sunday", "closed"),
        ("What time do you close on Friday?", "7 pm"),
        ("open at christmas?", "December 24"),
        ("what are your hours on weekends", "Saturday"),
    ],
    "delivery": [
        ("Do you ship to Canada?", "$22"),
        ("do you ship to Australia?", "Australia"),
        ("How long does shipping take?", "2 to 4 business days"),
        ("where is my parcel?", "tracking link"),
    ],
    "returns": [
        ("Can I return a helmet?", "unworn"),
        ("what's your return policy?", "30 days"),
        ("How long is the warranty?", "5 years"),
        ("how do I get a refund", "5 business days"),
    ],
    "prices": [
        ("how much is an e-bike?", "$1,650"),
        ("How much are helmets?", "$45"),
        ("can I pay with Apple Pay?", "Apple Pay"),
        ("student discount?", "10 percent"),
    ],
    "repairs": [
        ("how much is a tune-up", "$90"),
        ("What does a puncture repair cost?", "$18"),
        ("How long does a repair take?", "3 business days"),
        ("do I need an appointment?", "appointment"),
    ],
    "rentals": [
        ("Can I rent a bike?", "$30"),
        ("how much is renting an ebike for a day", "$60"),
        ("Can I try a bike before buying?", "test ride"),
    ],
    "contact": [
        ("Where are you?", "14 Ferry Lane"),
        ("What is your phone number?", "+1 202 555 0142"),
        ("is there parking?", "behind the shop"),
        ("can I bring my dog?", "leash"),
    ],
    "shop": [
        ("Do you buy used bikes?", "trade-in"),
        ("who owns the shop?", "Heron"),
        ("are there group rides?", "group ride"),
    ],
}

UNKNOWN_QUESTIONS = [
    "Do you sell cars?",
    "What's the meaning of life?",
    "do you sell pizza?",
    "What is the capital of France?",
    "can you write me a poem?",
    "how's the weather?",
    "do you have skis for rent?",
    "Do you sell kayaks?",
    "can I return a car?",
    "do you repair cars?",
    "what is 2+2?",
    "Who won the world cup?",
    "Do you offer insurance?",
    "do you deliver to Germany?",
]


@pytest.mark.parametrize(("asked", "fact"), [pair for pairs in QUESTIONS.values() for pair in pairs])
def test_a_question_is_answered_with_the_fact_it_asks_for(asked: str, fact: str) -> None:
    with answering(ASSISTANT) as agent:
        answer = agent.answer(question(asked))

    assert fact in answer.text
    assert not answer.handoff


@pytest.mark.parametrize("asked", UNKNOWN_QUESTIONS)
def test_an_answer_that_is_not_in_the_knowledge_is_not_invented_and_a_human_is_offered(asked: str) -> None:
    with answering(ASSISTANT) as agent:
        answer = agent.answer(question(asked))

    assert "do not know" in answer.text
    assert "colleague" in answer.text


def test_every_knowledge_file_answers_a_question() -> None:
    assert sorted(file.stem for file in KNOWLEDGE.glob("*.md")) == sorted(QUESTIONS)
    for stem, pairs in QUESTIONS.items():
        texts = [fact.text for fact in read_markdown((KNOWLEDGE / f"{stem}.md").read_text())]
        for asked, _ in pairs:
            assert any(fact.text in texts for fact in ASSISTANT.knowledge.search(asked)), (stem, asked)


def test_the_shop_knows_at_least_25_different_facts_each_under_a_heading() -> None:
    facts = list(read_folder(KNOWLEDGE))

    assert len({fact.text for fact in facts}) == len(facts) >= 25
    assert all(fact.topic for fact in facts)


def test_every_fact_is_found_by_its_own_words() -> None:
    missed = [fact.text for fact in read_folder(KNOWLEDGE) if fact not in ASSISTANT.knowledge.search(fact.text)]

    assert missed == []


def test_the_declaration_of_the_assistant_has_at_most_60_lines() -> None:
    assert len((FOLDER / "assistant.py").read_text().splitlines()) <= 60


def test_the_knowledge_has_only_a_fictitious_phone_number() -> None:
    numbers = [word for fact in read_folder(KNOWLEDGE) if "+1" in fact.text for word in [fact.text.partition("+1 ")[2]]]

    assert [number[:10] for number in numbers] == ["202 555 01"]

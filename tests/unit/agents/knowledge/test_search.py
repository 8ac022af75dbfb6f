"""Search: the facts that answer a question."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.agents.knowledge import Knowledge
from switchboard.agents.knowledge.chunks import Chunk, read_folder
from switchboard.agents.knowledge.search import MAX_WORDS
from switchboard.errors import Misconfigured
from tests.assistants import KNOWLEDGE

SHIPS = "We ship to Canada."
OPENS = "We open at nine on Saturday."
SELLS = "We sell bicycles and helmets."
RETURNS = "A helmet can be returned in its box."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one.md").write_text(f"# Hours\n- {OPENS}\n- On Sunday we are closed.\n\n# Delivery\n- {SHIPS}\n")
    (tmp_path / "two.md").write_text(f"# Shop\n- {SELLS}\n- {RETURNS}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("When are you open on Saturday?", OPENS),
        ("what about saturdays", OPENS),
        ("are you open on saterday", OPENS),
        ("Can I return a helmet?", RETURNS),
        ("shipping to canada", SHIPS),
        ("Shipped to Canada\u2019s north?", SHIPS),
    ],
)
def test_a_question_finds_its_fact_in_other_word_forms_and_misspelt(folder: Path, question: str, text: str) -> None:
    found = Knowledge(folder).search(question)

    assert [fact.text for fact in found] == [text]


@pytest.mark.parametrize("question", ["Do you sell cars?", "What is the meaning of life?", "Do you?", "?", "", "24"])
def test_a_question_that_no_fact_answers_finds_nothing(folder: Path, question: str) -> None:
    assert Knowledge(folder).search(question) == []


def test_a_fact_is_found_by_the_heading_above_it(folder: Path) -> None:
    found = Knowledge(folder).search("Delivery?")

    assert found == [Chunk("Delivery", SHIPS)]


def test_a_synonym_finds_the_same_fact(folder: Path) -> None:
    knowledge = Knowledge(folder, synonyms=[("bike", "bicycle"), ("much", "price")])

    found = knowledge.search("Do you sell a bike?")

    assert [fact.text for fact in found] == [SELLS]


def test_at_most_limit_facts_are_returned(folder: Path) -> None:
    both = Knowledge(folder).search("helmet")
    one = Knowledge(folder).search("helmet", limit=1)

    assert [fact.text for fact in both] == [SELLS, RETURNS]
    assert len(one) == 1


def test_the_folder_is_read_once_at_the_first_search(
    folder: Path,
) -> None:
    knowledge = Knowledge(folder)
    (folder / "three.md").write_text("- We have tandems.")

    before = knowledge.search("tandems")
    (folder / "three.md").write_text("- We have unicycles.")

    assert [fact.text for fact in before] == ["We have tandems."]
    assert knowledge.search("unicycles") == []


def test_a_folder_without_facts_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    (tmp_path / "empty.md").write_text("# Only a heading\n")

    with pytest.raises(Misconfigured, match="the knowledge folder is empty"):
        Knowledge(tmp_path).search("anything")


def test_many_threads_may_search_at_once(folder: Path) -> None:
    knowledge = Knowledge(folder)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(knowledge.search, ["Saturday?"] * 64))

    assert all([fact.text for fact in each] == [OPENS] for each in found)


def test_a_fact_that_matches_fewer_words_than_the_best_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "fruit.md").write_text("- Red, ripe apples and pears.\n- Red, ripe apples.\n- Plums.\n")

    found = Knowledge(tmp_path).search("red ripe apples, pears")

    assert [fact.text for fact in found] == ["Red, ripe apples and pears."]


def test_of_a_very_long_question_only_the_first_words_are_searched_for(tmp_path: Path) -> None:
    known = " ".join("k" * number for number in range(1, MAX_WORDS + 1))
    unknown = " ".join("u" * number for number in range(1, 3 * MAX_WORDS))
    (tmp_path / "one.md").write_text(f"- {known}\n- Plums.\n")

    found = Knowledge(tmp_path).search(f"{known} {unknown}")

    assert [fact.text for fact in found] == [known]


def found_in(folder: Path, markdown: str, question: str) -> list[str]:
    (folder / "one.md").write_text(markdown)
    return [chunk.text for chunk in Knowledge(folder).search(question)]


@pytest.mark.parametrize(
    ("fact", "question"),
    [
        ("A haircut costs $38.", "price of a haircut pls"),
        ("A parcel takes two days.", "How long does a package take?"),
        ("You can return it unworn.", "can i bring it back"),
        ("An oil change costs $90.", "how much do you charge for the oil change"),
        ("We deliver on Monday.", "When do you ship?"),
        ("A tune-up costs $90.", "how much is a tuneup"),
        ("We take credit cards.", "do u take visa"),
        ("Jobs: we look for a baker.", "Are you guys hiring"),
    ],
)
def test_a_fact_is_found_in_other_words_that_mean_the_same_in_any_business(
    tmp_path: Path, fact: str, question: str
) -> None:
    assert fact in found_in(tmp_path, f"- {fact}\n- Plums are ripe.\n- The door is green.\n", question)


@pytest.mark.parametrize(
    ("fact", "days"),
    [
        ("Monday to Wednesday we open at 9.", "Monday Tuesday Wednesday"),
        ("Open Fri\u2013Sun until 5 pm.", "Friday Saturday Sunday"),
        ("From Saturday until Monday we open at 7.", "Saturday Sunday Monday"),
        ("On weekdays we open at 8.", "Monday Tuesday Wednesday Thursday Friday"),
        ("We open at 8 on weekends.", "Saturday Sunday"),
        ("We open daily at 6.", "Monday Sunday"),
    ],
)
def test_a_day_that_a_fact_means_without_naming_it_finds_it(tmp_path: Path, fact: str, days: str) -> None:
    for day in days.split():
        assert found_in(tmp_path, f"- {fact}\n- Plums are ripe.\n", f"are you open on {day}?") == [fact]


def test_of_facts_that_fit_equally_well_the_first_ones_are_returned(tmp_path: Path) -> None:
    found = found_in(tmp_path, "".join(f"- Plums of sort {word}.\n" for word in "uvwxyz"), "plums?")

    assert found == ["Plums of sort u.", "Plums of sort v.", "Plums of sort w."]


def test_what_only_happens_to_the_customer_does_not_hide_the_fact(tmp_path: Path) -> None:
    facts = "- Brakes are adjusted for $25.\n- Plums are ripe.\n- The door is green.\n- Cats sleep.\n"

    assert found_in(tmp_path, facts, "my brakes are squeaking") == ["Brakes are adjusted for $25."]
    assert found_in(tmp_path, facts, "brakes for a helicopter") == []


def test_every_fact_is_found_by_its_own_words() -> None:
    missed = [fact.text for fact in read_folder(KNOWLEDGE) if fact not in SHOP.search(fact.text)]

    assert missed == []


SHOP = Knowledge(KNOWLEDGE)


@given(st.text())
def test_any_text_may_be_searched_for(question: str) -> None:
    found = SHOP.search(question)

    assert len(found) <= 3

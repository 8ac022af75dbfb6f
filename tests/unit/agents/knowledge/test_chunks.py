"""Chunks: one fact for each paragraph and list item of a Markdown file."""

from switchboard.agents.knowledge.chunks import Chunk, read_markdown


def test_each_list_item_and_each_paragraph_is_a_fact_under_its_heading() -> None:
    markdown = """
# Delivery

We ship on Mondays
and on Thursdays.

* A parcel takes
  two days.
* Tracking is free.

## Abroad
1. We ship to Canada.
A line right after an item belongs to it.
"""

    facts = list(read_markdown(markdown))

    assert facts == [
        Chunk("Delivery", "We ship on Mondays and on Thursdays."),
        Chunk("Delivery", "A parcel takes two days."),
        Chunk("Delivery", "Tracking is free."),
        Chunk("Abroad", "We ship to Canada. A line right after an item belongs to it."),
    ]


def test_a_text_without_headings_has_facts_without_a_topic() -> None:
    facts = list(read_markdown("Open on Saturday."))

    assert facts == [Chunk("", "Open on Saturday.")]

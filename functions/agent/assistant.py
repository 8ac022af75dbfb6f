"""The assistant: its instructions, what it knows, what it can do. This is the file to edit."""

import csv
from pathlib import Path

from pydantic_ai import Agent, ModelSettings, RunContext

import workshop
from switchboard.agents.assistant import HANDOFF, NO_REPLY, OPT_OUT, Assistant, Deps
from switchboard.agents.effects import runs_once
from switchboard.agents.knowledge import Chunk, Knowledge
from workshop import Day, Work

INSTRUCTIONS = """
You answer the customers of Blue Heron Bicycles, a bicycle shop with a workshop in Millbrook.
Answer from what `search_knowledge` returns and from nothing else: search before you answer a question, once for each
question, and again in other words if nothing comes back. Never guess a price, a date or a promise.
Book a repair only when the customer asks you to, and has named the day and the work.
If the knowledge does not answer, say plainly that you do not know and offer that a colleague takes over.
Hand over when the customer asks for a person, accepts that offer, complains, or is in danger.
Say nothing, by `no_reply`, where the customer only thanks you, agrees or says goodbye, and you have asked nothing.
Be friendly and brief: a few sentences, in the customer's language. Never claim to be human.
""".strip()

FOLDER = Path(__file__).parent
KNOWLEDGE = Knowledge(
    FOLDER / "knowledge",
    synonyms=[
        ("bike", "bicycle", "cycle"),
        ("e-bike", "electric"),
        ("tire", "tyre"),
        ("flat", "puncture", "nail"),
        ("repair", "service", "maintenance"),
        ("test", "try"),
    ],
)
ORDERS = {row["number"]: row for row in csv.DictReader((FOLDER / "orders.csv").read_text().splitlines())}

agent = Agent(
    name="assistant",
    deps_type=Deps,
    output_type=[str, HANDOFF, NO_REPLY, OPT_OUT],
    instructions=INSTRUCTIONS,
    model_settings=ModelSettings(max_tokens=1000),
)


@agent.tool
def search_knowledge(ctx: RunContext[Deps], question: str) -> list[Chunk] | str:
    """Search what the shop knows, by one short question in English; it returns the facts that may answer it."""
    return ctx.deps.knowledge.search(question) or "Nothing is known about this."


@agent.tool_plain
def order_status(order_number: str) -> str:
    """Tell what became of a customer's order: whether it was shipped, delivered or cancelled, or is ready.

    `order_number` is such as BH-1042; never guess it.
    """
    order = ORDERS.get(f"BH-{order_number.upper().removeprefix('BH').lstrip('-# ')}")
    return (
        f"Order {order['number']} ({order['what']}): {order['state']}"
        if order
        else f"{order_number} is not a valid order number: there is no order with it. One looks like BH-1042."
    )


def booked_before(ctx: RunContext[Deps], day: Day, work: Work) -> str | None:
    """Return the booking that this turn made already, if it did."""
    return workshop.booking(ctx.deps.turn, day, work)


@agent.tool
@runs_once(check=booked_before)
def book_repair(ctx: RunContext[Deps], day: Day, work: Work) -> str:
    """Book a repair of a bike in the workshop, such as a tune-up, for a customer who asks for it; once a booking."""
    return workshop.book(ctx.deps.turn, day, work)


assistant = Assistant(agent=agent, knowledge=KNOWLEDGE)

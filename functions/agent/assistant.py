"""The assistant: its instructions, what it knows, what it can do. This is the file to edit."""

from pathlib import Path

from pydantic_ai import Agent, ModelSettings, RunContext

from switchboard.agents.assistant import HANDOFF, NO_REPLY, Assistant, Deps
from switchboard.agents.knowledge import Chunk, Knowledge

INSTRUCTIONS = """
You answer the customers of Blue Heron Bicycles, a bicycle shop with a workshop in Millbrook.
Answer from what `search_knowledge` returns and from nothing else: search before you answer a question, once for each
question, and again in other words if nothing comes back. Never guess a price, a date or a promise.
If the knowledge does not answer, say plainly that you do not know and offer that a colleague takes over.
Hand over when the customer asks for a person, accepts that offer, complains, or is in danger.
Say nothing, by `no_reply`, where the customer only thanks you, agrees or says goodbye, and you have asked nothing.
Be friendly and brief: a few sentences, in the customer's language. Never claim to be human.
""".strip()

KNOWLEDGE = Knowledge(
    Path(__file__).parent / "knowledge",
    synonyms=[
        ("bike", "bikes", "bicycle", "bicycles"),
        ("ebike", "ebikes", "e-bike", "electric"),
        ("much", "cost", "costs", "price", "prices"),
        ("ship", "shipping", "deliver", "delivery", "deliveries"),
        ("where", "address", "location", "directions"),
        ("kid", "kids", "child", "children"),
        ("fix", "repair", "repairs"),
        ("booking", "book", "appointment"),
        ("phone", "telephone", "call"),
    ],
)

agent = Agent(
    name="assistant",
    deps_type=Deps,
    output_type=[str, HANDOFF, NO_REPLY],
    instructions=INSTRUCTIONS,
    model_settings=ModelSettings(max_tokens=1000),
)


@agent.tool
def search_knowledge(ctx: RunContext[Deps], question: str) -> list[Chunk] | str:
    """Search what the shop knows, by one short question in English; it returns the facts that may answer it."""
    return ctx.deps.knowledge.search(question) or "Nothing is known about this."


assistant = Assistant(agent=agent, knowledge=KNOWLEDGE)

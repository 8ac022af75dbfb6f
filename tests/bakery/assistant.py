"""The assistant of a bakery: another shop than the demo's, so that no test depends on what the demo knows."""

from pathlib import Path

from pydantic_ai import Agent, RunContext

from switchboard.agents.assistant import HANDOFF, NO_REPLY, Assistant, Deps
from switchboard.agents.knowledge import Chunk, Knowledge

CAKES = {"C-201": "Your cake is in the oven.", "C-202": "Your cake is ready."}

agent = Agent(deps_type=Deps, output_type=[str, HANDOFF, NO_REPLY], instructions="You answer a bakery's customers.")


@agent.tool
def search_knowledge(ctx: RunContext[Deps], question: str) -> list[Chunk] | str:
    """Search what the bakery knows."""
    return ctx.deps.knowledge.search(question) or "Nothing is known about this."


@agent.tool_plain
def cake_progress(cake_id: str) -> str:
    """Tell how far the cake is that a customer ordered, by the number on the receipt, such as C-201."""
    return CAKES.get(cake_id.upper(), "No cake has this number.")


assistant = Assistant(agent=agent, knowledge=Knowledge(Path(__file__).parent / "knowledge"))

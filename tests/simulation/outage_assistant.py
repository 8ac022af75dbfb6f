"""The assistant of the stacks whose suppliers fail: it looks up orders in a shop that Script plays.

It is copied to a function's folder as `assistant.py`, beside what `functions/agent` has.
"""

import os
import signal
from pathlib import Path

import httpx
from pydantic_ai import Agent

from switchboard.agents.assistant import HANDOFF, Assistant, Deps
from switchboard.agents.knowledge import Knowledge

SHOP = "AWS_ENDPOINT_URL_SHOP"  # the local stack passes such variables on to the functions

agent = Agent(deps_type=Deps, output_type=[str, HANDOFF])


@agent.tool_plain
async def order_state(number: str) -> str:
    """Return the state of an order."""
    async with httpx.AsyncClient(timeout=1, trust_env=False) as shop:
        answer = await shop.get(f"{os.environ[SHOP]}/orders/{number}")
    state: str = answer.raise_for_status().json()["state"]
    return state


@agent.tool_plain
def exhaust_memory(number: str) -> None:  # noqa: ARG001 -- every tool of these stacks is called with the number
    """End the process, as Lambda does where its memory is used up."""
    os.kill(os.getpid(), signal.SIGKILL)


assistant = Assistant(agent=agent, knowledge=Knowledge(Path(__file__).parent / "knowledge"))

"""How long a customer waits whose worker is killed, on the local stack: `python -m bench.killed`.

The worker is killed in the middle of the turn, when it asks its model. What is left is `AgentTimeout`: the records come
back after twice as long.
"""
# ruff: noqa: T201 -- a command prints

import time

from tests.stacks import running
from tests.waiting import wait_until

TIMEOUTS = (25, 60)  # of `make run` with a model of this machine, and the default
CUSTOMER = "+12025550110"
QUESTION = "When are you open on Saturday?"


def main() -> None:
    """Print a line for each timeout."""
    for seconds in TIMEOUTS:
        with running(environment={"AGENT_TIMEOUT": str(seconds)}) as stack:
            stack.stack.trouble.arm_kill()
            phone = stack.phone(CUSTOMER)
            phone.text(QUESTION)
            wait_until(lambda: stack.stack.trouble.killed == 1, what="the crash", pause_seconds=0.01)
            began = time.monotonic()
            phone.wait_for_replies()
            print(f"AgentTimeout {seconds}: answered {time.monotonic() - began:.0f} s after the crash", flush=True)


if __name__ == "__main__":
    main()

"""What `CoalesceSeconds` costs and saves, on the local stack: `python -m bench.coalesce`.

Customers send one text, or three texts 0.4 s apart, as people type. The offline model answers at once, so the time is
all ours; a model that thinks for longer than the texts take joins the second and the third by itself.
"""
# ruff: noqa: T201 -- a command prints

import statistics
import time

from tests.stacks import Phone, Running, running
from tests.waiting import wait_until

CUSTOMERS = 10  # one after the other: a busy machine would be measured, not the wait
TEXTS = 3
SECONDS_APART = 0.4
QUESTION = "When are you open on Saturday?"


def main() -> None:
    """Print a line for each setting."""
    for seconds in (0, 1):
        with running(environment={"COALESCE_SECONDS": str(seconds)}) as stack:
            phones = [stack.phone(f"+120255501{number}") for number in range(10, 10 + 2 * CUSTOMERS)]
            latency = statistics.median(map(_seconds_to_reply, phones[:CUSTOMERS]))
            replies = statistics.mean(_replies_to_a_burst(stack, phone) for phone in phones[CUSTOMERS:])
        print(
            f"CoalesceSeconds {seconds}: one text is answered after {latency:.2f} s (median of {CUSTOMERS});", end=" "
        )
        print(f"{TEXTS} texts {SECONDS_APART} s apart get {replies:.1f} replies (mean of {CUSTOMERS})", flush=True)


def _seconds_to_reply(phone: Phone) -> float:
    began = time.monotonic()
    phone.text(QUESTION)
    wait_until(lambda: len(phone.inbox()) == 1, pause_seconds=0.01)
    return time.monotonic() - began


def _replies_to_a_burst(stack: Running, phone: Phone) -> int:
    for number in range(TEXTS):
        time.sleep(SECONDS_APART if number else 0)
        sent = phone.text(QUESTION)
    wait_until(lambda: _answered(stack, sent["conversation_sid"]) == TEXTS, pause_seconds=0.2)
    return len(stack.turns(sent["conversation_sid"]))


def _answered(stack: Running, conversation_sid: str) -> int:
    return sum(len(turn["message_sids"]["L"]) for turn in stack.turns(conversation_sid))


if __name__ == "__main__":
    main()

"""Scenarios of the real stack in which nothing fails: many texts at once, machines, reactions, humans who hand back."""

import json
import threading
from datetime import UTC, datetime

from switchboard.events import Owner
from tests.simulation.habits import AUTORESPONSE
from tests.simulation.invariants import REPLY
from tests.simulation.real_stage import Customer, Scene
from tests.simulation.scripts import Script, busy_until
from tests.waiting import wait_until

BURST = 40
LEFT = 14
TAPBACKS = ("Liked “{}”", "Hat „{}“ mit „Gefällt mir“ markiert", "a attribué la mention « Adore » à « {} »", "👍🏽")


def forty_texts_at_once(scene: Scene) -> str:
    """Forty texts that wait while the assistant thinks about the one before them get one reply."""
    customer, begun, end = scene.customer(), threading.Event(), threading.Event()
    customer.writes(Script(model=busy_until(end, begun=begun)))
    wait_until(begun.is_set, what="the model to be asked")
    texts = [customer.writes() for _ in range(BURST)]
    wait_until(lambda: scene.stage.running.queued() > BURST, what="forty texts in the queue")
    end.set()
    for text in texts:
        customer.awaits(text)
    customer.awaits_the_end()
    customer.has_one_answer_to(*texts)
    replies = [body for body in customer.reads() if body.startswith(REPLY)]
    assert len(replies) <= 2, f"{len(replies)} replies"
    return f"{len(texts)} texts, {len(replies)} replies"


def a_machine_that_answers(scene: Scene) -> str:
    """A phone that answers each reply of ours is answered at most five times; what its owner writes is answered."""
    customer = scene.customer()
    customer.awaits(customer.writes())
    for _ in range(8):
        number = customer.writes(words=AUTORESPONSE)
        customer.awaits_the_end()
    replies = len(customer.reads()) - 1
    assert not customer.answers(number), "the last one is answered"
    assert replies <= 5, f"a machine gets {replies} replies"
    return f"8 texts, {replies} replies"


def reactions(scene: Scene) -> str:
    """What phones send when somebody taps a reaction gets no reply, and the next text gets one."""
    (customer,) = scene.known_customers(1)
    (reply,) = customer.reads()
    for tapback in TAPBACKS:
        customer.says(tapback.format(reply))
        customer.awaits_the_end()
    assert customer.reads() == [reply], customer.reads()
    text = customer.writes()
    customer.awaits(text)
    customer.has_one_answer_to(text)
    return f"{len(TAPBACKS)} reactions without a reply, the next text answered"


def what_a_human_hands_back(scene: Scene) -> str:
    """Fourteen texts that a human left get one reply when they hand the conversation back."""
    (customer,) = scene.known_customers(1)
    scene.stage.checker.load.humans_wrote_in.add(customer.sid)
    scene.stage.checker.load.handed_back.add(customer.sid)
    scene.stage.rest(f"{customer.sid}/Messages", with_webhook=True, Author="joe", Body="I take this")
    wait_until(lambda: scene.stage.checker.item(customer.sid).owner is Owner.HUMAN, what="the takeover")
    texts = [customer.writes() for _ in range(LEFT)]
    customer.awaits_the_end()
    assert customer.reads()[1:] == ["I take this"], customer.reads()
    _hand_back(customer)
    for text in texts:
        customer.awaits(text)
    customer.awaits_the_end()
    customer.has_one_answer_to(*texts)
    replies = [body for body in customer.reads()[2:] if body.startswith(REPLY)]
    assert len(replies) == 1, f"{len(replies)} replies"
    return f"{len(texts)} texts, one reply"


def _hand_back(customer: Customer) -> None:
    """Set the attribute that gives the conversation back, as a desk does."""
    owner_set = {"owner": Owner.ASSISTANT, "at": datetime.now(UTC).isoformat(timespec="milliseconds")}
    attributes = json.dumps({"switchboard": owner_set})
    customer.stage.rest(customer.sid, with_webhook=True, Attributes=attributes)

"""Scenarios of bad minutes: what fails, who writes meanwhile, and what they must have read once it is over.

Each returns what was seen, and raises `AssertionError` where a promise was broken. They run side by side on one stack.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from switchboard.events import Owner
from tests.simulation.invariants import REPLY
from tests.simulation.real_stage import BUSY_MACHINE_SECONDS, HUMAN_NUMBERS, LOST, Customer, Scene, Stage
from tests.simulation.scripts import KEY_REFUSED, NO_CAPACITY, UNEXPECTED, Script, busy_until, slow, until
from tests.waiting import pause, wait_until


def too_many_requests(scene: Scene) -> str:
    """Twilio answers 429 for 62 s: one reply, and no human owns the conversation."""
    (customer,) = scene.known_customers(1)
    with scene.stage.twilio_is_away(customer.sid, kind="answer", code=20429) as outage:
        text = customer.writes()
        pause(62)
        scene.stage.awaits_strikes([outage], times=3)
    waited = customer.awaits(text, within_seconds=75)
    customer.awaits_the_end()
    customer.has_one_answer_to(text)
    return f"{outage.struck} requests refused, one reply {waited:.0f} s after the end"


def server_errors(scene: Scene, *, seconds: float, within_seconds: float) -> str:
    """Twilio answers 500 or resets connections, and has taken the POST or not: one reply."""
    ways: Sequence[tuple[str, Mapping[str, object]]] = (
        ("*", {"kind": "answer", "code": 20500}),
        ("POST", {"kind": "answer", "code": 20500}),
        ("POST", {"kind": "answer", "code": 20500, "commit": "first"}),
        ("*", {"kind": "reset"}),
        ("POST", {"kind": "reset", "commit": "first"}),
    )
    customers = scene.known_customers(len(ways))
    with ExitStack() as on:
        outages = [
            on.enter_context(scene.stage.twilio_is_away(customer.sid, method=method, **how))
            for customer, (method, how) in zip(customers, ways, strict=True)
        ]
        texts = [customer.writes() for customer in customers]
        pause(seconds)
        scene.stage.awaits_strikes(outages, times=len(outages))
    waited = [c.awaits(text, within_seconds=within_seconds) for c, text in zip(customers, texts, strict=True)]
    for customer, text in zip(customers, texts, strict=True):
        customer.awaits_the_end(within_seconds)
        customer.has_one_answer_to(text)
    struck = sum(outage.struck for outage in outages)
    return f"{struck} requests failed, one reply each, at the latest {sum(waited):.0f} s after the end"


def an_hour_without_a_model(scene: Scene) -> str:
    """A customer writes all through an outage in which two answers are given up: one apology, then an answer."""
    customer, end = scene.customer(), threading.Event()
    written = 0
    while customer.decisions.count("fell_back") < 2:
        customer.writes(Script(model=until(end, NO_CAPACITY)))
        written += 1
        pause(8)
        assert written < 40, f"no failure after {written} texts: {customer.decisions}"
    end.set()
    text = customer.writes()
    customer.awaits(text, within_seconds=60)
    customer.has_one_answer_to(text)
    apologies = customer.reads().count(_fallback(scene.stage))
    assert apologies == 1, f"the customer reads {apologies} apologies"
    return f"{written} texts, 2 failures, one apology, the next text answered"


def a_few_errors(scene: Scene, *, retries: int, scripts: Sequence[Callable[[], Script]]) -> str:
    """Each customer's turn fails a few times: one reply each."""
    customers = [scene.customer() for _ in scripts]
    texts = [customer.writes(script()) for customer, script in zip(customers, scripts, strict=True)]
    waited = [customer.awaits(text) for customer, text in zip(customers, texts, strict=True)]
    for customer, text in zip(customers, texts, strict=True):
        customer.has_one_answer_to(text)
        tries = customer.decisions.count("retry")
        assert tries >= retries, f"the turn was tried again {tries} times: {customer.decisions}"
    return f"{len(customers)} customers, {retries} errors each, one reply each within {sum(waited):.0f} s"


def a_key_that_is_refused(scene: Scene) -> str:
    """The model refuses our key for two minutes: whoever wrote is answered once it is mended."""
    mended = threading.Event()
    refused = Script(model=until(mended, KEY_REFUSED))
    early, later, last = customers = [scene.customer() for _ in range(3)]
    texts = [(early, early.writes(refused))]
    pause(50)
    texts += [(early, early.writes(refused)), (later, later.writes(refused))]
    pause(65)
    texts += [(last, last.writes(refused))]
    pause(5)
    mended.set()
    waited = [customer.awaits(text, within_seconds=75) for customer, text in texts]
    for customer, text in texts:
        customer.has_one_answer_to(text)
        assert "model_refused_us" in customer.decisions, customer.decisions
    return f"{len(texts)} texts of {len(customers)} customers, all answered {sum(waited):.0f} s after it was mended"


def after_a_fallback(scene: Scene) -> str:
    """A bug in a tool costs one message its answer; the next one is answered."""
    customer, mended = scene.customer(), threading.Event()
    customer.writes(
        Script(tool="order_state", shop=until(mended, UNEXPECTED))
    )  # the tool may ask again, on a slow machine
    wait_until(lambda: "fell_back" in customer.decisions, what="the fallback sentence")
    mended.set()
    text = customer.writes()
    customer.awaits(text)
    customer.has_one_answer_to(text)
    assert customer.reads()[0] == _fallback(scene.stage), "the customer reads no fallback sentence"
    return "the fallback sentence, then an answer"


def a_late_message(scene: Scene, *, minutes: float) -> str:
    """A message comes so late that it is too old: nobody reads an answer to it, and the next one is answered."""
    alone, together = customers = scene.known_customers(2)
    with ExitStack() as on:
        for customer in customers:  # else the sweeper would find the message in time
            on.enter_context(scene.stage.twilio_is_away(customer.sid, method="GET", kind="answer", code=20503))
        late = alone.writes(webhook={"kind": "delay_webhook", "seconds": 60 * minutes + 5})
        hidden = together.writes(webhook=LOST)
        longest = minutes * 60 + BUSY_MACHINE_SECONDS
        wait_until(lambda: "refused" in alone.decisions, within_seconds=longest, what="the late message")
    fresh = [customer.writes() for customer in customers]
    for customer, text in zip(customers, fresh, strict=True):
        customer.awaits(text)
        customer.has_one_answer_to(text)
    assert not alone.answers(late), "a message that is too old was answered"
    return (
        f"the late one told to the humans, the fresh one answered; {len(together.answers(hidden))} with the fresh one"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """How somebody on our side writes in a conversation, and whether that is a takeover."""

    how: str
    write: Callable[[Stage, Customer], None]
    silences: bool = True


def over_rest(stage: Stage, customer: Customer, *, author: str, takes_part: bool, with_webhook: bool) -> None:
    """Write over REST, as a desk does; without an author Twilio writes `system`."""
    form = {"Author": author} if author else {}
    if takes_part:
        stage.rest(f"{customer.sid}/Participants", with_webhook=with_webhook, Identity=author)
    stage.rest(f"{customer.sid}/Messages", with_webhook=with_webhook, Body="I take this", **form)


def from_their_phone(stage: Stage, customer: Customer, *, webhook: Mapping[str, object] | None) -> None:
    """Write from a phone of HumanAddresses, as people behind a masked number do."""
    phone = stage.phone(f"{HUMAN_NUMBERS}{customer.phone.address[-2:]}")
    binding = {"MessagingBinding.Address": phone.address, "MessagingBinding.ProxyAddress": phone.to}
    stage.rest(f"{customer.sid}/Participants", with_webhook=True, **binding)
    assert stage.text(phone, "I take this", webhook=webhook) == customer.sid, "another conversation"


def while_the_assistant_thinks(stage: Stage, customer: Customer) -> None:
    """Write over REST, without a webhook, below the reply that comes."""
    begun, end = threading.Event(), threading.Event()
    text = customer.writes(Script(model=busy_until(end, begun=begun)))
    wait_until(begun.is_set, what="the model to be asked")
    over_rest(stage, customer, author="joe", takes_part=False, with_webhook=False)
    end.set()
    customer.awaits(text)


def _word_over_rest(*, author: str, takes_part: bool = False, with_webhook: bool, silences: bool = True) -> Word:
    return Word(
        how=f"{author or 'nobody'}, participant: {takes_part}, webhook: {with_webhook}",
        write=partial(over_rest, author=author, takes_part=takes_part, with_webhook=with_webhook),
        silences=silences,
    )


WORDS = (
    _word_over_rest(author="joe", takes_part=True, with_webhook=True),
    _word_over_rest(author="joe", takes_part=True, with_webhook=False),
    _word_over_rest(author="joe", takes_part=False, with_webhook=True),
    _word_over_rest(author="joe", takes_part=False, with_webhook=False),
    Word(how="joe while the assistant thinks", write=while_the_assistant_thinks),
    Word(how="from their own phone", write=partial(from_their_phone, webhook=None)),
    Word(how="from their own phone, webhook lost", write=partial(from_their_phone, webhook=LOST)),
    _word_over_rest(author="system", with_webhook=True, silences=False),
    _word_over_rest(author="system", with_webhook=False, silences=False),
    _word_over_rest(author="", with_webhook=True, silences=False),
    _word_over_rest(author="", with_webhook=False, silences=False),
)


def humans_and_systems(scene: Scene) -> str:
    """After a human's word, however it came in, the assistant is silent; after a system's it is not."""
    customers = scene.known_customers(len(WORDS))
    for customer, word in zip(customers, WORDS, strict=True):
        if word.silences:
            scene.stage.checker.load.humans_wrote_in.add(customer.sid)
        word.write(scene.stage, customer)
    texts = [customer.writes() for customer in customers]
    for customer, text, word in zip(customers, texts, WORDS, strict=True):
        customer.awaits_the_end()
        owner = Owner.HUMAN if word.silences else Owner.ASSISTANT
        assert scene.stage.checker.item(customer.sid).owner is owner, f"{word.how}: the {owner} is not the owner"
        assert len(customer.answers(text)) == (not word.silences), f"{word.how}: {customer.reads()}"
    silent = sum(word.silences for word in WORDS)
    return f"silent after {silent} humans' words, not after {len(WORDS) - silent} of systems"


def a_webhook_lost_in_mid_thought(scene: Scene) -> str:
    """What came while the model thought, and of which nobody told us, is answered with the next message, in order."""
    (customer,) = scene.known_customers(1)
    begun, end = threading.Event(), threading.Event()
    before = customer.writes(Script(model=busy_until(end, begun=begun)))
    wait_until(begun.is_set, what="the model to be asked")
    lost = customer.writes(webhook=LOST)
    end.set()
    customer.awaits(before)
    after = customer.writes()
    customer.awaits(after)
    replies = customer.reads()[1:]
    assert replies == [f"{REPLY} {before}", f"{REPLY} {lost} {after}"], replies
    return "answered with the next text, in order"


def the_table_is_away(scene: Scene) -> str:
    """DynamoDB throttles every request for 30 s: everybody is answered, who had a turn open and who is new as well."""
    aws = scene.stage.aws
    (thinking, known), new = scene.known_customers(2), scene.customer()
    begun, end = threading.Event(), threading.Event()
    texts = [(thinking, thinking.writes(Script(model=busy_until(end, begun=begun))))]
    wait_until(begun.is_set, what="the model to be asked")
    aws.table_is_away = True
    end.set()
    texts += [(new, new.writes()), (known, known.writes())]
    pause(15)
    texts += [(known, known.writes())]
    pause(15)
    aws.table_is_away = False
    waited = [customer.awaits(text, within_seconds=60) for customer, text in texts]
    for customer, text in texts:
        customer.has_one_answer_to(text)
    return f"{len(texts)} texts of {len(scene.customers)} customers, all answered {sum(waited):.0f} s after the end"


def a_text_that_kills_its_process(scene: Scene) -> str:
    """Ten conversations are in one batch; one ends the process each time it is thought about. The nine are answered."""
    deadly, *others = [scene.customer() for _ in range(10)]
    with scene.stage.running.stack.without_batches("agent"):
        deadly.writes(Script(tool="exhaust_memory"))
        texts = [(customer, customer.writes(Script(model=slow(2)))) for customer in others]
        wait_until(lambda: scene.stage.running.queued() >= len(scene.customers), what="ten texts in the queue")
    waited = [customer.awaits(text, within_seconds=150) for customer, text in texts]
    for customer, text in texts:
        customer.has_one_answer_to(text)
    deadly.awaits_the_end(within_seconds=150)
    assert deadly.reads() == [_fallback(scene.stage)], deadly.reads()
    return f"{len(others)} customers answered within {sum(waited):.0f} s, the fallback sentence for the tenth"


def _fallback(stage: Stage) -> str:
    return stage.running.environment("AgentFunction")["FALLBACK_SENTENCE"]

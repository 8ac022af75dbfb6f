"""The storm: a burst of customers in bad weather, through this stack and through a plain handler, counted alike."""

import asyncio
import random
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from enum import StrEnum

from local.aws.execution_environment import FunctionSpec
from local.page.storm_sides import GREETING, ORDERS, Questions, Side, Text, new_customers
from local.page.storm_stack import Stack, Unfinished, broken_on_purpose, settle
from local.page.twin import Twin, TwinNotStarted, plain_twin
from twilio_emulator.faults.armed import Commit, Fault, FaultKind

TEXT, POST = "onMessageAdded", "POST */Messages"  # the webhook of a text, the request that sends a reply
WEATHER = {
    "webhooks lost": Fault(kind=FaultKind.DROP_WEBHOOK, rate=0.08, on=TEXT),
    "webhooks sent twice": Fault(kind=FaultKind.DUPLICATE_WEBHOOK, rate=0.08, on=TEXT),
    "webhooks 3 s late": Fault(kind=FaultKind.DELAY_WEBHOOK, rate=0.08, on=TEXT, seconds=3),
    "webhooks out of order": Fault(kind=FaultKind.REORDER_WEBHOOK, rate=0.08, on=TEXT, seconds=3),
    "replies refused with 429": Fault(kind=FaultKind.ANSWER, code=20429, rate=0.05, on=POST),
    "replies refused with 500": Fault(kind=FaultKind.ANSWER, code=20500, rate=0.03, on=POST),
    "replies taken, then 503": Fault(kind=FaultKind.ANSWER, code=20503, rate=0.03, on=POST, commit=Commit.FIRST),
    "replies taken, then no answer": Fault(kind=FaultKind.TIMEOUT, rate=0.02, on=POST, seconds=9, commit=Commit.FIRST),
}
TEXTS_PER_SECOND = 4
CLEARS_AFTER_SECONDS = 10  # after the last text; the weather is bad until then
FINISHES_AFTER_SECONDS = 20  # the plain handler has this long for what it began, also where we need less
LOOK_SECONDS = 0.2
# What is tried on the assistant, and for how many seconds. Only the offline model says what it looked up, word by word.
FIRST_QUESTIONS = ((ORDERS, 10), (GREETING, 60))
OFFLINE = "offline"


class Phase(StrEnum):
    """How far a storm is."""

    IDLE = "idle"
    PREPARING = "preparing"
    TEXTING = "texting"
    SETTLING = "settling"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class CannotCount(Exception):
    """The assistant answers nothing that could be counted."""


class CannotBegin(Exception):
    """A storm cannot begin now; the text says why."""


@dataclass(slots=True, kw_only=True)
class Course:
    """One storm: what it is to be, how far it is, and both sides. It begins empty."""

    messages: int = 0
    seed: int = 0
    phase: Phase = Phase.IDLE
    note: str = ""
    questions: Questions = ORDERS
    began: float = 0.0
    ended: float = 0.0
    is_settled: bool = True
    plain: Side | None = None
    switchboard: Side | None = None

    @property
    def customers(self) -> int:
        """How many customers write."""
        return -(-self.messages // len(self.questions.texts))

    @property
    def seconds(self) -> int:
        """How long it has taken so far."""
        return round((self.ended or time.monotonic()) - self.began) if self.began else 0


@dataclass(slots=True, kw_only=True)
class Storm:
    """Runs one storm at a time, in the event loop that serves the stack's emulator."""

    stack: Stack
    course: Course = field(default_factory=Course)
    twin: Callable[[FunctionSpec], AbstractAsyncContextManager[Twin]] = plain_twin
    _task: asyncio.Task[None] | None = None

    async def start(self, *, messages: int, seed: int | None = None) -> None:
        """Begin a storm; the same seed lets the same webhooks fail. Raise `CannotBegin` where that is impossible."""
        broken = await broken_on_purpose(self.stack)
        if self._task is not None and not self._task.done():
            raise CannotBegin("A storm is under way: stop it first.")
        if not self.stack.uses_emulator:
            raise CannotBegin("The functions use another Twilio than the emulator of this stack: no storm there.")
        if broken:
            raise CannotBegin(f"One side only would meet {' and '.join(broken)}: end that in “Break it” first.")
        self.course = Course(
            messages=messages,
            seed=secrets.randbelow(1_000_000) if seed is None else seed,
            phase=Phase.PREPARING,
            note="The plain handler starts.",
            began=time.monotonic(),
        )
        self._task = asyncio.get_running_loop().create_task(self._run(self.course))

    async def stop(self) -> None:
        """End the storm, if there is one; the weather is good again after this.

        Whoever asks while it ends waits for that end: a second cancellation would cut it short.
        """
        if self._task is not None and not self._task.done():
            if not self._task.cancelling():
                self._task.cancel()
            await asyncio.wait({self._task})

    def close(self) -> None:
        """End the storm from another thread."""
        if self._task is not None and not self._task.done():
            asyncio.run_coroutine_threadsafe(self.stop(), self._task.get_loop()).result()

    async def _run(self, course: Course) -> None:
        try:
            async with self.twin(self.stack.functions["agent"].spec) as twin:
                await self._play(course, twin)
            course.phase, course.note = Phase.DONE, ""
        except asyncio.CancelledError:
            course.phase, course.note = Phase.STOPPED, "The storm was stopped: nothing is counted."
            raise
        except TwinNotStarted as error:
            course.phase, course.note = Phase.FAILED, f"The plain handler cannot start: {error}"
        except CannotCount as error:
            course.phase, course.note = Phase.FAILED, str(error)
        except Exception as error:  # noqa: BLE001 -- whoever started it reads it on the page
            course.phase, course.note = Phase.FAILED, f"The storm failed: {type(error).__name__}: {error}"
        finally:
            course.ended = time.monotonic()

    async def _play(self, course: Course, twin: Twin) -> None:
        fallback = self.stack.environments["AgentFunction"]["FALLBACK_SENTENCE"]
        course.plain = Side(emulator=twin.emulator)
        course.switchboard = ours = Side(emulator=self.stack.emulator, apologies=frozenset({fallback}))
        both = (course.plain, ours)
        chance = random.Random(course.seed)  # noqa: S311 -- repeatable, not secret
        course.note = "A first customer asks both."
        course.questions = await self._questions(both, chance)
        texts = self._texts(course, both, chance)
        try:
            for side in both:
                side.arm([replace(fault, seed=course.seed + n) for n, fault in enumerate(WEATHER.values())])
            course.phase = Phase.TEXTING
            await self._text(course, texts, twin)
            course.phase = Phase.SETTLING
            course.note = "The last texts are under way; the weather clears in a few seconds."
            await asyncio.sleep(CLEARS_AFTER_SECONDS)
        finally:
            for side in both:
                side.disarm()
        await asyncio.sleep(FINISHES_AFTER_SECONDS - CLEARS_AFTER_SECONDS)

        def tell(left: Unfinished) -> None:
            course.note = f"Switchboard finishes: {left}."

        course.is_settled = await settle(self.stack, ours.sent, tell=tell)

    async def _questions(self, both: Sequence[Side], chance: random.Random) -> Questions:
        """Return what can be counted with this assistant: one customer of each side has tried it."""
        is_offline = self.stack.environments["AgentFunction"]["ASSISTANT_MODEL"] == OFFLINE
        for questions, seconds in FIRST_QUESTIONS[0 if is_offline else 1 :]:
            [(customer, to)] = new_customers(1, chance=chance, besides=[side.emulator for side in both])
            sent = [(side, await side.send(text)) for text in questions.of(customer, to) for side in both]
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                if all(side.answers(each) for side, each in sent):
                    return questions
                await asyncio.sleep(LOOK_SECONDS)
        raise CannotCount("This assistant did not answer a first text on both sides: nothing can be counted with it.")

    def _texts(self, course: Course, both: Sequence[Side], chance: random.Random) -> list[Text]:
        """Return all texts in the order in which they are written; a customer's own texts keep theirs."""
        customers = new_customers(course.customers, chance=chance, besides=[side.emulator for side in both])
        written = {customer: iter(course.questions.of(customer, to)) for customer, to in customers}
        order = [customer for customer in written for _ in course.questions.texts]
        chance.shuffle(order)
        return [next(written[customer]) for customer in order]

    async def _text(self, course: Course, texts: Sequence[Text], twin: Twin) -> None:
        """Send each text on both sides at once; half-way, the processes of both are killed."""
        for number, text in enumerate(texts):
            for side in filter(None, (course.plain, course.switchboard)):
                side.sent.append(await side.send(text))
            if number == len(texts) // 2:
                await asyncio.gather(asyncio.to_thread(self.stack.kill, "agent"), asyncio.to_thread(twin.kill))
            course.note = f"{number + 1} of {len(texts)} texts are sent."
            await asyncio.sleep(1 / TEXTS_PER_SECOND)

"""A process: it receives a batch, plans it as it is deployed, and its workers take the turns side by side.

Each worker is a greenlet, whose calls of the ports give control back to the schedule. When the process dies, all of its
workers die.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from greenlet import greenlet

from switchboard.aws.sqs.batch_plan import BatchPlan, plan_batch, put_off
from switchboard.aws.sqs.queue import backoff_seconds
from switchboard.conversation import Conversation
from switchboard.errors import Permanent, Transient
from switchboard.notices import Notice
from switchboard.owner_updates import OwnerUpdates
from switchboard.publisher import Publisher
from switchboard.turn.context import TurnPorts
from switchboard.turn.result import TurnResult
from switchboard.turn.take_turn import take_turn
from tests.builders import SECRET, turn_settings
from tests.simulation.invariants import DISCLOSURE, FALLBACK
from tests.simulation.models import ANSWER_WITHIN, MAX_ATTEMPTS, MAX_EVENT_AGE, SHORT_MEMORY, Receipt
from tests.simulation.ports import Crash, Ports, Worker

if TYPE_CHECKING:
    from tests.simulation.world import World

LEASE = timedelta(seconds=60)

type Job = Callable[[Worker], None]


@dataclass(slots=True, eq=False, kw_only=True)
class Process:
    """One invocation of the agent function; `received` are the records of its batch, by conversation."""

    world: "World"
    number: int
    received: Mapping[str, Sequence[Receipt]]
    lease_until: datetime = field(init=False)
    workers: list[Worker] = field(default_factory=list)
    is_dead: bool = False
    _jobs: Iterator[Sequence[Job]] = field(init=False)

    def __post_init__(self) -> None:
        self.lease_until = self.world.clock() + LEASE
        self._jobs = self._plan()

    def start(self) -> None:
        """Begin with the first jobs."""
        self._go_on_if_all_have_ended()

    def let_go_on(self, worker: Worker) -> None:
        """Let a worker make its next call; start the next jobs when all have ended."""
        self._switch(worker)
        self._go_on_if_all_have_ended()

    def die(self) -> None:
        """End every worker where it is."""
        self.world.processes.remove(self)
        workers, self.workers = self.workers, []
        self.world.charges.dead_leases |= {worker.claimed.lease_token for worker in workers if worker.claimed}
        for worker in workers:
            if not worker.thread.dead:
                worker.thread.throw(Crash)

    def note_kill(self, worker: Worker) -> None:
        """Keep whom else it charges that a worker's question kills the process."""
        assert worker.claimed is not None
        charges = self.world.charges
        charges.kills[worker.claimed.sid] += 1
        self.world.trace.append(f"  {worker.number}: poison kills process {self.number}")
        if worker.took_a_suspect and self.world.clock() < self.lease_until:
            leases = {each.claimed.sid: each.claimed.lease_token for each in self.workers if each.claimed}
            charged = {sid for sid, token in leases.items() if self.world.item(sid).lease_token == token}
            charges.beside_a_suspect |= charged - {worker.claimed.sid}

    def _go_on_if_all_have_ended(self) -> None:
        while not self.workers and self in self.world.processes:
            jobs = next(self._jobs, None)
            if jobs is None:
                self.world.processes.remove(self)
                return
            for job in jobs:
                worker = Worker(next(self.world.numbers), self, greenlet(self._run))
                self.workers.append(worker)
                self._switch(worker, worker, job)
                if self not in self.world.processes:
                    return

    def _switch(self, worker: Worker, *arguments: object) -> None:
        worker.thread.switch(*arguments)
        if self.is_dead:
            self.die()
        elif worker.thread.dead:
            self.workers.remove(worker)

    def _run(self, worker: Worker, job: Job) -> None:
        try:
            job(worker)
        except Crash:  # whichever worker it is of
            self.is_dead = True

    # ── the jobs, as MessagesBatch has them ───────────────────────────────────────────────────────────────────────────

    def _plan(self) -> Iterator[Sequence[Job]]:
        """Yield the jobs that run side by side: first the reads, then the turns together, then the one that waited."""
        seen: dict[str, Conversation] = {}
        failed: set[str] = set()
        before = [sid for sid, receipts in self.received.items() if any(receipt.number > 1 for receipt in receipts)]
        yield [self._read(sid, seen, failed) for sid in before]
        plan = plan_batch(
            [sid for sid in self.received if sid not in failed],
            seen,
            now=self.world.clock(),
            lease_until=self.lease_until,
        )
        for sid, result in plan.returned.items():
            self._settle(sid, result)
        yield [self._turn(sid, plan.done_by) for sid in plan.together]
        if plan.last:
            yield [self._last(plan, plan.last)]

    def _read(self, sid: str, seen: dict[str, Conversation], failed: set[str]) -> Job:
        def job(worker: Worker) -> None:
            try:
                seen[sid] = Ports(self.world, worker).read_unclaimed(sid)
            except Transient:
                failed.add(sid)
                self._settle(sid, self._failed(sid))

        return job

    def _last(self, plan: BatchPlan, suspect: Conversation) -> Job:
        if self.world.clock() <= plan.done_by:
            return self._turn(suspect.sid, self.lease_until)

        def job(worker: Worker) -> None:
            try:
                Ports(self.world, worker).let_go_first(suspect)
            except Transient:
                self.world.trace.append("  it is not marked")
            self._settle(suspect.sid, put_off("no time"))

        return job

    def _turn(self, sid: str, done_by: datetime) -> Job:
        def job(worker: Worker) -> None:
            ports = Ports(self.world, worker)
            try:
                result = take_turn(
                    [receipt.message for receipt in self.received[sid]],
                    lease_until=self.lease_until,
                    done_by=done_by,
                    ports=TurnPorts(
                        agent=ports,
                        conversations=ports,
                        takeovers=ports,
                        budgets=ports,
                        messenger=ports,
                        dead_letters=ports,
                        clock=self.world.clock,
                        customer_secret=SECRET,
                    ),
                    settings=turn_settings(
                        disclosure=DISCLOSURE,
                        fallback_sentence=FALLBACK,
                        budget=self.world.budget,
                        answer_within=ANSWER_WITHIN,
                        max_attempts=MAX_ATTEMPTS,
                        max_event_age=MAX_EVENT_AGE,
                        memory=SHORT_MEMORY,
                        turns_per_ten_minutes=self.world.turns_per_ten_minutes or 100,
                    ),
                    new_id=lambda: f"id{next(self.world.numbers)}",
                )
            except Transient:
                result = self._failed(sid)
            self._settle(sid, result)
            if result.notice:
                self._publish(ports, result.notice)
            if result.owner_changed:
                self._show_owner(ports, sid)

        return job

    def _show_owner(self, ports: Ports, sid: str) -> None:
        updates = OwnerUpdates(changes=ports, owners=ports, attribute=ports, clock=self.world.clock)
        try:
            updates.show_of([sid], self.world.clock() + timedelta(minutes=1))
        except (Transient, Permanent) as error:
            self.world.trace.append(f"  showing the owner failed: {type(error).__name__}")

    def _publish(self, ports: Ports, notice: Notice) -> None:
        try:
            Publisher(notices=ports, bus=ports, clock=self.world.clock).publish([notice])
        except Transient:
            self.world.trace.append("  publishing failed")
        else:
            self.world.happened[f"told: {notice.type} {notice.reason}"] += 1

    def _failed(self, sid: str) -> TurnResult:
        receipts = self.received[sid]
        deliveries = max(receipt.number for receipt in receipts)
        seconds = backoff_seconds(receipts[0].message.message_sid, deliveries=deliveries)
        return TurnResult(outcome="failed", retry_after_seconds=seconds)

    def _settle(self, sid: str, result: TurnResult) -> None:
        what = f"{result.outcome} {result.cause} +{result.retry_after_seconds}s"
        self.world.trace.append(f"process {self.number}, {sid[-1]}: {what}")
        self.world.happened[f"turn: {result.outcome}"] += 1
        self.world.queue.settle(self.received[sid], result.acknowledged, result.retry_after_seconds)

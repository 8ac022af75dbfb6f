"""The proofs as commands: `python -m tests.simulation exhaustive`, `… schedules`, `… mutants`, `… for-real`."""
# ruff: noqa: T201 -- commands print

import itertools
import math
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Annotated, NamedTuple

import typer

from switchboard.budgets import Budget
from tests.simulation.exhaustive import Plan, explore
from tests.simulation.habits import AUTORESPONSE, MENU, REACTION
from tests.simulation.invariants import LIMIT
from tests.simulation.mutants import MUTANTS
from tests.simulation.mutants.trial import check_unbroken, last_noticed_by, noticed_by, record, unbroken_copy
from tests.simulation.real_outages import play_outages
from tests.simulation.real_stack import prove
from tests.simulation.world import World

app = typer.Typer(add_completion=False, no_args_is_help=True)


class Scope(NamedTuple):
    """The plans of one row of the table."""

    messages: int
    parts: int = 1  # of the reply
    events: int = 2
    crashes: int = 2  # among the events
    turns: int = 1000  # a day's budget
    attempts: int = 3  # workers that may die over a turn
    customer: str = "-"  # how they answer our replies
    is_broken: bool = False  # until every message has failed; then its dead letter is redriven
    effects: str = "-"  # what the tools change in each turn
    consent: bool = False  # the customer opts out, and in again
    file: bool = False  # each answer brings one of the folder
    url: bool = False  # each answer brings a file of another host


CUSTOMERS = {
    "-": (),
    "machine": (AUTORESPONSE,) * 6,  # the same text again and again, with a running number
    "menu": (MENU,) * 5,  # a short text
    "reacts": (REACTION,) * 2,
}
EFFECTS = {"-": (), "unchecked": (False,), "checked": (True,), "both": (False, True)}  # whether the tool has a check
SCOPES = (
    Scope(1, events=3),
    Scope(1, attempts=1),
    Scope(1, parts=2),
    Scope(2),
    Scope(2, turns=1),
    Scope(3),
    Scope(1, events=1, customer="machine"),
    Scope(1, events=1, customer="menu"),
    Scope(1, customer="reacts"),
    Scope(1, is_broken=True),
    Scope(2, is_broken=True),
    Scope(1, effects="unchecked"),
    Scope(1, effects="checked"),
    Scope(1, crashes=1, effects="both"),
    Scope(1, consent=True),
    Scope(1, parts=2, crashes=1, consent=True),
    Scope(2, crashes=1, consent=True),
    Scope(1, file=True),
    Scope(1, crashes=1, url=True),
)
QUICK_SCOPES = (
    Scope(1),
    Scope(1, attempts=1),
    Scope(1, parts=2, crashes=1),
    Scope(2, crashes=1),
    Scope(2, crashes=1, turns=1),
    Scope(3, events=1, crashes=1),
    Scope(1, events=1, customer="machine"),
    Scope(1, events=1, customer="menu"),
    Scope(1, events=1, customer="reacts"),
    Scope(1, events=1, crashes=1, is_broken=True),
    Scope(2, events=1, crashes=1, is_broken=True),
    Scope(1, events=1, effects="unchecked"),
    Scope(1, events=1, effects="both"),
    Scope(1, events=1, crashes=1, consent=True),
    Scope(1, crashes=1, file=True),
    Scope(1, crashes=1, url=True),
)


@app.command()
def exhaustive(*, quick: bool = False) -> None:
    """Run every plan of each scope, and print the table."""
    columns = (
        "messages  parts  events  crashes  budget  attempts  customer  broken  effects    consent  file   url    orders"
    )
    print(f"{columns}    plans  violations  seconds")
    scopes = QUICK_SCOPES if quick else SCOPES
    violations: list[str] = []
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as processes:
        for scope, (plans, found, seconds) in zip(scopes, processes.map(explore_scope, scopes), strict=True):
            orders = math.factorial(scope.messages)
            plan_limits = f"{scope.messages:8}  {scope.parts:5}  {scope.events:6}  {scope.crashes:7}"
            settings = (
                f"{scope.turns:6}  {scope.attempts:8}  {scope.customer:8}  {scope.is_broken!s:6}  {scope.effects:9}"
                f"  {scope.consent!s:7}  {scope.file!s:5}  {scope.url!s:5}"
            )
            print(f"{plan_limits}  {settings}  {orders:6}  {plans:7}  {len(found):10}  {seconds:7.1f}")
            violations += found
    for violation in violations[:10]:
        print(violation, file=sys.stderr)
    raise typer.Exit(1 if violations else 0)


def explore_scope(scope: Scope) -> tuple[int, list[str], float]:
    """Return how many plans a scope has, the violations among them, and how long they took."""
    started = time.monotonic()
    plans, found = 0, []
    for order in itertools.permutations(range(scope.messages)):
        for plan, ended in explore(
            messages=scope.messages,
            order=order,
            parts=scope.parts,
            events=scope.events,
            crashes=scope.crashes,
            max_attempts=scope.attempts,
            is_broken=scope.is_broken,
            budget=Budget(turns_by_customer=scope.turns, turns_by_all=scope.turns, sentence=LIMIT),
            habits=CUSTOMERS[scope.customer],
            checked=EFFECTS[scope.effects],
            speaks_of_consent=scope.consent,
            sends_file=scope.file,
            sends_url=scope.url,
        ):
            plans += 1
            if isinstance(ended, AssertionError):
                found.append(_violation(scope, order, plan, ended))
    return plans, found, time.monotonic() - started


def _violation(scope: Scope, order: tuple[int, ...], plan: Plan, error: AssertionError) -> str:
    return f"{error} · {scope} · webhooks {order} · plan {plan}"


@app.command()
def schedules(
    *,
    seeds: Annotated[int, typer.Option(help="how many schedules")] = 1000,
    first_seed: Annotated[int, typer.Option(help="the first one's seed")] = 0,
    window_faults: Annotated[bool, typer.Option(help="with late commits and lagging lists")] = False,
    show: Annotated[bool, typer.Option(help="print each step")] = False,
) -> None:
    """Run seeded schedules; print how to replay those that fail."""
    started = time.monotonic()
    share = -(-seeds // (os.cpu_count() or 1))
    starts = range(first_seed, first_seed + seeds, share)
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as processes:
        found = processes.map(
            run_schedules,
            starts,
            (min(share, first_seed + seeds - start) for start in starts),
            itertools.repeat(window_faults),
            itertools.repeat(show),
        )
        failures, happened = [], Counter[str]()
        for failed, counts in found:
            failures += failed
            happened += counts
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout  # noqa: S607
    for seed, why in failures[:10]:
        more = " --window-faults" if window_faults else ""
        print(f"seed {seed} at commit {commit.strip()}: {why}")
        print(f"  replay: make simulate SEEDS=1 FIRST_SEED={seed} FLAGS='--show{more}'")
    took = time.monotonic() - started
    print(", ".join(f"{what} {times}" for what, times in sorted(happened.items())))
    print(f"{seeds} schedules from seed {first_seed}, {len(failures)} failed, {took:.1f} s")
    print(Counter(why for _, why in failures).most_common(5) or "every invariant held")
    raise typer.Exit(1 if failures else 0)


def run_schedules(
    first: int,
    count: int,
    window_faults: bool,  # noqa: FBT001 -- mapped
    show: bool,  # noqa: FBT001 -- mapped
) -> tuple[list[tuple[int, str]], Counter[str]]:
    """Run schedules. Return the seeds that failed, with why, and how often what happened in all of them."""
    failures, happened = [], Counter[str]()
    for seed in range(first, first + count):
        world = World(seed=seed, window_faults=window_faults)
        try:
            world.run()
        except AssertionError as error:
            failures.append((seed, str(error)))
        happened += world.happened
        happened["gap closed after a day"] += world.store.closed_gaps
        if show:
            print("\n".join(world.trace))
    return failures, happened


@app.command(name="for-real")
def for_real(
    *,
    customers: Annotated[int, typer.Option(help="how many, each with a conversation")] = 60,
    texts: Annotated[int, typer.Option(help="from each customer")] = 9,
    seconds: Annotated[float, typer.Option(help="over which they are spread")] = 90,
    seed: Annotated[int, typer.Option(help="of the faults and of the load")] = 0,
) -> None:
    """Run the whole local stack under load, with faults and with processes killed, and check what arrived.

    Once the load is over, and what is left of it waits, suppliers are away for minutes, on stacks of their own.
    """
    load_is_over = threading.Event()
    with ThreadPoolExecutor() as threads:
        proof = threads.submit(
            prove, customers=customers, texts=texts, seconds=seconds, seed=seed, load_is_over=load_is_over
        )
        load_is_over.wait()
        played = play_outages()
        report = proof.result()
    print(f"{report.texts} texts in {report.conversations} conversations, {report.replies} replies,", end=" ")
    print(f"{report.dead_letters} dead letters, {report.kills} processes killed, {report.seconds:.0f} s")
    print("faults     ", ", ".join(f"{name} {times}" for name, times in report.struck.most_common()))
    print("decisions  ", ", ".join(f"{name} {times}" for name, times in report.decisions.most_common()))
    for each in played:
        print(f"scenario    {each.scenario}: {each.seen or 'violated'}, {each.seconds:.0f} s")
    violations = report.violations + [f"{each.scenario}: {why}" for each in played for why in each.violations]
    print("\n".join(violations) or "every invariant held")
    raise typer.Exit(1 if violations else 0)


@app.command()
def mutants() -> None:
    """Break the shipped code, one rule at a time, and print which test notices first.

    The test that noticed a mutant the last time is tried first; `noticed.json` is written again.
    """
    before, noticed = last_noticed_by(), dict[str, str]()
    with unbroken_copy() as unbroken, ThreadPoolExecutor(max_workers=os.cpu_count()) as threads:
        tried = threads.map(lambda each: noticed_by(each, unbroken=unbroken, first=before.get(each.name, "")), MUTANTS)
        for mutant, test in zip(MUTANTS, tried, strict=True):
            print(f"noticed    {mutant} · {test}" if test else f"SURVIVED   {mutant}", flush=True)
            noticed |= {mutant.name: test} if test else {}
        check_unbroken(unbroken, noticed.values())
    record(noticed)
    survived = len(MUTANTS) - len(noticed)
    print(f"{len(MUTANTS)} mutants, {survived} survived")
    raise typer.Exit(1 if survived else 0)


if __name__ == "__main__":
    app()

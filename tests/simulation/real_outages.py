"""Bad minutes on the real stack: which scenarios run on which stack, and whether they broke a promise.

Where an outage is longer than a run of `for-real` may take, its stack has shorter settings, and waits that are ten
times shorter.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from tests.simulation.real_habits import (
    a_machine_that_answers,
    forty_texts_at_once,
    reactions,
    what_a_human_hands_back,
)
from tests.simulation.real_scenarios import (
    a_few_errors,
    a_key_that_is_refused,
    a_late_message,
    a_text_that_kills_its_process,
    a_webhook_lost_in_mid_thought,
    after_a_fallback,
    an_hour_without_a_model,
    humans_and_systems,
    server_errors,
    the_table_is_away,
    too_many_requests,
)
from tests.simulation.real_stack import CHANGES, Report, read_dead_letters
from tests.simulation.real_stage import HUMAN_NUMBERS, SPEEDUP, Scene, stage
from tests.simulation.scripts import EMPTY, NO_CAPACITY, RESET, THROTTLED, TIME_OUT, UNAVAILABLE, Script, first
from tests.waiting import wait_until

SETTLES_WITHIN_SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What happens. `play` returns what was seen, and raises AssertionError where a promise was broken."""

    name: str
    play: Callable[[Scene], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """Scenarios that share a stack, side by side."""

    scenarios: Sequence[Scenario]
    environment: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[tuple[str, str], object] = field(default_factory=dict)
    is_faster: bool = False


@dataclass(slots=True, kw_only=True)
class Played:
    """A scenario that was played."""

    scenario: str
    seen: str
    seconds: float
    violations: list[str]


AS_DEPLOYED = Programme(
    environment={"HUMAN_ADDRESSES": rf"(whatsapp:)?\{HUMAN_NUMBERS}\d\d"},
    scenarios=(
        Scenario(name="Twilio answers 429 for 62 s", play=too_many_requests),
        Scenario(name="Twilio answers 500 for 80 s", play=partial(server_errors, seconds=80, within_seconds=90)),
        Scenario(
            name="the model fails three times",
            play=partial(
                a_few_errors,
                retries=3,
                scripts=[
                    lambda: Script(model=first(3, THROTTLED)),
                    lambda: Script(model=first(3, NO_CAPACITY)),
                    lambda: Script(model=first(3, RESET)),
                ],
            ),
        ),
        Scenario(name="the model refuses our key for 120 s", play=a_key_that_is_refused),
        Scenario(
            name="a tool's shop is away twice",
            play=partial(
                a_few_errors,
                retries=2,
                scripts=[
                    lambda: Script(tool="order_state", shop=first(2, TIME_OUT)),
                    lambda: Script(tool="order_state", shop=first(2, UNAVAILABLE)),
                    lambda: Script(tool="order_state", shop=first(2, RESET)),
                ],
            ),
        ),
        Scenario(
            name="the model answers nothing",  # pydantic-ai asks again at once, once a run
            play=partial(a_few_errors, retries=2, scripts=[lambda: Script(model=first(4, EMPTY))]),
        ),
        Scenario(name="after a fallback", play=after_a_fallback),
        Scenario(name="humans and systems write", play=humans_and_systems),
        Scenario(name="a webhook lost in mid-thought", play=a_webhook_lost_in_mid_thought),
    ),
)
FASTER = Programme(
    environment={"ANSWER_WITHIN_MINUTES": "1", "MAX_EVENT_AGE_MINUTES": "2"},
    changes=CHANGES,
    is_faster=True,
    scenarios=(
        Scenario(
            name="Twilio answers 500 for 11 minutes",
            play=partial(server_errors, seconds=11 * 60 / SPEEDUP, within_seconds=6 * 60 / SPEEDUP),
        ),
        Scenario(name="an hour without a model", play=an_hour_without_a_model),
        Scenario(name="a message 61 minutes late", play=partial(a_late_message, minutes=2)),
    ),
)
WITHOUT_TABLE = Programme(
    changes=CHANGES, scenarios=(Scenario(name="DynamoDB throttles for 30 s", play=the_table_is_away),)
)
CRASHING = Programme(
    changes={("AgentFunction", "Timeout"): 30, ("MessagesQueue", "VisibilityTimeout"): 31},
    scenarios=(Scenario(name="a text that kills its process", play=a_text_that_kills_its_process),),
)
HABITS = Programme(
    scenarios=(
        Scenario(name="a machine answers each reply", play=a_machine_that_answers),
        Scenario(name="reactions", play=reactions),
        Scenario(name="a human hands back what they left", play=what_a_human_hands_back),
    ),
)
ALONE = Programme(  # so that a batch is of one conversation
    scenarios=(Scenario(name="forty texts at once", play=forty_texts_at_once),)
)
PROGRAMMES = (AS_DEPLOYED, FASTER, WITHOUT_TABLE, CRASHING, HABITS, ALONE)


def play_outages(programmes: Sequence[Programme] = PROGRAMMES) -> list[Played]:
    """Play every scenario, all at the same time."""
    with ThreadPoolExecutor(max_workers=len(programmes)) as threads:
        return [played for several in threads.map(_play_programme, programmes) for played in several]


def _play_programme(programme: Programme) -> list[Played]:
    """Play scenarios on a stack of their own. Once nothing is left to do, check the invariants of each conversation."""
    report = Report()
    with (
        stage(
            environment=programme.environment, changes=programme.changes, is_faster=programme.is_faster, report=report
        ) as on,
        ThreadPoolExecutor(max_workers=len(programme.scenarios)) as threads,
    ):
        scenes = [Scene(stage=on) for _ in programme.scenarios]
        played = list(threads.map(_play, programme.scenarios, scenes))
        sids = [[customer.sid for customer in scene.customers] for scene in scenes]
        try:
            is_idle = partial(on.checker.is_idle, [sid for several in sids for sid in several])
            wait_until(
                is_idle, within_seconds=SETTLES_WITHIN_SECONDS, what="every message to be handled", pause_seconds=1
            )
        except AssertionError as error:
            report.violations.append(str(error))
        dead_letters = list(read_dead_letters(on.running.stack))
        for each, of_scene in zip(played, sids, strict=True):
            each.violations += on.checker.violations(of_scene, dead_letters)
    played[0].violations += report.violations
    return played


def _play(scenario: Scenario, scene: Scene) -> Played:
    began, seen, violations = time.monotonic(), "", list[str]()
    try:
        seen = scenario.play(scene)
    except AssertionError as error:
        violations.append(str(error))
    return Played(scenario=scenario.name, seen=seen, seconds=time.monotonic() - began, violations=violations)

"""No test speaks to a real model, none is timed, and those that take minutes begin first."""

from pathlib import Path

import pydantic_ai.models
import pytest
from hypothesis import HealthCheck, settings

pydantic_ai.models.ALLOW_MODEL_REQUESTS = False
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

TESTS = Path(__file__).parent
# Else one process would run them long after the others ended. The first one builds what other files wait for.
LONGEST = (
    "e2e/test_build.py",
    "functional/test_crashes.py",
    "page/test_breaking.py",
    "functional/test_breaking.py",
    "page/test_storm.py",
    "functional/local/test_storm.py",
    "page/test_behind.py",
    "simulation/test_plans.py",
    "emulator/test_random_sequences.py",
    "simulation/test_schedules.py",
    "functional/test_restart.py",
    "functional/test_telling_people.py",
    "functional/test_rules.py",
    "functional/test_bursts.py",
    "simulation/test_mutants.py",
    "e2e/test_wheels.py",
    "e2e/test_sam_local_invoke.py",
    "e2e/test_deployment.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first."""
    places = {TESTS / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))

import pytest

from tests.unit.turn.harness import Harness


@pytest.fixture
def harness() -> Harness:
    return Harness()

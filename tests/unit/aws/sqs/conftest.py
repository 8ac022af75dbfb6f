import pytest

from tests.unit.aws.sqs.harness import Harness


@pytest.fixture
def harness() -> Harness:
    return Harness()

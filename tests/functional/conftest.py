from collections.abc import Iterator

import pytest

from tests.stacks import Running, running


@pytest.fixture(scope="session")
def stack() -> Iterator[Running]:
    """One running stack for all tests that only send texts: each uses phones of its own."""
    with running() as started:
        yield started

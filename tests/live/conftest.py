"""Each test runs against the emulator, and with TWILIO_LIVE=1 also against Twilio."""

from collections.abc import Iterator

import pytest

from tests.live.account import Account, emulated, live

ACCOUNTS = {"emulator": emulated, "twilio": live}


@pytest.fixture(scope="module", params=["emulator", pytest.param("twilio", marks=pytest.mark.live)])
def _account(request: pytest.FixtureRequest) -> Iterator[Account]:
    with ACCOUNTS[request.param]() as account:
        yield account


@pytest.fixture
def account(_account: Account) -> Iterator[Account]:
    """Yield the account. What a test creates in it is deleted, also where the test fails."""
    yield _account
    _account.clean_up()

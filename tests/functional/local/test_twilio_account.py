"""The Twilio account that the local stack uses, and where it finds Twilio."""

import pytest

from local.twilio_account import BUILT_IN, MissingCredentials, TwilioAccount, read_account, twilio_base_url

EMULATOR = "http://127.0.0.1:8081"
OWN = TwilioAccount(account_sid="AC" + "2" * 32, auth_token="t", service_sid="IS" + "2" * 32)


def test_without_variables_it_is_the_built_in_account() -> None:
    assert read_account({"TWILIO_AUTH_TOKEN": ""}) == BUILT_IN


def test_variables_replace_the_built_in_account() -> None:
    variables = {
        "TWILIO_ACCOUNT_SID": OWN.account_sid,
        "TWILIO_AUTH_TOKEN": OWN.auth_token,
        "TWILIO_CONVERSATIONS_SERVICE_SID": OWN.service_sid,
    }

    assert read_account(variables) == OWN


def test_no_token_shows_in_a_representation() -> None:
    assert "emulator-token" not in repr(BUILT_IN)


@pytest.mark.parametrize("account", [BUILT_IN, OWN])
def test_functions_use_the_emulator_by_default(account: TwilioAccount) -> None:
    assert twilio_base_url({}, emulator=EMULATOR, account=account) == EMULATOR


def test_functions_use_the_url_that_is_set() -> None:
    variables = {"TWILIO_BASE_URL": "http://127.0.0.1:9999/"}

    assert twilio_base_url(variables, emulator=EMULATOR, account=BUILT_IN) == "http://127.0.0.1:9999"


@pytest.mark.parametrize("url", ["https://twilio.com", "https://conversations.twilio.com"])
def test_functions_use_twilio_itself_with_an_account_of_ones_own(url: str) -> None:
    assert twilio_base_url({"TWILIO_BASE_URL": url}, emulator=EMULATOR, account=OWN) == ""


def test_twilio_itself_without_an_account_is_refused() -> None:
    with pytest.raises(MissingCredentials, match="TWILIO_ACCOUNT_SID"):
        twilio_base_url({"TWILIO_BASE_URL": "https://twilio.com"}, emulator=EMULATOR, account=BUILT_IN)

"""What a program gives a provider: what cannot be right is told at once, before anything is sent."""

import pytest

from switchboard import Provider
from switchboard.errors import Misconfigured, NotSent
from tests.emulator.emulator_server import ACCOUNT, SERVICE, TOKEN
from twilio_emulator.server import listen

CONVERSATION = "CH" + "0" * 31 + "1"


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8081", "http://127.0.0.1:port", "http://", "http://host/path", "ftp://host"]
)
def test_a_base_url_that_cannot_be_right_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(Misconfigured, match=r"base_url is .+: it must be http:// or https://, a host"):
        Provider(account_sid=ACCOUNT, auth_token=TOKEN, conversations_service_sid=SERVICE, base_url=url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8081", "http://localhost:8081/", "http://[::1]:8081", "https://twilio.example.com"]
)
def test_a_base_url_is_a_scheme_and_a_host(url: str) -> None:
    Provider(account_sid=ACCOUNT, auth_token=TOKEN, conversations_service_sid=SERVICE, base_url=url)


def test_a_port_that_is_not_a_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_PORT", "eight")

    with pytest.raises(Misconfigured, match=r"http://127\.0\.0\.1:eight"):
        Provider.local()


def test_where_no_emulator_listens_the_error_says_what_to_start() -> None:
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]

    with pytest.raises(NotSent, match=rf"127\.0\.0\.1:{port} could be made: start `twilio-emulator` or `make run`"):
        Provider.local(port).start()


def test_a_state_that_is_none_is_the_programs_error_and_not_twilios() -> None:
    with pytest.raises(ValueError, match="'open' is not a valid ConversationState"):
        Provider.local(port=1).update_state(CONVERSATION, "open")


def test_attributes_that_are_not_json_are_the_programs_error_and_not_twilios() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        Provider.local(port=1).set_attributes(CONVERSATION, {"order": object()})

from datetime import UTC, datetime, timedelta

import pytest

from tests.emulator.emulator_server import EmulatorServer, send_in_process
from twilio_emulator import Emulator


def test_the_clock_can_be_advanced_and_a_reset_undoes_it(twilio: EmulatorServer) -> None:
    def now() -> datetime:
        return datetime.fromisoformat(twilio.request("GET", "/_emulator/clock").json()["now"])

    before = now()
    twilio.advance_clock(days=3)

    assert timedelta(days=3) <= now() - before < timedelta(days=3, minutes=5)
    twilio.request("POST", "/_emulator/reset")
    assert now() - before < timedelta(minutes=5)


@pytest.mark.parametrize("order", ['{"advance_seconds": -1}', '{"advance_seconds": "1"}', "{}", "", "{"])
def test_the_clock_never_goes_back(twilio: EmulatorServer, order: str) -> None:
    answer = twilio.request("POST", "/_emulator/clock", data=order)

    assert (answer.status_code, answer.json()["code"]) == (400, 20422)


def test_the_clock_is_advanced_by_at_most_a_century(twilio: EmulatorServer) -> None:
    twilio.advance_clock(days=99 * 365)

    answer = twilio.request("POST", "/_emulator/clock", json={"advance_seconds": 2 * 365 * 86400})

    assert (answer.status_code, answer.json()["code"]) == (400, 20422)
    assert twilio.text("hi")["conversation_sid"]


def test_the_emulator_accepts_another_clock() -> None:
    emulator = Emulator(clock=lambda: datetime(2030, 1, 1, tzinfo=UTC))

    send_in_process(emulator)

    (conversation,) = emulator.backend.state.conversations.values()
    assert conversation.date_created == datetime(2030, 1, 1, tzinfo=UTC)

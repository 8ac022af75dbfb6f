from tests.emulator.emulator_server import EmulatorServer, send_in_process
from twilio_emulator import Emulator


def test_the_same_seed_gives_the_same_sids() -> None:
    first, second, other = (send_in_process(Emulator(seed=seed)) for seed in ("a", "a", "b"))

    assert first == second
    assert first != other


def test_without_a_seed_every_run_has_other_sids(twilio: EmulatorServer) -> None:
    before = twilio.text("hi")

    twilio.request("POST", "/_emulator/reset")

    assert twilio.text("hi") != before


def test_a_reset_deletes_the_state_and_accepts_a_seed(twilio: EmulatorServer) -> None:
    def first_text() -> dict[str, str]:
        twilio.request("POST", "/_emulator/reset", json={"seed": "demo"})
        return twilio.text("hi")

    assert first_text() == first_text()
    assert len(twilio.service.conversations.list()) == 1


def test_healthz_answers(twilio: EmulatorServer) -> None:
    assert twilio.request("GET", "/healthz").status_code == 200

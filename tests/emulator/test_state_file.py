import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from tests.emulator.emulator_server import send_in_process
from twilio_emulator import Emulator
from twilio_emulator.state_file import StateFile, StateFileNotSaved, StateFileUnusable


def test_a_state_file_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    before = send_in_process(Emulator(state_file=file))

    after = send_in_process(Emulator(state_file=file))

    assert after["conversation_sid"] == before["conversation_sid"]
    assert after["message_sid"] != before["message_sid"]


def test_an_advanced_clock_stays_advanced_after_a_restart(tmp_path: Path) -> None:
    before = Emulator(state_file=tmp_path / "state.json")
    before.advance_clock(timedelta(days=3))
    moved_to = before.clock()
    asyncio.run(before.aclose())

    assert Emulator(state_file=tmp_path / "state.json").clock() >= moved_to


@pytest.mark.parametrize(
    "content", [b"", b"{", b"{}", b'{"seed": "a"}', b"\xff", b'{"seed": "a", "clock_ahead": "-P1D"}', b"[" * 10_000]
)
def test_an_invalid_state_file_is_refused_and_not_changed(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "state.json"
    file.write_bytes(content)

    with pytest.raises(StateFileUnusable, match=r"state\.json"):
        Emulator(state_file=file)

    assert file.read_bytes() == content
    assert list(tmp_path.iterdir()) == [file]


def test_the_state_of_another_service_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    send_in_process(Emulator(state_file=file))

    with pytest.raises(StateFileUnusable, match="IS00000000000000000000000000000002"):
        Emulator(state_file=file, service_sid="IS00000000000000000000000000000002")


@pytest.mark.parametrize("path", ["folder", "missing/state.json", "file/state.json", "x" * 300])
def test_a_path_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()

    with pytest.raises(StateFileUnusable):
        Emulator(state_file=tmp_path / path)


def test_a_read_only_file_is_refused_and_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    send_in_process(Emulator(state_file=file))
    file.chmod(0o444)

    with pytest.raises(StateFileUnusable, match="read-only"):
        Emulator(state_file=file)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "state.json"
    file.parent.mkdir()
    state = StateFile(file)
    state.write(b"first")
    before = file.stat().st_ino

    state.write(b"second")

    assert file.read_bytes() == b"second"
    assert file.stat().st_ino != before  # renamed, not written over
    assert list(file.parent.iterdir()) == [file]
    file.unlink()
    file.mkdir()
    with pytest.raises(StateFileNotSaved, match=r"state\.json"):
        state.write(b"third")
    assert list(file.parent.iterdir()) == [file]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link, file = tmp_path / "link", tmp_path / "state.json"
    link.symlink_to(file)

    send_in_process(Emulator(state_file=link))

    assert link.is_symlink()
    assert file.is_file()

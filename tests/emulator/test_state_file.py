"""A state file: what a run leaves for the next one."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from tests.emulator.test_state import text
from twilio_emulator import Emulator
from twilio_emulator.state_file import NotKept, StateFile, Unusable


def run(emulator: Emulator) -> dict[str, str]:
    return asyncio.run(text(emulator))


def test_a_state_file_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    before = run(Emulator(state_file=file))

    after = run(Emulator(state_file=file))

    assert after["conversation_sid"] == before["conversation_sid"]
    assert after["message_sid"] != before["message_sid"]


def test_a_clock_that_was_moved_does_not_go_back_with_a_restart(tmp_path: Path) -> None:
    before = Emulator(state_file=tmp_path / "state.json")
    before.advance_clock(timedelta(days=3))
    moved_to = before.clock()
    asyncio.run(before.aclose())

    assert Emulator(state_file=tmp_path / "state.json").clock() >= moved_to


@pytest.mark.parametrize(
    "content", [b"", b"{", b"{}", b'{"seed": "a"}', b"\xff", b'{"seed": "a", "clock_ahead": "-P1D"}', b"[" * 10_000]
)
def test_what_is_no_state_is_refused_and_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "state.json"
    file.write_bytes(content)

    with pytest.raises(Unusable, match=r"state\.json"):
        Emulator(state_file=file)

    assert file.read_bytes() == content
    assert list(tmp_path.iterdir()) == [file]


def test_the_state_of_another_service_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    run(Emulator(state_file=file))

    with pytest.raises(Unusable, match="IS00000000000000000000000000000002"):
        Emulator(state_file=file, service_sid="IS00000000000000000000000000000002")


@pytest.mark.parametrize("path", ["folder", "missing/state.json", "file/state.json", "x" * 300])
def test_a_place_where_nothing_could_be_kept_is_refused_at_the_start(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()

    with pytest.raises(Unusable):
        Emulator(state_file=tmp_path / path)


def test_a_read_only_file_is_refused_and_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    run(Emulator(state_file=file))
    file.chmod(0o444)

    with pytest.raises(Unusable, match="read-only"):
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
    with pytest.raises(NotKept, match=r"state\.json"):
        state.write(b"third")
    assert list(file.parent.iterdir()) == [file]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link, file = tmp_path / "link", tmp_path / "state.json"
    link.symlink_to(file)

    run(Emulator(state_file=link))

    assert link.is_symlink()
    assert file.is_file()

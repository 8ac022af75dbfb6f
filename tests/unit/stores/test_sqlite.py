"""A SQLite file as the store: what it keeps, who may have it, and what cannot be used."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from switchboard.author import AuthorRole
from switchboard.conversation import Note
from switchboard.errors import Misconfigured, Transient
from switchboard.events import (
    ConversationState,
    ConversationStateUpdated,
    DeliveryFailed,
    LifecycleEvent,
    Marker,
    Owner,
    OwnerSet,
)
from switchboard.media import Media
from switchboard.ports import Fenced
from switchboard.stores.sqlite import Kept, SQLiteFile, in_sqlite
from switchboard.stores.store import Store, in_memory, now
from switchboard.turn.timing import COMMIT_WINDOW
from tests.builders import CONVERSATION, NOON, Clock, message_added, sid
from tests.dynamodb import LATER, REPLY, claim
from tests.dynamodb import Store as Conversations

EVENTS: list[LifecycleEvent] = [
    message_added(body="Grüße 🚲\n\x00", marker=Marker(turn="T", part=1), author="+12025550110"),
    ConversationStateUpdated(conversation_sid=CONVERSATION, state=ConversationState.CLOSED, at=NOON),
    OwnerSet(conversation_sid=CONVERSATION, owner=Owner.HUMAN, at=NOON + timedelta(microseconds=1)),
    DeliveryFailed(
        conversation_sid=CONVERSATION,
        message_sid=sid("IM", 1),
        delivery_receipt_sid=sid("DY", 1),
        status="failed",
        error_code=None,
        at=NOON,
    ),
]


def conversations(store: Store) -> Conversations:
    """The one object behind the ports of the conversations."""
    return cast("Conversations", store.turns)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


def test_what_waits_is_the_same_in_the_next_process(path: Path) -> None:
    first = in_sqlite(path)
    for number, event in enumerate(EVENTS):
        first.messages.put(event, id=str(number), due=NOON)
    first.messages.put_off(first.messages.of(CONVERSATION)[:1], until=LATER)
    before = first.messages.of(CONVERSATION)
    first.close()

    second = in_sqlite(path)

    assert second.messages.of(CONVERSATION) == before
    assert [each.event for each in before] == EVENTS
    assert second.messages.due_at() == {CONVERSATION: LATER}
    second.close()


def test_what_the_version_before_wrote_of_files_is_read(path: Path) -> None:
    voice = replace(message_added(body=""), media=(Media(content_type="audio/ogg"),))
    first = in_sqlite(path)
    first.messages.put(voice, id="1", due=NOON)
    first.dead_letters.copy([voice], turn="T")
    first.close()
    with closing(sqlite3.connect(path)) as file, file:
        now_written = '"media":[{"content_type":"audio/ogg","size":null,"sid":""}]'
        before = '"media_content_types":["audio/ogg"]'
        changed = file.execute("UPDATE kept SET value = replace(value, ?, ?)", (now_written, before)).rowcount
        assert file.execute("SELECT count(*) FROM kept WHERE value LIKE '%media_content_types%'").fetchone()[0] == 2
        assert changed

    second = in_sqlite(path)

    assert [each.event for each in second.messages.of(CONVERSATION)] == [voice]
    assert list(second.dead_letters.all().values()) == [voice]
    second.close()


def test_the_history_of_each_conversation_is_its_own(path: Path) -> None:
    store = in_sqlite(path)
    note = Note(index=1, author_role=AuthorRole.HUMAN, text="I take this", at=NOON)
    store.lifecycle.keep_notes(CONVERSATION, [note])

    assert store.turns.history(CONVERSATION).items == (note,)
    assert store.turns.history(sid("CH", 2)).items == ()
    store.close()


def test_a_call_that_is_refused_changes_nothing(path: Path) -> None:
    store = in_sqlite(path)
    claimed = claim(conversations(store))
    store.lifecycle.take_over(CONVERSATION, index=None, at=NOON)
    before = store.turns.read_unclaimed(CONVERSATION)

    with pytest.raises(Fenced):
        store.turns.freeze(claimed, REPLY)

    assert store.turns.read_unclaimed(CONVERSATION) == before
    store.close()


def test_the_leases_of_the_process_before_end_and_its_post_gets_its_time(path: Path) -> None:
    clock = Clock(datetime.now(UTC))
    first = in_sqlite(path, clock=clock)
    claimed = claim(conversations(first))
    first.turns.freeze(claimed, REPLY)
    first.close()

    second = in_sqlite(path, clock=Clock(NOON))

    item = second.turns.read_unclaimed(CONVERSATION)
    assert not item.is_leased(NOON)
    assert item.is_suspect(NOON)
    assert item.pending_reply is not None
    assert item.pending_reply.verify_not_before == min(REPLY.verify_not_before, NOON + COMMIT_WINDOW)
    second.close()


def test_only_one_process_has_the_file(path: Path) -> None:
    store = in_sqlite(path)
    program = f"from switchboard.stores.sqlite import in_sqlite; in_sqlite({str(path)!r})"

    other = subprocess.run(  # noqa: S603 -- our own code
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert "another process uses it. A SQLite file serves one process; several need DynamoDB" in other.stderr
    store.close()
    in_sqlite(path).close()


def test_only_its_owner_may_read_the_file(path: Path) -> None:
    in_sqlite(path).close()

    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["no database at all, and long enough to be read as one" * 20, ""])
def test_a_file_that_is_no_store_is_refused_or_becomes_one(path: Path, text: str) -> None:
    path.write_text(text)

    if text:
        with pytest.raises(Misconfigured, match=r"store\.sqlite cannot be used: file is not a database"):
            in_sqlite(path)
    else:
        in_sqlite(path).close()


def test_a_file_of_another_format_is_refused(path: Path) -> None:
    in_sqlite(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")

    with pytest.raises(Misconfigured, match="has format 2: this version reads 1 only"):
        in_sqlite(path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="No such file or directory"):
        in_sqlite(tmp_path / "missing" / "store.sqlite")


def test_a_full_disk_is_tried_again_and_leaves_the_store_as_it_was(path: Path) -> None:
    file = SQLiteFile(path)
    kept: Kept[str, str] = file.mapping("note", str, str)
    with file.transaction():
        kept["before"] = "here"
    pages = file.connection.execute("PRAGMA page_count").fetchone()[0]
    file.connection.execute(f"PRAGMA max_page_count = {pages}")

    with (
        pytest.raises(Transient, match=r"store\.sqlite cannot be written: database or disk is full"),
        file.transaction(),
    ):
        kept["large"] = "x" * 100_000

    assert dict(kept) == {"before": "here"}
    file.close()


def test_a_call_that_fails_halfway_leaves_the_store_as_it_was(path: Path) -> None:
    file = SQLiteFile(path)
    kept: Kept[str, str] = file.mapping("note", str, str)

    def fails_halfway() -> None:
        with file.transaction():
            kept["half"] = "done"
            del kept["missing"]

    with pytest.raises(KeyError):
        fails_halfway()

    assert dict(kept) == {}
    file.close()


def test_a_store_in_memory_begins_empty() -> None:
    assert in_memory().turns.read_unclaimed(CONVERSATION).fencing_token == 0
    assert now().microsecond % 1000 == 0

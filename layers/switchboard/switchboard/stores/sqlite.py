"""A store in a SQLite file: what was accepted is in the file before Twilio gets its 200, and outlives a crash.

One process has the file; its threads share it. The rules are those of `memory.py`: only its mappings are kept
elsewhere. The file holds customers' words and addresses, so only its owner may read it. Nothing is deleted from it.
"""

import os
import sqlite3
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from threading import RLock
from typing import Any

import msgspec

from switchboard.consent import Consent
from switchboard.conversation import Conversation, Note, OwnerChange, Summary, TurnRecord
from switchboard.effects import TurnEffects
from switchboard.errors import Misconfigured, Transient
from switchboard.events import ConversationStateUpdated, DeliveryFailed, LifecycleEvent, MessageAdded, OwnerSet
from switchboard.notices import Notice
from switchboard.ports import Clock
from switchboard.stores.checks import ChecksInMemory, Tracked
from switchboard.stores.inbox import DeadLetters, Inbox, Waiting
from switchboard.stores.memory import ConversationsInMemory, FailureLeader
from switchboard.stores.store import Store, now, store_of
from switchboard.turn.timing import COMMIT_WINDOW

FORMAT = 1  # of the file
PRAGMAS = ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL")
SECONDS_FOR_LOCK = 1.0  # that the process before may need to end

_SCHEMA = "CREATE TABLE IF NOT EXISTS kept (kind, owner, key, value, PRIMARY KEY (kind, owner, key)) WITHOUT ROWID"
_EVENTS: dict[str, type[LifecycleEvent]] = {
    each.__name__: each for each in (MessageAdded, ConversationStateUpdated, OwnerSet, DeliveryFailed)
}


def in_sqlite(path: str | Path, *, clock: Clock = now) -> Store:
    """Return the store in a file, which is made if it is not there; raise `Misconfigured` if it cannot be used.

    No process had the file a moment ago, so no worker of the one before lives: its leases end now. What such a worker
    was sending when it was killed is looked for at Twilio half a minute from now, before it is sent again.
    """
    file = SQLiteFile(Path(path))
    conversations = SQLiteConversations(file)
    checks = ChecksInMemory(clock=clock, store=conversations, tracked=file.mapping("tracked", str, Tracked))
    with file.transaction():
        _end_leases(conversations, clock())
        secrets: Kept[str, str] = file.mapping("secret", str, str)
        customer_secret = secrets.setdefault("customers", token_hex())
    return store_of(
        conversations,
        checks,
        messages=Inbox(_Events(file, "message", str, Waiting)),
        lifecycle_events=Inbox(_Events(file, "lifecycle_event", str, Waiting)),
        dead_letters=DeadLetters(file.mapping("dead_letter", str, MessageAdded)),
        customer_secret=customer_secret.encode(),
        transaction=file.transaction,
        close=file.close,
    )


class SQLiteFile:
    """The connection, and one transaction at a time."""

    def __init__(self, path: Path) -> None:
        self._lock = RLock()
        self._path = path
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self.connection = sqlite3.connect(
                path, timeout=SECONDS_FOR_LOCK, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from None
        try:
            self._prepare()
        except sqlite3.Error as error:
            self.connection.close()
            raise self._unusable(error) from None
        except Misconfigured:
            self.connection.close()
            raise

    def _prepare(self) -> None:
        for pragma in PRAGMAS:
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute("BEGIN EXCLUSIVE")
        found = self.connection.execute("PRAGMA user_version").fetchone()[0]
        if found not in {0, FORMAT}:
            raise Misconfigured(f"the SQLite file {self._path} has format {found}: this version reads {FORMAT} only")
        self.connection.execute(_SCHEMA)
        self.connection.execute(f"PRAGMA user_version = {FORMAT}")
        self.connection.execute("COMMIT")

    def _unusable(self, error: Exception) -> Misconfigured:
        why = str(error.strerror) if isinstance(error, OSError) else str(error)
        if "locked" in why:
            why = "another process uses it. A SQLite file serves one process; several need DynamoDB"
        return Misconfigured(f"the SQLite file {self._path} cannot be used: {why}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block changes, or nothing of it; raise `Transient` if the file cannot be written."""
        with self._lock:
            try:
                self.connection.execute("BEGIN")
                yield
                self.connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                raise Transient(f"the SQLite file {self._path} cannot be written: {error}") from None
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        if self.connection.in_transaction:  # SQLite may have done it, as where the disk is full
            self.connection.execute("ROLLBACK")

    def mapping[K, V](self, kind: str, key_type: Any, value_type: type[V], owner: str = "") -> "Kept[K, V]":  # noqa: ANN401 -- also tuple[…]
        """Return what is kept of one kind, or of one kind and one conversation."""
        return Kept(self, kind, key_type, value_type, owner)

    def close(self) -> None:
        """Close the file, so that another process may have it."""
        with self._lock:
            self.connection.close()


@dataclass(frozen=True, slots=True)
class Kept[K, V](MutableMapping[K, V]):
    """Rows of the file as a mapping: keys and values as JSON."""

    file: SQLiteFile
    kind: str
    key_type: Any
    value_type: type[V]
    owner: str = ""

    def __getitem__(self, key: K) -> V:
        row = self._execute("SELECT value FROM kept WHERE kind = ? AND owner = ? AND key = ?", _json(key)).fetchone()
        if row is None:
            raise KeyError(key)
        return self._read(row[0])

    def __setitem__(self, key: K, value: V) -> None:
        self._execute(
            "REPLACE INTO kept (kind, owner, key, value) VALUES (?, ?, ?, ?)", _json(key), self._written(value)
        )

    def __delitem__(self, key: K) -> None:
        if not self._execute("DELETE FROM kept WHERE kind = ? AND owner = ? AND key = ?", _json(key)).rowcount:
            raise KeyError(key)

    def __iter__(self) -> Iterator[K]:
        rows = self._execute("SELECT key FROM kept WHERE kind = ? AND owner = ?").fetchall()
        return iter([msgspec.json.decode(key, type=self.key_type) for (key,) in rows])

    def __len__(self) -> int:
        return int(self._execute("SELECT count(*) FROM kept WHERE kind = ? AND owner = ?").fetchone()[0])

    def _execute(self, statement: str, *values: str) -> sqlite3.Cursor:
        return self.file.connection.execute(statement, (self.kind, self.owner, *values))

    def _written(self, value: V) -> str:
        return _json(value)

    def _read(self, text: str) -> V:
        return msgspec.json.decode(_with_media(text), type=self.value_type)


class _Events(Kept[str, Waiting]):
    """Events that wait: JSON does not tell their types apart, so each is written with its type's name."""

    __slots__ = ()

    def _written(self, value: Waiting) -> str:
        return _json((type(value.event).__name__, value.event, value.id, value.number, value.due, value.tries))

    def _read(self, text: str) -> Waiting:
        shape = tuple[str, msgspec.Raw, str, int, datetime, int]
        name, raw, event_id, number, due, tries = msgspec.json.decode(text, type=shape)
        event = msgspec.json.decode(_with_media(bytes(raw).decode()), type=_EVENTS[name])
        return Waiting(id=event_id, number=number, event=event, due=due, tries=tries)


class SQLiteConversations(ConversationsInMemory):
    """The conversations in a file: the mappings are there, and what is done with them stays the same."""

    def __init__(self, file: SQLiteFile) -> None:
        self._file = file
        ConversationsInMemory.__init__(
            self,
            items=file.mapping("conversation", str, Conversation),
            summaries=file.mapping("summary", str, Summary),
            turns=file.mapping("turns", str, int),
            limit_notices=file.mapping("limit_notice", str, datetime),
            human_since=file.mapping("human_since", str, datetime),
            notices=file.mapping("notice", str, Notice),
            leaders=file.mapping("leader", str, FailureLeader),
            owner_changes=file.mapping("owner_change", tuple[datetime, str], OwnerChange),
            consents=file.mapping("consent", str, Consent),
        )

    def _records(self, sid: str) -> MutableMapping[tuple[int, str], TurnRecord]:
        return self._file.mapping("turn", tuple[int, str], TurnRecord, owner=sid)

    def _notes(self, sid: str) -> MutableMapping[int, Note]:
        return self._file.mapping("note", int, Note, owner=sid)

    def _noted(self, customer: str) -> MutableMapping[str, datetime]:
        return self._file.mapping("noted", str, datetime, owner=customer)

    def _effects(self, sid: str) -> MutableMapping[str, TurnEffects]:
        return self._file.mapping("effects", str, TurnEffects, owner=sid)


def _end_leases(conversations: ConversationsInMemory, at: datetime) -> None:
    for sid, item in list(conversations.items.items()):
        if item.is_leased(at):
            reply = item.pending_reply
            if reply:
                verify_not_before = min(reply.verify_not_before, at + COMMIT_WINDOW)
                reply = replace(reply, verify_not_before=verify_not_before)
            conversations.items[sid] = replace(item, lease_until=at, pending_reply=reply)
            if item.has_effects:
                conversations.settle_effects(item, by=at + COMMIT_WINDOW)


def _with_media(text: str) -> str:
    """Return a message as it is written now: the version before wrote the content types of its files alone."""
    if '"media_content_types"' not in text:
        return text
    value = msgspec.json.decode(text)
    if isinstance(value, dict) and "media" not in value:
        value["media"] = [{"content_type": each} for each in value.pop("media_content_types", ())]
    return _json(value)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

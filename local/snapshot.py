"""The state that one run leaves for the next: the emulator's and the tables', in one file, so that they always match.

An emulator restored without its tables would have old messages answered again. Tables restored without their emulator
would leave new messages unanswered. The queues are not stored: no turn has begun for the messages that wait in them,
and the sweeper finds those messages after the restart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import TypeAdapter, ValidationError

from local.aws.ministack import Item, LocalAws, Names
from twilio_emulator import Emulator
from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models.state import AccountState
from twilio_emulator.state_file import StateFile, StateFileNotSaved, StateFileUnusable


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """The emulator's state, and the items of every table by the table's logical id."""

    twilio: AccountState
    tables: Mapping[str, Sequence[Item]]


_CONTENT = TypeAdapter(_Content)


class Snapshot:
    """The state file of a run; without a path, nothing is restored and nothing is saved.

    Making one restores the emulator; `StateFileUnusable` if the file is not a valid state. `is_new`: there was no file.
    """

    def __init__(self, path: Path | None, emulator: Emulator) -> None:
        self._file = StateFile(path) if path else None
        self._emulator = emulator
        self._is_restored = False
        content = self._file.read() if self._file else None
        self.is_new = content is None
        self._tables = self._restore_emulator(content) if content is not None else {}

    def check_tables(self, names: Names) -> None:
        """Raise `StateFileUnusable` if the file has not the template's tables."""
        if not self.is_new and set(self._tables) != set(names.tables):
            raise self._unusable("Its tables are not the template's")

    def restore_tables(self, aws: LocalAws, names: Names) -> None:
        """Write the stored items into the tables. From now on `save` replaces the file."""
        try:
            aws.put_items(self._tables, names)
        except (BotoCoreError, ClientError) as error:
            raise self._unusable(f"Its tables do not fit the template's: {error}") from None
        self._is_restored = True

    def save(self, aws: LocalAws, names: Names) -> None:
        """Replace the file, once nothing writes any more; before `restore_tables` succeeded, leave it as it is."""
        if self._file is None or not self._is_restored:
            return
        try:
            tables = aws.items(names)
        except (BotoCoreError, ClientError):
            raise StateFileNotSaved(f"{self._file.path}: The local AWS had ended before") from None
        self._file.write(_CONTENT.dump_json(_Content(twilio=self._emulator.backend.state, tables=tables)))

    def _restore_emulator(self, content: bytes) -> Mapping[str, Sequence[Item]]:
        """Give the emulator its state, and return the tables."""
        try:
            state = _CONTENT.validate_json(content)
            self._emulator.restore(state.twilio)
        except ValidationError:
            raise self._unusable("This is not the state of a local stack: name another file") from None
        except TwilioError as error:
            raise self._unusable(error.message) from None
        return state.tables

    def _unusable(self, why: str) -> StateFileUnusable:
        return StateFileUnusable(f"{self._file.path if self._file else None}: {why}")

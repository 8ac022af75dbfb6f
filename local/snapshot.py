"""What a run keeps for the next one: Twilio's side and our tables, in one file, so that neither is ahead of the other.

Conversations that the table has never seen would be answered again; a table that is ahead of its conversations would
leave new texts unanswered. The queues are not kept: what waits in them is no turn's yet, and the sweeper finds it.
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
class State:
    """The emulator's state, and the items of every table by the table's logical id."""

    twilio: AccountState
    tables: Mapping[str, Sequence[Item]]


_STATE = TypeAdapter(State)


class Kept:
    """The state of the run before in an emulator, and soon in its tables; without a file nothing is kept.

    `is_new` tells whether there was none. `StateFileUnusable` where a run cannot go on from the file.
    """

    def __init__(self, path: Path | None, emulator: Emulator) -> None:
        self._file = StateFile(path) if path else None
        self._emulator = emulator
        self._goes_on = False
        kept = self._file.read() if self._file else None
        self.is_new = kept is None
        self._tables = self._taken(kept) if kept is not None else {}

    def put_items(self, aws: LocalAws, names: Names) -> None:
        """Fill the tables; from now on this run may be kept."""
        if not self.is_new and set(self._tables) != set(aws.items(names)):
            raise self._unusable("Its tables are not the template's")
        try:
            aws.put_items(self._tables, names)
        except (BotoCoreError, ClientError) as error:
            raise self._unusable(f"Its tables do not fit the template's: {error}") from None
        self._goes_on = True

    def keep(self, aws: LocalAws, names: Names) -> None:
        """Keep this run, once nothing writes any more; one that never began leaves the file as it is."""
        if self._file is None or not self._goes_on:
            return
        try:
            tables = aws.items(names)
        except (BotoCoreError, ClientError):
            raise StateFileNotSaved(f"{self._file.path}: The local AWS had ended before") from None
        self._file.write(_STATE.dump_json(State(twilio=self._emulator.backend.state, tables=tables)))

    def _taken(self, kept: bytes) -> Mapping[str, Sequence[Item]]:
        try:
            state = _STATE.validate_json(kept)
            self._emulator.restore(state.twilio)
        except ValidationError:
            raise self._unusable("This is nothing that a run kept") from None
        except TwilioError as error:
            raise self._unusable(error.message) from None
        return state.tables

    def _unusable(self, why: str) -> StateFileUnusable:
        return StateFileUnusable(f"{self._file.path if self._file else None}: {why}")

"""Snapshots: the state of the account as JSON."""

from pydantic import TypeAdapter, ValidationError

from twilio_emulator.exceptions import INVALID_PARAMETER, TwilioError
from twilio_emulator.models.state import AccountState

_STATE = TypeAdapter(AccountState)


def dump(state: AccountState) -> bytes:
    """Return the state as a snapshot."""
    return _STATE.dump_json(state)


def load(snapshot: bytes) -> AccountState:
    """Return the state in a snapshot; raise 20422 if the snapshot is not valid."""
    try:
        return _STATE.validate_json(snapshot)
    except ValidationError as error:
        raise TwilioError(
            INVALID_PARAMETER, f"The snapshot is not valid: {error.error_count()} validation errors"
        ) from None

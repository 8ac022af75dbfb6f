"""The state as JSON, so that an emulator goes on where another one ended."""

from pydantic import TypeAdapter, ValidationError

from twilio_emulator.exceptions import INVALID_PARAMETER, TwilioError
from twilio_emulator.models.state import AccountState

_STATE = TypeAdapter(AccountState)


def dump(state: AccountState) -> bytes:
    """Return a snapshot."""
    return _STATE.dump_json(state)


def load(snapshot: bytes) -> AccountState:
    """Return the state of a snapshot; 20422 where it is none."""
    try:
        return _STATE.validate_json(snapshot)
    except ValidationError as error:
        raise TwilioError(INVALID_PARAMETER, f"This is no snapshot: {error.error_count()} faults in it") from None

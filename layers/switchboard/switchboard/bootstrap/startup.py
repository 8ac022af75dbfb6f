"""Building a function: whatever goes wrong becomes one sentence, which is logged and counted at every try."""

import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from switchboard.aws.sqs.queue import Queue
from switchboard.errors import Misconfigured, SwitchboardError
from switchboard.telemetry import telemetry


def build[T](make: Callable[[], T], *, folder: Path) -> T:
    """Return what `make` makes; raise a `SwitchboardError` whose text says what to correct where it cannot.

    `folder` has the function's own files: an error that passed through one of them names the file and the line.
    """
    try:
        return make()
    except SwitchboardError:
        raise
    except BaseException as error:  # noqa: BLE001 -- sys.exit() in a team's module must not end Lambda's runtime
        raise Misconfigured(_sentence(error, folder)).with_traceback(error.__traceback__) from None


def report_failed_start(error: SwitchboardError, context: object) -> None:
    """Log why a function cannot be built, and count it as `failed`."""
    try:
        observer = telemetry()
    except Misconfigured:  # the log level itself is wrong, and this line has to be seen
        observer = telemetry(level="INFO")
    with observer.invocation(context):
        observer.record_error(error, {})


def return_all(raw_records: Sequence[Mapping[str, Any]], queue: Callable[[], Queue]) -> list[str]:
    """Give all records back to their queue, each after a wait that grows with its deliveries, and return their ids.

    For a function that cannot be built. Where the queue cannot be told, they come back after the visibility timeout.
    """
    with suppress(SwitchboardError):
        build(queue, folder=Path(__file__).parent).return_with_backoff(raw_records)
    return [raw["messageId"] for raw in raw_records]


def _sentence(error: BaseException, folder: Path) -> str:
    """Return the place and the first line of an error. No customer's words can be in it: no event was read yet."""
    text = next(iter(str(error).splitlines()), "")
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        return (
            f"{Path(error.filename).name}, line {error.lineno}: {type(error).__name__}: {error.msg}. Correct the file"
        )
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if folder in Path(frame.filename).parents]
    # app.py only imports the others: where it is the one frame, the error says itself which module or setting it is.
    own = [frame for frame in frames if Path(frame.filename).name != "app.py"]
    if not own:
        return what
    return f"{Path(own[-1].filename).relative_to(folder)}, line {own[-1].lineno}: {what}. Correct the file"

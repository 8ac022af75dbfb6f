"""What is wrong on purpose with the functions: their clock is ahead, their model is away or slow, a worker is killed.

Each invocation is told of it (`of`), so it outlives a function's process, and ends with the invocation after it. How a
process does what it is told is in `in_trouble.py`.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from local.aws.execution_environment import Crashed

AGENT = "agent"  # the function that asks a model
MODEL_STRUCK = "[TROUBLE] the model"  # how the line begins that a process prints when its model is away or slow


def no_time() -> timedelta:
    """Return that the clock is not ahead."""
    return timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTrouble:
    """What a request to the model meets, until `until` of the monotonic clock: an HTTP status, or a wait."""

    until: float
    status: int = 0
    slow_seconds: float = 0

    @property
    def seconds_left(self) -> float:
        """How long it still lasts."""
        return max(0.0, self.until - time.monotonic())


class Trouble:
    """What is wrong now; any thread may ask or change it."""

    def __init__(self, *, ahead: Callable[[], timedelta] = no_time) -> None:
        self._ahead = ahead
        self._lock = threading.Lock()
        self._model: ModelTrouble | None = None
        self._model_struck = 0
        self._kill_is_armed = self._kill_is_out = False
        self._killed = 0

    def break_model(self, *, seconds: float, status: int = 0, slow_seconds: float = 0) -> None:
        """Answer each request to the model with a status, or only after a wait, for so long."""
        with self._lock:
            self._model_struck = 0
            self._model = ModelTrouble(until=time.monotonic() + seconds, status=status, slow_seconds=slow_seconds)

    def mend_model(self) -> None:
        """Let the model answer again."""
        with self._lock:
            self._model = None

    @property
    def model(self) -> ModelTrouble | None:
        """What is wrong with the model; None where nothing is."""
        with self._lock:
            return self._model if self._model and self._model.seconds_left else None

    @property
    def model_struck(self) -> int:
        """How many requests to the model it has met."""
        return self._model_struck

    def arm_kill(self) -> None:
        """Kill the agent's process, once, when it next asks its model."""
        with self._lock:
            self._kill_is_armed, self._killed = True, 0

    def disarm_kill(self) -> None:
        """Kill nobody."""
        with self._lock:
            self._kill_is_armed = False

    @property
    def kill_is_armed(self) -> bool:
        """Whether the next turn's worker is killed."""
        return self._kill_is_armed

    @property
    def killed(self) -> int:
        """How many processes it has killed since it was armed."""
        return self._killed

    @contextmanager
    def of(self, function: str) -> Iterator[Mapping[str, object]]:
        """Give what an invocation of a function is told, as JSON; nothing where nothing is wrong.

        Of several at the same time one alone is told to be killed.
        """
        told: dict[str, object] = {}
        if ahead := self._ahead().total_seconds():
            told["ahead_seconds"] = ahead
        if function == AGENT:
            told |= self._of_model()
        kills = "kill" in told
        try:
            yield told
        except Crashed:
            if kills:
                self._has_killed()
            raise
        finally:
            if kills:
                self._kill_is_out = False

    def notice(self, line: str) -> None:
        """Count what a process prints of its trouble."""
        if line.startswith(MODEL_STRUCK):
            with self._lock:
                self._model_struck += 1

    def _of_model(self) -> dict[str, object]:
        model = self.model
        told: dict[str, object] = {}
        if model and model.status:
            told["model_status"] = model.status
        elif model:
            told["model_slow_seconds"] = model.slow_seconds
        with self._lock:
            if self._kill_is_armed and not self._kill_is_out:
                self._kill_is_out = told["kill"] = True
        return told

    def _has_killed(self) -> None:
        with self._lock:
            self._kill_is_armed = False
            self._killed += 1

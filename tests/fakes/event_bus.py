"""The event bus in memory. It takes everything, or what `takes` says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from switchboard.notices import Notice


@dataclass(slots=True)
class EventBusInMemory:
    published: list[Notice] = field(default_factory=list)
    takes: Callable[[Notice], bool] = lambda _notice: True

    def publish(self, notices: Sequence[Notice], /) -> list[Notice]:
        taken = [notice for notice in notices if self.takes(notice)]
        self.published += taken
        return taken

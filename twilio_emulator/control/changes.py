"""Who looks at which phones, and what each of them has yet to be told."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

MAX_WAITING = 500  # messages of one address; with more, who looks is told to read the whole thread


@dataclass(frozen=True, slots=True)
class Change:
    """What changed for an address: these messages, or its thread as a whole. Neither: who is typing."""

    messages: frozenset[str] = frozenset()
    whole: bool = False


class Watch:
    """The changes of some addresses since they were last taken. A slow reader finds them joined, not queued."""

    def __init__(self, addresses: Collection[str]) -> None:
        self._waiting = {address: Change(whole=True) for address in addresses}  # at first each thread is new
        self._addresses = frozenset(addresses)
        self._arrived = asyncio.Event()
        self._arrived.set()

    def tell(self, address: str, message_sid: str) -> None:
        """Add a change, if it is of one of the addresses."""
        if address not in self._addresses:
            return
        before = self._waiting.get(address, Change())
        messages = before.messages | {message_sid} - {""}
        is_whole = before.whole or len(messages) > MAX_WAITING
        self._waiting[address] = Change(frozenset() if is_whole else messages, whole=is_whole)
        self._arrived.set()

    def tell_all(self) -> None:
        """Add that every thread has changed as a whole."""
        self._waiting = {address: Change(whole=True) for address in self._addresses}
        self._arrived.set()

    async def take(self, *, within_seconds: float) -> Mapping[str, Change]:
        """Return the changes by address, as soon as there are any; none if there are none in that time."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._arrived.wait(), within_seconds)
        self._arrived.clear()
        taken, self._waiting = self._waiting, {}
        return taken


class Changes:
    """Everybody who looks at phones."""

    def __init__(self) -> None:
        self._watches: set[Watch] = set()

    @contextmanager
    def watch(self, addresses: Collection[str]) -> Iterator[Watch]:
        """Collect the changes of these addresses, until the end of the block."""
        watch = Watch(addresses)
        self._watches.add(watch)
        try:
            yield watch
        finally:
            self._watches.discard(watch)

    def tell(self, address: str, message_sid: str) -> None:
        """Tell whoever looks at this address that a message of it changed; without a SID, who is typing."""
        for watch in tuple(self._watches):
            watch.tell(address, message_sid)

    def tell_all(self) -> None:
        """Tell everybody that everything may have changed."""
        for watch in tuple(self._watches):
            watch.tell_all()

"""What a web process keeps of its conversations, as one value: `in_memory()`, or the one of `sqlite.py`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_bytes
from threading import RLock
from typing import cast

from switchboard.owner_updates import OwnerChangeStore
from switchboard.ports import BudgetStore, Clock, LifecycleStore, OwnerIndex, SweepIndex, TurnStore
from switchboard.publisher import NoticeStore
from switchboard.stores.checks import ChecksInMemory
from switchboard.stores.inbox import DeadLetters, Inbox
from switchboard.stores.memory import ConversationsInMemory


def now() -> datetime:
    """Return the time now, in UTC, in the whole milliseconds that the table keeps."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The ports of the flows, each safe among threads. `close` ends the use of what they are kept in.

    `customer_secret` is what the keys of customers are made with: a store that lasts keeps it.
    """

    turns: TurnStore
    lifecycle: LifecycleStore
    budgets: BudgetStore
    checks: SweepIndex
    owners: OwnerIndex
    notices: NoticeStore
    owner_changes: OwnerChangeStore
    messages: Inbox
    lifecycle_events: Inbox
    dead_letters: DeadLetters
    customer_secret: bytes
    close: Callable[[], None]


def in_memory(*, clock: Clock = now) -> Store:
    """Return a store that ends with the process.

    The next process finds at Twilio what was not answered, and what was. But a webhook that Twilio repeats to it is
    answered once more, the assistant remembers nothing of before, and every budget begins again. So does consent: an
    opt-out is known again from the list of its own conversation only. Who owns a
    conversation is read from its attributes at Twilio; a human who wrote within the last hour owns it in any case.
    """
    conversations, lock = ConversationsInMemory(), RLock()
    return store_of(
        conversations,
        ChecksInMemory(clock=clock, store=conversations),
        messages=Inbox(),
        lifecycle_events=Inbox(),
        dead_letters=DeadLetters(),
        customer_secret=token_bytes(),
        transaction=lambda: lock,
        close=lambda: None,
    )


def inboxes_in_memory(
    *,
    turns: TurnStore,
    lifecycle: LifecycleStore,
    budgets: BudgetStore,
    checks: SweepIndex,
    owners: OwnerIndex,
    notices: NoticeStore,
    owner_changes: OwnerChangeStore,
    customer_secret: bytes,
) -> Store:
    """Return a store whose conversations are kept elsewhere, and what waits for them in this process."""
    lock = RLock()
    return Store(
        turns=turns,
        lifecycle=lifecycle,
        budgets=budgets,
        checks=checks,
        owners=owners,
        notices=notices,
        owner_changes=owner_changes,
        messages=atomic(Inbox(), lambda: lock),
        lifecycle_events=atomic(Inbox(), lambda: lock),
        dead_letters=atomic(DeadLetters(), lambda: lock),
        customer_secret=customer_secret,
        close=lambda: None,
    )


def store_of(
    conversations: ConversationsInMemory,
    checks: ChecksInMemory,
    *,
    messages: Inbox,
    lifecycle_events: Inbox,
    dead_letters: DeadLetters,
    customer_secret: bytes,
    transaction: Callable[[], AbstractContextManager[object]],
    close: Callable[[], None],
) -> Store:
    """Return a store whose every call is one transaction, one at a time."""
    conversations.on_activity = checks.is_active
    whole = atomic(conversations, transaction)
    return Store(
        turns=whole,
        lifecycle=whole,
        budgets=whole,
        checks=atomic(checks, transaction),
        owners=whole,
        notices=whole,
        owner_changes=whole,
        messages=atomic(messages, transaction),
        lifecycle_events=atomic(lifecycle_events, transaction),
        dead_letters=atomic(dead_letters, transaction),
        customer_secret=customer_secret,
        close=close,
    )


class _Atomic:
    """Runs each method of a part of the store in a transaction."""

    def __init__(self, part: object, transaction: Callable[[], AbstractContextManager[object]]) -> None:
        self._part = part
        self._transaction = transaction

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._part, name)

        def call(*arguments: object, **named: object) -> object:
            with self._transaction():
                return method(*arguments, **named)

        return call


def atomic[T](part: T, transaction: Callable[[], AbstractContextManager[object]]) -> T:
    """Return a part of the store whose methods each run in a transaction."""
    return cast("T", _Atomic(part, transaction))

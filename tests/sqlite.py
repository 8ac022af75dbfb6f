"""The conversations in a SQLite file, as the tests of the stores use them."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from switchboard.stores.memory import ConversationsInMemory
from switchboard.stores.sqlite import SQLiteConversations, SQLiteFile
from switchboard.stores.store import atomic


@contextmanager
def conversations_in(path: Path) -> Iterator[ConversationsInMemory]:
    """Give the conversations in a file, each call in a transaction, until the end of the block."""
    with closing(SQLiteFile(path)) as file:
        yield atomic(SQLiteConversations(file), file.transaction)

"""The state file: read at the start of a run, replaced at its end by one rename, so that it is never half written."""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ANY_WRITE_PERMISSION = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class StateFileUnusable(Exception):
    """The file holds no state that can be loaded, or it could not be replaced later; the message says why."""


class StateFileNotSaved(Exception):
    """The file could not be replaced and still holds the old state; the message says why."""


class StateFile:
    """A file that may not exist yet. If `path` is a symbolic link, the file that it points to is replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    def read(self) -> bytes | None:
        """Return the content, or None if the file does not exist yet.

        Raise `StateFileUnusable` if the file cannot be read, and also if `write` would fail at the end of the run.
        """
        try:
            Path(_create_temporary_file(self.path)[1]).unlink()
            mode = self.path.stat().st_mode if self.path.exists() else None
            if mode is None:
                return None
            if not stat.S_ISREG(mode):
                raise StateFileUnusable(f"{self.path}: Is not a regular file")
            if not mode & ANY_WRITE_PERMISSION:
                raise StateFileUnusable(f"{self.path}: Is read-only")  # a rename would replace it all the same
            return self.path.read_bytes()
        except OSError as error:
            raise StateFileUnusable(f"{self.path}: {error.strerror}") from None

    def write(self, content: bytes) -> None:
        """Replace the file; raise `StateFileNotSaved` if that fails."""
        try:
            descriptor, name = _create_temporary_file(self.path)
        except OSError as error:
            raise StateFileNotSaved(f"{self.path}: {error.strerror}") from None
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except OSError as error:
            Path(name).unlink(missing_ok=True)
            raise StateFileNotSaved(f"{self.path}: {error.strerror}") from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock a state file for this run: `StateFileUnusable` while another run has it. The end of a process unlocks it."""
    lock = _beside(path.resolve(), "lock")
    try:
        descriptor = _lock(lock)
    except BlockingIOError:
        raise StateFileUnusable(f"{path.resolve()}: Another run is using this file") from None
    except OSError as error:
        raise StateFileUnusable(f"{path.resolve()}: {error.strerror}") from None
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)  # while it is still locked: whoever waits for it sees that it is gone
        os.close(descriptor)


def _lock(path: Path) -> int:
    """Lock a file, and return its descriptor; `BlockingIOError` if another process has locked it."""
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its owner removed it in the meantime


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f".{path.name}.{suffix}")


def _create_temporary_file(path: Path) -> tuple[int, str]:
    """Create a file in the same folder, which a rename needs; return its descriptor and its name."""
    return tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")

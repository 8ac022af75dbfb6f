"""A file that a run goes on from: read whole at the start, replaced whole at the end, never half of either."""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ANYBODY_WRITES = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class Unusable(Exception):
    """No run can go on from this file, or none could be kept in it; the message names it and says why."""


class NotKept(Exception):
    """The file could not be replaced, and is what it was; the message names it and says why."""


class StateFile:
    """A file that need not be there yet; a link to one stays a link."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    def read(self) -> bytes | None:
        """Return the content, None where there is no file yet; `Unusable` also where `write` could not end well."""
        try:
            Path(_new_file_beside(self.path)[1]).unlink()
            mode = self.path.stat().st_mode if self.path.exists() else None
            if mode is None:
                return None
            if not stat.S_ISREG(mode):
                raise Unusable(f"{self.path}: Is no file")
            if not mode & ANYBODY_WRITES:
                raise Unusable(f"{self.path}: Is read-only")  # a rename would replace it all the same
            return self.path.read_bytes()
        except OSError as error:
            raise Unusable(f"{self.path}: {error.strerror}") from None

    def write(self, content: bytes) -> None:
        """Replace the file."""
        try:
            descriptor, name = _new_file_beside(self.path)
        except OSError as error:
            raise NotKept(f"{self.path}: {error.strerror}") from None
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except OSError as error:
            Path(name).unlink(missing_ok=True)
            raise NotKept(f"{self.path}: {error.strerror}") from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a state file for this run: `Unusable` while another run holds it. The end of a process releases its lock."""
    lock = _beside(path.resolve(), "lock")
    try:
        descriptor = _lock(lock)
    except BlockingIOError:
        raise Unusable(f"{path.resolve()}: Another run is using this file") from None
    except OSError as error:
        raise Unusable(f"{path.resolve()}: {error.strerror}") from None
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


def _new_file_beside(path: Path) -> tuple[int, str]:
    return tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")

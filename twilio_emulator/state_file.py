"""A file that a run goes on from: read whole at the start, replaced whole at the end, never half of either."""

import os
import stat
import tempfile
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


def _new_file_beside(path: Path) -> tuple[int, str]:
    return tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")

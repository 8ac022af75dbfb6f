"""The files that an answer may bring: of the team's folder, or at a URL; read when they are sent."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from mimetypes import MimeTypes
from pathlib import Path
from urllib.parse import unquote, urlsplit

from switchboard.errors import Permanent
from switchboard.media import Media

_TYPES = {".amr": "audio/amr"}  # besides those that Python knows
_MAY_BE_LOGGED = re.compile(r"(?!.*\d{5})[A-Za-z][\w-]{0,60}\.\w{1,5}", re.ASCII)  # no telephone number


class FileIsGone(Permanent):
    """A file that was there when the reply was frozen cannot be read any more: another deployment has no such file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamFile:
    """A file of the folder. `size` is in bytes."""

    name: str
    size: int

    @property
    def content_type(self) -> str:
        """The content type that its name tells."""
        return content_type_of(self.name)

    @property
    def line(self) -> str:
        """The file as the history shows it: `[document: menu.pdf]`."""
        return f"[{Media(content_type=self.content_type).kind}: {self.name}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedFile:
    """A file that was fetched, and the content type that its host says."""

    content: bytes = field(repr=False)
    content_type: str


@dataclass(frozen=True, slots=True)
class FilesFolder:
    """The folder `files` beside assistant.py, without the folders in it. With no path, or none there, it is empty."""

    path: Path | None = None

    def find(self, names: Iterable[str]) -> tuple[TeamFile, ...]:
        """Return the files of these names; raise `Permanent` with a sentence that names the one that is not there.

        A name is compared with those in the folder, so that none leads out of it.
        """
        return tuple(map(self._find, names))

    def read(self, name: str) -> bytes:
        """Return what is in a file now; raise `FileIsGone` where it cannot be read."""
        try:
            return self._path(name).read_bytes()
        except (Permanent, OSError) as error:
            raise FileIsGone(f"the file {_shown(name)} can no longer be read ({type(error).__name__})") from None

    def _find(self, name: str) -> TeamFile:
        try:
            return TeamFile(name=name, size=self._path(name).stat().st_size)
        except OSError as error:
            raise Permanent(f"the file {_shown(name)} cannot be read ({type(error).__name__})") from None

    def _path(self, name: str) -> Path:
        listed = self.path.iterdir() if self.path and self.path.is_dir() else ()
        for path in listed:
            if path.name == name and not name.startswith(".") and path.is_file():
                return path
        raise Permanent(f"the folder of files has no {_shown(name)}: put it into the folder files beside assistant.py")


def content_type_of(name: str) -> str:
    """Return the content type that a file's name tells, whatever this machine knows of types."""
    suffix = Path(name).suffix.lower()
    return _TYPES.get(suffix) or MimeTypes().guess_type(f"x{suffix}")[0] or "application/octet-stream"


def is_url(name: str) -> bool:
    """Tell whether a file is named by its URL: no file of the folder is."""
    return name.startswith("https://")


def name_in(url: str) -> str:
    """Return the name of the file that a URL names, with nothing in it that a name may not have."""
    return re.sub(r"[^\w.-]", "_", unquote(urlsplit(url).path.rpartition("/")[2]))[-100:]


def _shown(name: str) -> str:
    """Return a name for a log: only what looks like one, because a model may have written a customer's words."""
    return name if _MAY_BE_LOGGED.fullmatch(name) else "file of such a name"

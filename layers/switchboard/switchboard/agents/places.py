"""What a log may say of somebody else's error: its type, its HTTP status, and where the team's code raised it."""

import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

from switchboard.agents.failures import cause, http_status, related

_LAYER = Path(__file__).parents[2]  # on Lambda, the libraries are in it too
_LIBRARIES = (_LAYER, *(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")))
_LIBRARY_FOLDERS = {"site-packages", "dist-packages"}


def describe(error: BaseException, *, with_place: bool = True) -> str:
    """Return the type, status and place of an error, never its text: `KeyError at assistant.py:41 in book_table`.

    The place is the deepest one in the team's own files; where the error passed none of them, the deepest one at all.
    """
    words = [type(error).__name__]
    if status := http_status(error):
        words.append(str(status))
    if _is_group(error):
        words.append(f"of {', '.join(type(each).__name__ for each in related(error))}")
    if with_place and (place := next(_places_of_team(error), None) or _deepest(error)):
        code, line = place
        words.append(f"at {Path(code.co_filename).name}:{line} in {code.co_name}")
    return " ".join(words)


def _is_group(error: BaseException) -> bool:
    return isinstance(error, BaseExceptionGroup)


def _places_of_team(error: BaseException) -> Iterator[tuple[CodeType, int]]:
    """Yield the deepest place in a file of the team's: of a group's members, of the error, of what caused it."""
    before: BaseException | None = error
    seen: set[int] = set()
    while before is not None and id(before) not in seen:
        seen.add(id(before))
        for each in (*(related(before) if _is_group(before) else ()), before):
            if place := _deepest(each, team_only=True):
                yield place
        before = cause(before)


def _deepest(error: BaseException, *, team_only: bool = False) -> tuple[CodeType, int] | None:
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return next((each for each in reversed(frames) if not team_only or _is_of_team(each[0].co_filename)), None)


def _is_of_team(filename: str) -> bool:
    path = Path(filename)
    if filename.startswith("<") or _LIBRARY_FOLDERS & {*path.parts}:
        return False
    return not any(path.is_relative_to(folder) for folder in _LIBRARIES)

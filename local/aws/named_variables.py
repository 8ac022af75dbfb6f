"""Which environment variables a function's own code names: `os.environ["SHOP_API_URL"]`, or any other text of it."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
# What Lambda or Python sets, and Twilio's credentials, which the local stack has of its own.
_RESERVED = re.compile(r"(?:AWS|LAMBDA|TWILIO|LD)_\w+|PYTHON\w*|PATH|TZ|LANG")


def named_variables(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables whose whole name is a text in a Python file of the folder."""
    names = {text for path in folder.rglob("*.py") for text in _texts(path) if _NAME.fullmatch(text)}
    return {name: environment[name] for name in names & environment.keys() if not _RESERVED.fullmatch(name)}


def _texts(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):  # whoever imports it is told
        return
    yield from (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))

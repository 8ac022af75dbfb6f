"""Load a function as Lambda does: its folder on the path, its module `app`."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

FUNCTIONS = Path(__file__).parent.parent / "functions"


def load(name: str, *, folder: Path | None = None) -> ModuleType:
    """Import a new copy of `functions/<name>/app.py`, or of the one in another folder, with that folder on the path."""
    folder = folder or FUNCTIONS / name
    spec = importlib.util.spec_from_file_location(f"{name}_app", folder / "app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(folder))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    return module

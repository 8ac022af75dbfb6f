"""Load a function as Lambda does: its folder on the path, its module `app`."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

FUNCTIONS = Path(__file__).parent.parent / "functions"


def load(name: str) -> ModuleType:
    """Import a new copy of `functions/<name>/app.py`, with its own folder on the path."""
    folder = str(FUNCTIONS / name)
    spec = importlib.util.spec_from_file_location(f"{name}_app", FUNCTIONS / name / "app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    return module

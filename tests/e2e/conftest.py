"""What is built, once for all tests: `make build` for this machine, and what a deployment to AWS would build."""

import subprocess
from pathlib import Path

import pytest

from tests.needs import missing, program

ROOT = Path(__file__).parent.parent.parent
BUILT_FOR_AWS = ROOT / ".aws-sam" / "arm64"  # kept, so that the next build takes from its cache


@pytest.fixture(scope="session")
def built() -> Path:
    """Return the folder of the functions and the layer, built for this machine."""
    _sam()
    _run(program("make"), "build")
    return ROOT / ".aws-sam" / "build"


@pytest.fixture(scope="session")
def built_for_aws() -> Path:
    """Return the folder of the layer, built as it is by default."""
    folders = ["--build-dir", str(BUILT_FOR_AWS / "build"), "--cache-dir", str(BUILT_FOR_AWS / "cache")]
    _run(_sam(), "build", "SwitchboardLayer", "--cached", *folders)
    return BUILT_FOR_AWS / "build"


def _sam() -> str:
    """Return SAM where `make` installs it: with Lambda's runtime client beside it."""
    sam = ROOT / ".venv-sam" / "bin" / "sam"
    return str(sam) if sam.exists() else missing("sam: make .venv-sam/installed gets it")


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 -- ours
    assert done.returncode == 0, done.stdout + done.stderr

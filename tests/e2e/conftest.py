"""What is built, once for all tests: `make build` for this machine, and what a deployment to AWS would build."""

import fcntl
import subprocess
from pathlib import Path

import pytest

from tests.e2e.wheels import BareEnvironment, build_wheels
from tests.skips import missing, program

ROOT = Path(__file__).parent.parent.parent
BUILT_FOR_AWS = ROOT / ".aws-sam" / "arm64"  # kept, so that the next build takes from its cache


@pytest.fixture(scope="session")
def built(testrun_uid: str) -> Path:
    """Return the folder of the functions and the layer, built for this machine."""
    _sam()
    _once(testrun_uid, program("make"), "build")
    return ROOT / ".aws-sam" / "build"


@pytest.fixture(scope="session")
def built_for_aws(testrun_uid: str) -> Path:
    """Return the folder of the layer, built as it is by default."""
    folders = ["--build-dir", str(BUILT_FOR_AWS / "build"), "--cache-dir", str(BUILT_FOR_AWS / "cache")]
    _once(testrun_uid, _sam(), "build", "SwitchboardLayer", "--cached", *folders)
    return BUILT_FOR_AWS / "build"


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the wheels of `switchboard` and `twilio-emulator`, built from this checkout."""
    return build_wheels(tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="session")
def bare_environment(tmp_path_factory: pytest.TempPathFactory, wheels: dict[str, Path]) -> BareEnvironment:
    """Return an environment that holds both packages without extras, and nothing of this checkout."""
    return BareEnvironment(tmp_path_factory.mktemp("bare") / "venv", *wheels.values())


def _once(testrun_uid: str, *command: str) -> None:
    """Run a command once in a test run, whichever of its processes comes first: another may be using what it built."""
    kept = ROOT / ".local"
    kept.mkdir(exist_ok=True)
    with (kept / "built.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = kept / "built"
        done = [line for line in (built.read_text().splitlines() if built.exists() else ()) if testrun_uid in line]
        line = f"{testrun_uid} {' '.join(command)}"
        if line not in done:
            _run(*command)
            built.write_text("\n".join([*done, line]))


def _sam() -> str:
    """Return SAM where `make` installs it: with Lambda's runtime client beside it."""
    sam = ROOT / ".venv-sam" / "bin" / "sam"
    return str(sam) if sam.exists() else missing("sam: make .venv-sam/installed gets it")


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 -- ours
    assert done.returncode == 0, done.stdout + done.stderr

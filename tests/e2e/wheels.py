"""The wheels of both packages, and environments that hold wheels, what these require, and nothing else."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from tests.skips import missing

ROOT = Path(__file__).parent.parent.parent
SOURCES = {"switchboard": ROOT / "layers" / "switchboard", "twilio-emulator": ROOT / "twilio_emulator"}
LOCK = ROOT / "requirements" / "dev.txt"
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(==[^\s;]+).*\n(?: {4}.*\n)+", re.MULTILINE)  # with the lines of its hashes
NO_INDEX = "from versions: none"  # what pip says of any package, where it reaches no index


def build_wheels(folder: Path) -> dict[str, Path]:
    """Build both packages with the pinned backend of this environment, and return the wheels by package."""
    wheels = {}
    for name, source in SOURCES.items():
        built = folder / name
        _pip("wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={built}", str(source), folder=folder)
        (wheels[name],) = built.iterdir()
    return wheels


class BareEnvironment:
    """A virtual environment without pip: the wheels, and what they require, in the versions of the tests' lock."""

    def __init__(self, folder: Path, *wheels: Path) -> None:
        self.folder = folder
        _output([sys.executable, "-m", "venv", "--without-pip", str(folder)], folder=folder.parent)
        self.python = folder / "bin" / "python"
        _install(self.python, wheels, folder=folder.parent)

    def program(self, name: str) -> Path:
        """Return the path of a command that a wheel brought."""
        return self.folder / "bin" / name

    def run(self, *command: str | Path) -> str:
        """Run a program, where nothing of this checkout is on the path, and return what it prints."""
        return _output([str(each) for each in command], folder=self.folder)

    def evaluate(self, code: str) -> str:
        """Run some Python, and return what it prints."""
        return self.run(self.python, "-c", code)

    @contextmanager
    def emulator(self) -> Iterator[str]:
        """Run the command `twilio-emulator` on a free port, and give its URL, until the end of the block."""
        with subprocess.Popen(  # noqa: S603 -- the wheel's own command
            [self.program("twilio-emulator"), "--port", "0"],
            cwd=self.folder,
            env=variables(),
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                yield process.stdout.readline().partition(" on ")[2].partition(". ")[0]
            finally:
                process.kill()

    def size(self) -> int:
        """Return the bytes of all its files."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink())


def variables() -> Mapping[str, str]:
    """Return the environment variables without those that lead Python to this checkout."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _install(python: Path, wheels: tuple[Path, ...], *, folder: Path) -> None:
    """Install the wheels and what they require, each with its hash.

    With hashes, pip takes no versions from a constraint. So it says first what it would install, and then gets that.
    """
    pins = {found[1]: found for found in PIN.finditer(LOCK.read_text())}
    constraints, requirements = folder / "constraints.txt", folder / "requirements.txt"
    constraints.write_text("".join(f"{found[1]}{found[2]}\n" for found in pins.values()))
    into = ("--python", str(python), "install", "--quiet", "--only-binary=:all:")
    report = _pip(*into, "--dry-run", "--report=-", f"--constraint={constraints}", *map(str, wheels), folder=folder)
    required = {re.sub(r"[-_.]+", "-", each["metadata"]["name"]).lower() for each in json.loads(report)["install"]}
    hashed = [pins[name][0] for name in sorted(required - SOURCES.keys())]
    requirements.write_text("".join([*hashed, *_hashed(wheels)]))
    _pip(*into, "--no-deps", "--no-compile", "--require-hashes", f"--requirement={requirements}", folder=folder)


def _hashed(wheels: tuple[Path, ...]) -> Iterator[str]:
    for wheel in wheels:
        yield f"{wheel} --hash=sha256:{sha256(wheel.read_bytes()).hexdigest()}\n"


def _pip(*arguments: str, folder: Path) -> str:
    return _output([sys.executable, "-m", "pip", *arguments], folder=folder)


def _output(command: list[str], *, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, env=variables(), capture_output=True, text=True, check=False)  # noqa: S603 -- ours
    if NO_INDEX in done.stderr:
        missing("package index that pip reaches")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

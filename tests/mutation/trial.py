"""Try a generated mutant in a copy of the project: the nearest tests first, the proofs last."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import cache_from_source
from pathlib import Path

from tests.mutation.mutants import GeneratedMutant
from tests.simulation.mutants.mutant import LAYER, PROOFS, ROOT, Mutant
from tests.simulation.mutants.trial import NoVerdictError

PYTHON = ROOT / ".venv" / "bin" / "python"  # the tests' requirements are there, mutmut's are not
PYTEST = ("-m", "pytest", "-q", "-x", "--tb=no", "-rfE", "-p", "no:cacheprovider", "--hypothesis-seed=0")
SCHEDULES = ("-m", "tests.simulation", "schedules", "--seeds", "200")
TIMEOUT = 240.0  # seconds for each command; the slowest takes a tenth of it on a machine without other work
TIMED_OUT = "time-out"
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)

AGENT = (
    "tests/functional/test_agent_function.py",
    "tests/functional/test_aws_answers.py",
    "tests/functional/test_aws_errors.py",
)
SWEEPER = ("tests/functional/test_sweeper_function.py",)
PAYLOADS = ("tests/functional/test_payloads.py",)
SLOW = (("tests/unit",), PROOFS)
FAKED_BY_THE_PROOFS = (f"{LAYER}/aws/dynamodb", f"{LAYER}/twilio")
# Those of the longest path that a file begins with come after the tests that are named after its module, and beside
# those that must notice a mutant of tests/simulation/mutants.
FURTHER: dict[str, Sequence[Sequence[str]]] = {
    f"{LAYER}/turn": (AGENT,),
    f"{LAYER}/sweeper.py": (SWEEPER,),
    f"{LAYER}/aws": (AGENT, SWEEPER, PAYLOADS),
    f"{LAYER}/aws/sqs/redrive.py": (("tests/functional/test_redrive.py",),),
    f"{LAYER}/twilio/fields.py": (("tests/unit/twilio",), ("tests/functional/test_twilio_rest.py",), PAYLOADS, AGENT),
    f"{LAYER}/twilio/webhook": (PAYLOADS,),
    f"{LAYER}/twilio/rest": (("tests/unit/twilio",), AGENT, ("tests/functional/test_operators.py",)),
}


def check(project: Path, mutants: Sequence[GeneratedMutant], *, jobs: int) -> None:
    """Run every command that these mutants need on what is not mutated: what fails there notices nothing."""
    needed = dict.fromkeys(command for mutant in mutants for command in commands(mutant.file))
    with ThreadPoolExecutor(max_workers=jobs) as threads:
        for failed in threads.map(partial(_first_failure, copy=project), needed):
            if failed:
                raise NoVerdictError(f"{failed} fails on the project as it is")


def noticed_by(mutant: GeneratedMutant, project: Path) -> str:
    """Return the first test that fails with a mutant; none, if it survives."""
    with tempfile.TemporaryDirectory(dir=project.parent) as folder:
        copy = Path(folder) / "mutated"
        shutil.copytree(project, copy, copy_function=os.link)  # files are replaced, never written to
        file = copy / mutant.file
        file.unlink()
        file.write_text(mutant.text)
        Path(cache_from_source(str(file))).unlink(missing_ok=True)
        tried = (_first_failure(command, copy) for command in commands(mutant.file))
        return next((failed for failed in tried if failed), "")


def commands(file: str) -> list[tuple[str, ...]]:
    """Return what is run for a mutant of a file, in this order, until something fails."""
    nearest = Mutant(name="", file=file, old="", new="").runs
    further = FURTHER.get(max((path for path in FURTHER if file.startswith(path)), key=len, default=""), ())
    slow = () if file.startswith(FAKED_BY_THE_PROOFS) else SLOW
    runs = dict.fromkeys((*(tuple(run) for run in (*nearest, *further) if run not in SLOW), *slow))
    return [*((*PYTEST, *run) for run in runs), *((SCHEDULES,) if slow else ())]


def _first_failure(command: Sequence[str], copy: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    process = subprocess.Popen(  # noqa: S603 -- our own tests
        [str(PYTHON), *command],
        cwd=copy,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # so that what a test started ends with it
    )
    try:
        output, _ = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return f"{TIMED_OUT} of {command[-1]}"
    if process.returncode == 0:
        return ""
    failed = FAILED.search(output)
    return failed[1] if failed else f"{' '.join(command[-3:])}: {output.strip().splitlines()[-1]}"

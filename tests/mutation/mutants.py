"""Every mutant that mutmut knows of the modules which decide, write and read: one small change of the code each."""

import difflib
import random
from dataclasses import dataclass

from libcst import Module
from mutmut.mutation.file_mutation import Mutation, create_mutations

from tests.simulation.mutants.mutant import LAYER, ROOT

MUTATED = ("turn", "sweeper.py", "lifecycle.py", "aws", "twilio")


@dataclass(frozen=True, slots=True)
class GeneratedMutant:
    """A deployed file, and its text with one change."""

    file: str  # from the root
    line: int  # the first one that is changed
    text: str
    diff: str

    def __str__(self) -> str:
        return f"{self.file.removeprefix(f'{LAYER}/')}:{self.line}"


def sample(size: int, *, seed: int) -> tuple[list[GeneratedMutant], int]:
    """Draw some of all mutants, and return them with how many there are."""
    modules = {file: create_mutations(file, (ROOT / file).read_text())[:2] for file in _files()}
    known = [(file, mutation) for file, (_, mutations) in modules.items() for mutation in mutations]
    drawn = random.Random(seed).sample(known, min(size, len(known)))  # noqa: S311 -- no secret
    return [_mutant(file, modules[file][0], mutation) for file, mutation in drawn], len(known)


def _files() -> list[str]:
    paths = [ROOT / LAYER / name for name in MUTATED]
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*.py"))]
    return sorted(str(file.relative_to(ROOT)) for file in files)


def _mutant(file: str, module: Module, mutation: Mutation) -> GeneratedMutant:
    text = module.deep_replace(mutation.original_node, mutation.mutated_node).code
    _, _, where, *lines = difflib.unified_diff(module.code.splitlines(), text.splitlines(), n=0, lineterm="")
    line = int(where.split()[1].lstrip("-").partition(",")[0])
    return GeneratedMutant(file, line, text, "\n".join(each for each in lines if not each.startswith("@@")))

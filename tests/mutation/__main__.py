"""`make mutate`: make a sample of small changes of the deployed code, and print which of them no test notices."""
# ruff: noqa: T201 -- a command prints

import argparse
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.mutation.mutants import sample
from tests.mutation.trial import TIMED_OUT, check, noticed_by
from tests.simulation.mutants.trial import unbroken_copy


def main() -> None:
    """Try a sample of the mutants, a few at the same time, and print each verdict as it comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=200, help="how many mutants")
    parser.add_argument("--seed", type=int, default=0, help="which ones")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at the same time")
    options = parser.parse_args()
    mutants, known = sample(options.sample, seed=options.seed)
    print(f"{len(mutants)} of {known} mutants, seed {options.seed}", flush=True)
    survived, timed_out = 0, 0
    with unbroken_copy() as unbroken, ThreadPoolExecutor(max_workers=options.jobs) as threads:
        check(unbroken, mutants, jobs=options.jobs)
        for mutant, test in zip(mutants, threads.map(partial(noticed_by, project=unbroken), mutants), strict=True):
            survived += not test
            timed_out += test.startswith(TIMED_OUT)
            print(f"noticed    {mutant} · {test}" if test else f"SURVIVED   {mutant}\n{mutant.diff}", flush=True)
    noticed = len(mutants) - survived
    print(f"{len(mutants)} mutants, {noticed} noticed ({timed_out} by a time-out), {survived} survived")


if __name__ == "__main__":
    main()

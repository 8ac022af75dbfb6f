"""The shipped code broken on purpose, one rule at a time: a test or a proof must notice each.

`R1` … `R15` are the rules as docs/guarantees.md numbers them. Each mutant changes a line that is deployed.
"""

from tests.simulation.mutants import (
    consent,
    disclosure,
    effects,
    memory,
    notices,
    policy,
    queues,
    reply,
    rules,
    table,
    turn,
    twilio,
    web_process,
)
from tests.simulation.mutants.mutant import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *policy.MUTANTS,
    *turn.MUTANTS,
    *reply.MUTANTS,
    *disclosure.MUTANTS,
    *consent.MUTANTS,
    *rules.MUTANTS,
    *table.MUTANTS,
    *queues.MUTANTS,
    *effects.MUTANTS,
    *memory.MUTANTS,
    *notices.MUTANTS,
    *twilio.MUTANTS,
    *web_process.MUTANTS,
)

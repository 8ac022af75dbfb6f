"""Telling people: what is due, and that it is published at least once."""

from tests.simulation.mutants.mutant import LAYER, Mutant

MUTANTS = (
    Mutant(
        name="nobody is told of a handoff or a failure",
        file=f"{LAYER}/turn/settle.py",
        old="            notice=notice,\n        ),\n",
        new="        ),\n",
        breaks="a_notice_that_is_due_is_published",
    ),
    Mutant(
        name="a notice is removed before it is published",
        file=f"{LAYER}/publisher.py",
        old="            taken = self.bus.publish(some)\n            self.notices.remove_notices(taken)\n",
        new="            self.notices.remove_notices(some)\n            taken = self.bus.publish(some)\n",
        breaks="a_notice_that_is_due_is_published",
    ),
    Mutant(
        name="the sweeper publishes nothing",
        file=f"{LAYER}/publisher.py",
        old="        return self.publish(due)\n",
        new="        return tuple(due)\n",
        breaks="no_notice_outlasts_a_sweep",
    ),
    Mutant(
        name="nobody is told of a loop",
        file=f"{LAYER}/notices.py",
        old="    if is_new_loop:\n",
        new="    if False:\n",
        breaks="a_notice_that_is_due_is_published",
    ),
    Mutant(
        name="what the bus refused is removed",
        file=f"{LAYER}/publisher.py",
        old="            self.notices.remove_notices(taken)\n",
        new="            self.notices.remove_notices(some)\n",
    ),
    Mutant(
        name="a refused entry counts as published",
        file=f"{LAYER}/aws/eventbridge.py",
        old=' if "EventId" in entry]',
        new=" if entry]",
    ),
    Mutant(
        name="a sweep publishes what its worker is about to publish",
        file=f"{LAYER}/publisher.py",
        old="            before=self.clock() - LEFT_TO_ITS_WORKER, limit=MAX_NOTICES_PER_SWEEP\n",
        new="            before=self.clock(), limit=MAX_NOTICES_PER_SWEEP\n",
    ),
    Mutant(
        name="people are told of a failure only while nobody has taken the conversation",
        file=f"{LAYER}/turn/settle.py",
        old="            notice=notice,\n        ),\n",
        new="            notice=notice if human_because else None,\n        ),\n",
    ),
    Mutant(
        name="a settle forgets its notice in the table",
        file=f"{LAYER}/aws/dynamodb/turn_store.py",
        old="puts=[*map(notice_to_item, notices)]",
        new="puts=[]",
    ),
    Mutant(
        name="a hand back forgets its notice in the table",
        file=f"{LAYER}/aws/dynamodb/lifecycle_store.py",
        old="        if notice is None:\n",
        new="        if True:\n",
    ),
    Mutant(
        name="the sweeper function publishes nothing",
        file=f"{LAYER}/bootstrap/sweeper.py",
        old="        self._publish_due()\n",
        new="        pass\n",
    ),
    Mutant(
        name="a verdict waits for the event bus",
        file=f"{LAYER}/aws/sqs/messages_batch.py",
        old=" and not others_follow and result.notice is None\n",
        new=" and not others_follow\n",
    ),
)

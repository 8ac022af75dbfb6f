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
        old="        published = self._publish(due)\n",
        new="        published = tuple(due)\n",
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
        old="        before = self.clock() - LEFT_TO_ITS_WORKER\n",
        new="        before = self.clock()\n",
    ),
    Mutant(
        name="people are told of a failure only while nobody has taken the conversation",
        file=f"{LAYER}/turn/settle.py",
        old="            notice=notice,\n        ),\n",
        new="            notice=notice if human_because else None,\n        ),\n",
    ),
    Mutant(
        name="an outage is a notice a customer",
        file=f"{LAYER}/publisher.py",
        old="        return notice.type is not NoticeType.TURN_FAILED or self._leads(notice) == notice.id\n",
        new="        return True\n",
    ),
    Mutant(
        name="those who failed after the first are never told",
        file=f"{LAYER}/publisher.py",
        old="replace(failure, count=len(failures))",
        new="replace(failure, count=1)",
        breaks="a_notice_that_is_due_is_published",
    ),
    Mutant(
        name="a settle forgets its notice in the table",
        file=f"{LAYER}/aws/dynamodb/turn_store.py",
        old="[notice_to_item(settlement.notice)] if settlement.notice else []",
        new="[]",
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
        old="        self._try(self._publish_due)\n",
        new="        pass\n",
    ),
    Mutant(
        name="a verdict waits for the event bus",
        file=f"{LAYER}/aws/sqs/messages_batch.py",
        old=" and not others_follow and not tells\n",
        new=" and not others_follow\n",
    ),
    Mutant(
        name="a change of owner that Twilio did not take is forgotten",
        file=f"{LAYER}/owner_updates.py",
        old="                failed = error\n                continue\n",
        new="                failed = error\n",
        breaks="the_attributes_show_who_owns",
    ),
    Mutant(
        name="a change that comes while another is shown is hidden by it",
        file=f"{LAYER}/owner_updates.py",
        old="MAX_TRIES = 3",
        new="MAX_TRIES = 1",
    ),
    Mutant(
        name="the attributes show an owner of long ago",
        file=f"{LAYER}/owner_updates.py",
        old="        return change if change.owner is Owner.ASSISTANT else None\n",
        new="        return change\n",
    ),
    Mutant(
        name="what others keep in the attributes is lost",
        file=f"{LAYER}/twilio/rest/conversations.py",
        old='            self._write(sid, {**attributes, "switchboard": shown})\n',
        new='            self._write(sid, {"switchboard": shown})\n',
    ),
    Mutant(
        name="a decision that is on its way is overwritten",
        file=f"{LAYER}/twilio/rest/conversations.py",
        old="            if is_time and end_of_second",
        new="            if not is_time and end_of_second",
    ),
    Mutant(
        name="what we show ourselves is taken for a mistake",
        file=f"{LAYER}/twilio/webhook/parse.py",
        old='"since": str(), **others}',
        new='"since": int(), **others}',
    ),
    Mutant(
        name="a takeover forgets in the table what Twilio must show",
        file=f"{LAYER}/aws/dynamodb/lifecycle_store.py",
        old="            self.table.update_with(sid, update, puts=[owner_change_to_item(change)])\n            conversation",
        new="            self.table.update_with(sid, update, puts=[])\n            conversation",
    ),
    Mutant(
        name="a settle forgets in the table what Twilio must show",
        file=f"{LAYER}/aws/dynamodb/turn_store.py",
        old="            puts.append(owner_change_to_item(change))\n",
        new="            pass\n",
    ),
)

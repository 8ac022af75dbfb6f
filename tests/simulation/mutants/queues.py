"""The queues and the batches that a function gets of them."""

from tests.simulation.mutants.mutant import LAYER, Mutant

MUTANTS = (
    Mutant(
        name="the wrong message group",
        file=f"{LAYER}/aws/sqs/queue.py",
        old="MessageGroupId=event.conversation_sid",
        new="MessageGroupId=deduplication_id",
    ),
    Mutant(
        name="all messages of a conversation are one",
        file=f"{LAYER}/events.py",
        old='return f"MessageAdded-{event.message_sid}"',
        new='return "MessageAdded"',
    ),
    Mutant(
        name="records come back at once",
        file=f"{LAYER}/aws/sqs/queue.py",
        old='"VisibilityTimeout": seconds',
        new='"VisibilityTimeout": 0',
    ),
    Mutant(
        name="one failed turn fails the batch",
        file=f"{LAYER}/aws/sqs/messages_batch.py",
        old="                    returned += self._return_failed(sid, conversations[sid], error)\n",
        new="                    raise\n",
    ),
    Mutant(
        name="a settled record waits for strangers",
        file=f"{LAYER}/aws/sqs/messages_batch.py",
        old="        if done and not is_last:\n",
        new="        if False:\n",
    ),
    Mutant(
        name="a failed event waits for the visibility timeout",
        file=f"{LAYER}/aws/sqs/lifecycle_batch.py",
        old="                self.queue.return_with_backoff(returned)\n",
        new="                pass\n",
    ),
    Mutant(
        name="a failed event is overtaken by the next of its conversation",
        file=f"{LAYER}/aws/sqs/lifecycle_batch.py",
        old='                waiting.add(facts["conversation_sid"])\n',
        new="",
    ),
    Mutant(
        name="an outage of the table uses up SQS's deliveries",
        file=f"{LAYER}/aws/sqs/messages_batch.py",
        old="deliveries=max(record.receives for record in records)",
        new="deliveries=1",
    ),
    Mutant(
        name="a suspect is claimed with the others",
        file=f"{LAYER}/aws/sqs/batch_plan.py",
        old="for item in seen.values() if item.is_suspect(now))",
        new="for item in seen.values() if item.is_suspect(now) and item.goes_first)",
    ),
    Mutant(
        name="all suspects of a batch are taken",
        file=f"{LAYER}/aws/sqs/batch_plan.py",
        old="for item in suspects[1:]}",
        new="for item in suspects[len(suspects) :]}",
    ),
    Mutant(
        name="a suspect is charged while it waits",
        file=f"{LAYER}/aws/sqs/messages_batch.py",
        old="        together = {sid: conversations[sid] for sid in plan.together}\n",
        new="        together = {sid: conversations[sid] for sid in conversations.keys() - plan.returned.keys()}\n",
    ),
    Mutant(
        name="the others leave a suspect no time",
        file=f"{LAYER}/aws/sqs/batch_plan.py",
        old="    done_by = now + half if last and together else lease_until\n",
        new="    done_by = lease_until\n",
    ),
    Mutant(
        name="a suspect for which no time was left is not preferred the next time",
        file=f"{LAYER}/aws/sqs/messages_batch.py",
        old="        self._try(lambda: self.conversations.let_go_first(suspect))\n",
        new="",
    ),
    Mutant(
        name="a suspect that goes first waits for the others",
        file=f"{LAYER}/aws/sqs/batch_plan.py",
        old="    if last and (last.goes_first or half < MIN_TURN):\n",
        new="    if last and half < MIN_TURN:\n",
    ),
    Mutant(
        name="a suspect that cannot be read is claimed with the others",
        file=f"{LAYER}/aws/sqs/messages_batch.py",
        old="                returned += self._return_failed(sid, conversations.pop(sid), error)\n",
        new='                self.record_error(error, {"conversation_sid": sid})\n',
    ),
    Mutant(
        name="a suspect's crash brings the others' records back",
        file=f"{LAYER}/aws/sqs/messages_batch.py",
        old="others_follow=suspect is not None\n",
        new="others_follow=False\n",
    ),
    Mutant(
        name="a throttled takeover waits for the visibility timeout",
        file=f"{LAYER}/aws/sqs/lifecycle_batch.py",
        old=" or self.clock() > until - MIN_TIME_FOR_EVENT:\n",
        new=":\n",
    ),
    Mutant(
        name="a message that fails again within five minutes leaves no letter",
        file=f"{LAYER}/aws/sqs/queue.py",
        old='f"{event_id(message)}-{turn}"',
        new="event_id(message)",
    ),
    Mutant(
        name="our redrive leaves what SQS gave up unmarked",
        file=f"{LAYER}/aws/sqs/redrive.py",
        old='json.dumps({**values, "again": True})',
        new="json.dumps(values)",
    ),
    Mutant(
        name="a first text waits for no other",
        file=f"{LAYER}/aws/sqs/messages_batch.py",
        old="return max(0, round((oldest + self.coalesce - self.clock()).total_seconds()))",
        new="return max(0, int((oldest + self.coalesce - self.clock()).total_seconds()))",
    ),
    Mutant(
        name="an entry of a batch that SQS failed on is done",
        file=f"{LAYER}/aws/sqs/queue.py",
        old='if not failure["SenderFault"]}',
        new='if failure["SenderFault"]}',
    ),
    Mutant(
        name="a body holds the customer's characters as they are",
        file=f"{LAYER}/aws/sqs/queue.py",
        old="default=_plain)",
        new="default=_plain, ensure_ascii=False)",
    ),
    Mutant(
        name="a request to AWS that fails is not tried again",
        file=f"{LAYER}/bootstrap/clients.py",
        old='"total_max_attempts": 3',
        new='"total_max_attempts": 1',
    ),
)

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
        file=f"{LAYER}/aws/sqs/queue.py",
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
        old="            return [record.message_id for record in records]\n        facts",
        new="            raise\n        facts",
    ),
    Mutant(
        name="a settled record waits for strangers",
        file=f"{LAYER}/aws/sqs/messages_batch.py",
        old="        if others_think and done:\n",
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
)

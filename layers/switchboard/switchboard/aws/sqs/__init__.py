"""The two FIFO queues: events in and out, and the batches that Lambda hands to a function."""

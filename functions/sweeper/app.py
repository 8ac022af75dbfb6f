"""Every minute → what Twilio has and we have not → the queues, as if its webhook had come."""

from switchboard.bootstrap.sweeper import sweeper_function


def lambda_handler(_event: object, context: object) -> None:
    """Sweep once; what the run has no requests left for stays due."""
    sweeper = sweeper_function()
    with sweeper.telemetry.invocation(context):
        sweeper.run()

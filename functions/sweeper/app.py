"""Every minute → what Twilio has and we have not → the queues, as if the webhook had come."""

from switchboard import bootstrap


def lambda_handler(_event: object, _context: object) -> None:
    """Sweep once; what is left stays due."""
    bootstrap.sweeper().run()

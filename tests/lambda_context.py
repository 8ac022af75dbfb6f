"""The second argument of a Lambda handler: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LambdaContext:
    """The context of one invocation, with the attributes that AWS documents."""

    function_name: str = "function"
    function_version: str = "$LATEST"
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:000000000000:function:function"
    memory_limit_in_mb: str = "512"
    aws_request_id: str = "00000000-0000-4000-8000-000000000001"
    log_group_name: str = "/aws/lambda/function"
    log_stream_name: str = "2026/03/02/[$LATEST]00000000000000000000000000000001"
    identity: None = None
    client_context: None = None
    remaining_ms: int = 60_000

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may still run."""
        return self.remaining_ms

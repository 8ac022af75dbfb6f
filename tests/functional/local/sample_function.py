"""A Lambda function of a few lines, started as the local stack starts the template's."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from local.activity import Activity
from local.aws.execution_environment import FunctionSpec
from local.aws.lambda_function import LambdaFunction
from local.aws.trouble import Trouble

ARN = "arn:aws:lambda:us-east-1:000000000000:function:sample"


def written(folder: Path, handler: str, *, imports: str = "") -> Path:
    """Write `app.py` with a handler whose body is given, one statement a line."""
    folder.mkdir(exist_ok=True)
    body = "\n".join(f"    {line}" for line in handler.splitlines())
    (folder / "app.py").write_text(f"{imports}\n\ndef lambda_handler(event, context):\n{body}\n")
    return folder


def spec(folder: Path, *, timeout_seconds: int = 30, layer: Path | None = None, name: str = "sample") -> FunctionSpec:
    return FunctionSpec(
        name=name,
        handler="app.lambda_handler",
        paths=(folder,) if layer is None else (folder, layer),
        timeout_seconds=timeout_seconds,
        environment={
            "AWS_LAMBDA_FUNCTION_NAME": "sample",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/sample",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        arn=ARN,
    )


@contextmanager
def running(
    spec: FunctionSpec, *, concurrency: int = 1, trouble: Trouble | None = None
) -> Iterator[tuple[LambdaFunction, list[Activity]]]:
    """Run a function, in trouble or not; yield it and the activities that it reports."""
    activities: list[Activity] = []
    function = LambdaFunction(spec, concurrency=concurrency, listener=activities.append, trouble=trouble)
    try:
        yield function, activities
    finally:
        function.close()


def of_type[T: Activity](kind: type[T], activities: Iterable[Activity]) -> list[T]:
    """Return the activities of a class, in their order."""
    return [activity for activity in activities if isinstance(activity, kind)]

"""A cold start: the built function's imports and its first call, in a process of its own; a stub stands in for AWS."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.signing import ACCOUNT, SERVICE, TOKEN, URL, message_fields, signed_event

BUILD = Path(__file__).parents[1] / ".aws-sam" / "build"
RUNS = 9

REFERENCE = 'import boto3; boto3.client("sqs")'
OURS = """
import json, os, types, app
context = types.SimpleNamespace(
    function_name="webhook", memory_limit_in_mb="512", invoked_function_arn="arn", aws_request_id="1"
)
response = app.lambda_handler(json.loads(os.environ["EVENT"]), context)
assert response["statusCode"] == 200, response
"""
TIMED = """
import sys, time
started = time.perf_counter()
{code}
print(time.perf_counter() - started, file=sys.stderr)
"""


class _Aws(BaseHTTPRequestHandler):
    """Responds to GetSecretValue and SendMessage."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        response: dict[str, Any] = {"MessageId": "1", "MD5OfMessageBody": ""}
        if "GetSecretValue" in self.headers["X-Amz-Target"]:
            secret = {"auth_tokens": [TOKEN], "account_sid": ACCOUNT, "service_sid": SERVICE}
            response = {"Name": "twilio", "SecretString": json.dumps(secret)}
        body = json.dumps(response).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def measure() -> tuple[float, float]:
    """Return the medians, in seconds, of interleaved runs."""
    if not (BUILD / "WebhookFunction").exists():
        sys.exit("Nothing is built: `make build` first")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Aws)
    Thread(target=server.serve_forever, daemon=True).start()
    environment = _environment(f"http://127.0.0.1:{server.server_port}")
    try:
        return interleaved(OURS, REFERENCE, environment)
    finally:
        server.shutdown()


def interleaved(ours: str, reference: str, environment: Mapping[str, str]) -> tuple[float, float]:
    """Return the medians, in seconds, of interleaved runs of two programs; the first of each writes .pyc files."""
    times = [[_run(code, environment) for code in (ours, reference)] for _ in range(RUNS + 1)][1:]
    first, second = (statistics.median(each) for each in zip(*times, strict=True))
    return first, second


def _environment(endpoint: str) -> dict[str, str]:
    function, layer = BUILD / "WebhookFunction", BUILD / "SwitchboardLayer" / "python"
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{function}:{layer}",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "POWERTOOLS_SERVICE_NAME": "webhook",
        "POWERTOOLS_METRICS_NAMESPACE": "Switchboard",
        "TWILIO_SECRET_ID": "twilio",
        "SYSTEM_AUTHORS": "system",
        "PUBLIC_URL": URL,
        "MESSAGES_QUEUE_URL": f"{endpoint}/1/messages.fifo",
        "LIFECYCLE_QUEUE_URL": f"{endpoint}/1/lifecycle.fifo",
        "EVENT": json.dumps(signed_event(message_fields())),
    }


def _run(code: str, environment: Mapping[str, str]) -> float:
    # -S: only what was built is on the path, as on Lambda.
    done = subprocess.run(  # noqa: S603 -- our own code
        [sys.executable, "-S", "-c", TIMED.format(code=code)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return float(done.stderr.splitlines()[-1])

"""A whole AWS on this machine, CloudFormation included: ministack, for `sam deploy` to deploy to."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from local.aws.ministack import CREDENTIALS
from tests.waiting import wait_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Aws:
    """Where it is, and what a tool needs in its environment to speak to it."""

    endpoint: str
    log: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": self.endpoint}

    def client(self, service: str) -> Any:  # noqa: ANN401 -- boto3 makes its client classes at run time
        session = boto3.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=CREDENTIALS["AWS_REGION"],
        )
        create: Any = session.client  # one of 400 overloads, by the name of the service
        return create(service, endpoint_url=self.endpoint)

    def route(self, function: str, route: str) -> str:
        """Add a route to the one API, whose own ministack does not read from its OpenAPI body; return the API's URL."""
        gateway = self.client("apigatewayv2")
        (api,) = gateway.get_apis()["Items"]
        integration = gateway.create_integration(
            ApiId=api["ApiId"],
            IntegrationType="AWS_PROXY",
            IntegrationUri=self.client("lambda").get_function(FunctionName=function)["Configuration"]["FunctionArn"],
            PayloadFormatVersion="2.0",
        )
        target = f"integrations/{integration['IntegrationId']}"
        gateway.create_route(ApiId=api["ApiId"], RouteKey=route, Target=target)
        return f"{self.endpoint}/_aws/execute-api/{api['ApiId']}/$default"


@contextmanager
def aws(folder: Path) -> Iterator[Aws]:
    """Run it until the end of the block; it keeps what it keeps in `folder`."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    log = folder / "ministack.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "TMPDIR": str(folder),
                "STATE_DIR": str(folder / "state"),
                "BIND_HOST": "127.0.0.1",
                "MINISTACK_HOST": "127.0.0.1",
                "GATEWAY_PORT": str(port),
                "MINISTACK_REGION": CREDENTIALS["AWS_REGION"],
                "IOT_MTLS_ENABLED": "0",  # each would listen on a port of its own
                "SFTP_ENABLED": "0",
            },
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until(lambda: _listens(port), what="ministack")
            yield Aws(endpoint=f"http://127.0.0.1:{port}", log=log)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

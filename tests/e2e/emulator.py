"""Lambda's own runtime interface emulator, which comes with SAM, around a function as `make build` leaves it."""

import os
import platform
import signal
import socket
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from local.aws.ministack import CREDENTIALS
from tests.waiting import wait_until

ROOT = Path(__file__).parent.parent.parent
VENV = ROOT / ".venv-sam"
ARCHITECTURE = platform.machine().replace("aarch64", "arm64")
PACKAGES = Path(sysconfig.get_path("purelib", vars={"base": str(VENV)}))
EMULATOR = PACKAGES / "samcli" / "local" / "rapid" / f"aws-lambda-rie-{ARCHITECTURE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltFunction:
    """A function in its emulator. One invocation at a time: it crashes over two."""

    url: str
    log: BinaryIO

    def invoke(self, payload: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- what the handler returns
        """Return what the handler returns; fail if it raised."""
        answer = httpx.post(self.url, json=payload, timeout=70).json()
        assert not (isinstance(answer, dict) and "errorType" in answer), f"{answer}\n{self.logged()}"
        return answer

    def logged(self) -> str:
        """Return everything that the function and the emulator wrote."""
        self.log.seek(0)
        return self.log.read().decode(errors="replace")


@contextmanager
def emulated(built: Path, logical_id: str, environment: Mapping[str, str]) -> Iterator[BuiltFunction]:
    """Run a built function with the variables of its template, and with nothing else of this machine on its path."""
    folder = built / logical_id
    ports = _free_ports(2)
    addresses = [f"127.0.0.1:{port}" for port in ports]
    emulator = [str(EMULATOR), "--runtime-interface-emulator-address", addresses[0]]
    command = [*emulator, "--runtime-api-address", addresses[1], str(VENV / "bin" / "python"), "-m", "awslambdaric"]
    variables = {
        **CREDENTIALS,
        **environment,
        "PATH": "/usr/bin:/bin",
        "AWS_LAMBDA_FUNCTION_NAME": logical_id,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "60",
        "LAMBDA_TASK_ROOT": str(folder),
        "PYTHONPATH": f"{folder}:{built / 'SwitchboardLayer' / 'python'}",
        "PYTHONDONTWRITEBYTECODE": "1",  # a Lambda's folders cannot be written
    }
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 -- SAM's
            [*command, "app.lambda_handler"],
            cwd=folder,
            env=variables,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until(lambda: _listens(ports[0]), what="the runtime interface emulator")
            yield BuiltFunction(url=f"http://{addresses[0]}/2015-03-31/functions/function/invocations", log=log)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _free_ports(count: int) -> list[int]:
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in listening]
    finally:
        for each in listening:
            each.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

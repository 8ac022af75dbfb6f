"""`make invoke`: a built function in Docker, as SAM runs it, against a local stack that its container can reach.

The webhook and the agent function, each once: an invocation takes about 10 s, because SAM sends the engine the whole
layer. `test_built_functions` has every function on every channel, without Docker.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.fixtures.payloads import EVENTS
from local.stack import LocalStack
from tests.e2e.conftest import ROOT
from tests.e2e.emulator import ARCHITECTURE
from tests.e2e.payloads import customer
from tests.skips import missing
from tests.stacks import Running

TRIES = 5  # SAM ends a function that takes longer than its Timeout, and prints nothing: on a busy machine it may
IMAGE = f"public.ecr.aws/lambda/python:3.13-{ARCHITECTURE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Docker:
    """A local stack, and a folder for what SAM writes."""

    stack: Running
    folder: Path

    def invoke(self, payload: str) -> Any:  # noqa: ANN401 -- what the handler returns
        """Run the function that a payload of `events/` is for; return what its handler returns."""
        env_vars = self.folder / "env.json"
        env_vars.write_text(json.dumps(self.stack.stack.environments))
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TWILIO_"))}
        for _ in range(TRIES):
            done = subprocess.run(  # noqa: S603 -- ours
                [sys.executable, "-m", "local.invoke", str(EVENTS / payload), "--env-vars", str(env_vars)],
                cwd=ROOT,
                env={
                    **ours,
                    "SAM_CLI_TELEMETRY": "0",
                    "SAM_SKIP_PULL_IMAGE": "1",
                    "SAM_LAYER_CACHE_BASEDIR": str(self.folder),
                    "TMPDIR": str(self.folder),
                },
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            if done.stdout.strip():
                break
        result = json.loads(done.stdout)
        assert not (isinstance(result, dict) and "errorType" in result), f"{result}\n{done.stderr}"
        return result


@pytest.fixture(scope="module")
def bridge() -> str:
    """Return the address of this machine on Docker's bridge, under which a container reaches it."""
    docker = shutil.which("docker")
    if not docker or _run(docker, "info").returncode:
        missing("Docker engine: none answers. `.ci/with-docker make test` starts one")
    if _run(docker, "image", "inspect", IMAGE).returncode:
        missing(f"{IMAGE} in the Docker engine. `.ci/with-docker make test` gets it")
    (network,) = json.loads(_run(docker, "network", "inspect", "bridge").stdout)
    (config, *_) = network["IPAM"]["Config"]
    # Docker 20.10 names the gateway only after the bridge has had a container; it is always the first address.
    address: str = config.get("Gateway") or str(next(ip_network(config["Subnet"]).hosts()))
    try:
        socket.create_server((address, 0)).close()
    except OSError:
        missing(f"Docker engine with its bridge on this machine: nothing here can listen on {address}")
    return address


@pytest.fixture(scope="module")
def docker(built: Path, bridge: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """One stack for all tests, whose payloads are about different messages."""
    assert built.is_dir()
    with LocalStack(host=bridge) as stack, httpx.Client(timeout=30, trust_env=False) as http:
        yield Docker(stack=Running(stack=stack, http=http), folder=tmp_path_factory.mktemp("docker"))


def test_the_webhook_function_queues_a_message_and_the_reply_arrives(docker: Docker) -> None:
    result = docker.invoke("webhook/whatsapp.json")

    assert result["statusCode"] == 200
    (reply,) = docker.stack.phone(customer("whatsapp")).wait_for_replies()
    assert reply["author"] == "switchboard"


def test_the_agent_function_answers_once(docker: Docker) -> None:
    result = docker.invoke("agent/sms.json")

    assert result == {"batchItemFailures": []}
    (reply,) = docker.stack.phone(customer("sms")).inbox()
    assert reply["author"] == "switchboard"


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- it only asks

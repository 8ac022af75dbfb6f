"""`make build`, `sam deploy` onto a local AWS, the emulator as Twilio: a text in, the reply out."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.twilio_account import BUILT_IN
from switchboard.disclosure import SENTENCES
from switchboard.languages import Language
from tests.e2e.aws import Aws, aws
from tests.e2e.conftest import ROOT
from tests.e2e.emulator import ARCHITECTURE, VENV
from tests.waiting import wait_until
from twilio_emulator import Emulator
from twilio_emulator.server import Servers, listen

STACK = "switchboard"  # of samconfig.toml
CUSTOMER = "+12025550110"


class Domain:
    """The customer's own domain in front of the API, known before there is one: what PublicUrl is for."""

    def __init__(self) -> None:
        self.api = ""
        self.app = Starlette(routes=[Route("/webhook", self._forward, methods=["POST"])])

    async def _forward(self, request: Request) -> Response:
        headers = {name: value for name, value in request.headers.items() if name not in {"host", "content-length"}}
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            answer = await client.post(f"{self.api}/webhook", content=await request.body(), headers=headers)
        return Response(answer.content, answer.status_code)


@contextmanager
def twilio_and_domain() -> Iterator[tuple[str, Domain, str]]:
    """Serve the emulator and the domain; give the emulator's URL, the domain and its URL."""
    with ExitStack() as closing:
        sockets = [closing.enter_context(listen("127.0.0.1", 0)) for _ in range(2)]
        urls = [f"http://127.0.0.1:{each.getsockname()[1]}" for each in sockets]
        emulator, domain = Emulator(), Domain()
        emulator.set_webhook(f"{urls[1]}/webhook")
        servers = Servers(dict(zip(sockets, (emulator.app, domain.app), strict=True)), at_end=emulator.aclose)
        closing.callback(servers.close)
        yield urls[0], domain, urls[1]


def deploy(local_aws: Aws, built: Path, **parameters: str) -> dict[str, str]:
    """Deploy what was built, as `make deploy` does without a terminal, and return the stack's outputs."""
    overrides = " ".join(f"{name}={shlex.quote(value)}" for name, value in parameters.items())
    template, path = built / "template.yaml", f"{VENV / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(  # noqa: S603 -- our own command
        [
            *(sys.executable, "-m", "local.deploy", "--template", str(template), "--architecture", ARCHITECTURE),
            *("--", "--no-progressbar"),
        ],
        cwd=ROOT,
        env={**local_aws.environment, "SAM_CLI_TELEMETRY": "0", "PATH": path, "PARAMETERS": overrides},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (stack,) = local_aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def test_a_text_to_the_deployed_bundle_is_answered(built: Path, tmp_path: Path) -> None:
    with aws(tmp_path) as local_aws, twilio_and_domain() as (twilio_url, domain, domain_url):
        secret = local_aws.client("secretsmanager").create_secret(
            Name="twilio", SecretString=json.dumps(BUILT_IN.secret())
        )
        outputs = deploy(
            local_aws,
            built,
            AssistantModel="offline",
            AwsEndpointUrl=local_aws.endpoint,
            PublicUrl=f"{domain_url}/webhook",
            TwilioBaseUrl=twilio_url,
            TwilioSecretArn=secret["ARN"],
        )
        (webhook,) = (
            each["FunctionName"]
            for each in local_aws.client("lambda").list_functions()["Functions"]
            if "WebhookFunction" in each["FunctionName"]
        )
        domain.api = local_aws.route(webhook, "POST /webhook")

        text = {"from": CUSTOMER, "to": "+12025550100", "body": "When are you open on Saturday?"}
        httpx.post(f"{twilio_url}/_emulator/inbound", json=text).raise_for_status()
        (reply,) = wait_until(
            lambda: httpx.get(f"{twilio_url}/_emulator/inbox", params={"address": CUSTOMER}).json(),
            what="the reply",
        )

    assert outputs["WebhookUrl"] == f"{domain_url}/webhook"
    assert reply["author"] == "switchboard"
    disclosure, _, answer = reply["body"].partition("\n\n")
    assert disclosure == SENTENCES[Language.ENGLISH]
    assert answer not in (ROOT / "template.yaml").read_text()  # it is not the fallback sentence

"""The whole bundle on one machine: `with LocalStack() as stack`, on free ports unless told otherwise."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from local.activity import Happening, LogLine, Watch
from local.aws.event_source_mapping import Pollers
from local.aws.http_api import front_door, health
from local.aws.lambda_function import Function
from local.aws.ministack import LocalAws, Names
from local.aws.scheduler import Ticks
from local.aws.template import Template
from local.aws.template_functions import Declared, declared_functions
from local.fixtures.conversations import plant
from local.message_tap import overhearing
from local.snapshot import Kept
from local.twilio_account import identity, twilio_base_url
from twilio_emulator import Emulator
from twilio_emulator.server import Servers, listen

ROOT = Path(__file__).parent.parent
KEPT = ROOT / ".local"  # bytecode and logs: nothing that a run needs

INSTANCES = 2  # of a function: one that thinks never holds up the other; two is also AWS's least for a mapping
# What warms the functions up, through their own code: nothing to answer, and nothing to believe.
EMPTY_BATCH: Mapping[str, object] = {"Records": []}
STRANGERS_REQUEST: Mapping[str, object] = {
    "headers": {"x-twilio-signature": "none", "content-type": "application/x-www-form-urlencoded"},
    "requestContext": {"http": {"method": "POST", "path": "/webhook"}, "domainName": "localhost"},
    "rawPath": "/webhook",
    "rawQueryString": "",
    "body": "EventType=onMessageAdded",
    "isBase64Encoded": False,
}
MOST_REQUESTS = 64  # that wait at the front door at once


class LocalStack:
    """Emulator, front door, local AWS and functions. Ready on entry; ended at once and without a trace on exit.

    `environment` may carry an identity, TWILIO_BASE_URL and any variable the template declares for a function;
    `changes` go over the template's properties, by (logical id, name), for tests that cannot wait as long as AWS. A run
    with a `state_file` goes on where the one before ended: `StateFileUnusable` where it cannot, `StateFileNotSaved` on
    exit.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        twilio_port: int = 0,
        environment: Mapping[str, str] | None = None,
        changes: Mapping[tuple[str, str], object] | None = None,
        watch: Watch | None = None,
        state_file: Path | None = None,
    ) -> None:
        self._host = host
        self._ports = (port, twilio_port)
        self._environment = environment or {}
        self._changes = changes or {}
        self._watch = watch or _nobody
        self._is_ready = False
        self._closing = ExitStack()
        self.identity = identity(self._environment)
        self.emulator = Emulator(
            account_sid=self.identity.account_sid,
            auth_token=self.identity.auth_token,
            service_sid=self.identity.service_sid,
        )
        self.state_file = state_file
        self._kept = Kept(state_file, self.emulator)
        if self._kept.is_new:
            plant(self.emulator.backend, service_sid=self.identity.service_sid)
        self.functions: dict[str, Function] = {}
        self._callers: list[Pollers | Ticks] = []

    def __enter__(self) -> Self:
        """Return once a text would be answered; `CannotListen` where a port is taken."""
        with ExitStack() as started:
            self._start(started)
            self._closing = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End every process and connection."""
        self._is_ready = False
        self._watch = _nobody  # a turn that ends with the stack is no crash to tell of
        self._closing.close()

    def kill(self, function: str) -> None:
        """End every process of a function (`webhook`, `agent`, `lifecycle`) by SIGKILL: a Lambda crash."""
        self.functions[function].kill()

    def client(self, service: str) -> Any:  # noqa: ANN401 -- botocore makes its client classes at run time
        """Return a client of the local AWS."""
        return self._aws.client(service)

    @property
    def aws_endpoint(self) -> str:
        """The URL of the local AWS."""
        return self._aws.endpoint

    @property
    def uses_emulator(self) -> bool:
        """Tell whether the functions speak to the emulator, and to no other Twilio."""
        return self.twilio_base_url == self.twilio_url

    def _start(self, closing: ExitStack) -> None:
        """Start everything; what is started first ends last, and waits for what it serves to have ended."""
        door, twilio = (closing.enter_context(listen(self._host, port)) for port in self._ports)
        reachable = "127.0.0.1" if self._host == "0.0.0.0" else self._host  # noqa: S104 -- compared, not bound
        self.url = f"http://{reachable}:{door.getsockname()[1]}"
        self.twilio_url = f"http://{reachable}:{twilio.getsockname()[1]}"
        self.webhook_url = self._environment.get("PUBLIC_URL") or f"{self.url}/webhook"
        closing.callback(self._join_callers)
        self._aws = LocalAws(host=self._host, reachable=reachable)
        closing.callback(self._aws.close)
        declared = self._declared()
        closing.callback(self._kept.keep, self._aws, self._names)
        self.environments = {each.logical_id: dict(each.variables) for each in declared}
        threads = ThreadPoolExecutor(max_workers=MOST_REQUESTS, thread_name_prefix="request")
        closing.callback(threads.shutdown)
        for each in declared:
            function = Function(each.spec, instances=1 if each.schedules else INSTANCES, watch=self._tell)
            closing.callback(function.close)
            self.functions[each.spec.name] = function
        applications = {door: self._front_door(declared, threads), twilio: self._emulator_with_health()}
        closing.callback(Servers(applications, at_end=self.emulator.aclose).close)

        self._aws.wait_until_ready()
        self._aws.create(self._template, self._names)
        self._kept.put_items(self._aws, self._names)
        for secret_id in {each.spec.environment["TWILIO_SECRET_ID"] for each in declared}:
            self._aws.put_secret(secret_id, self.identity.secret())
        with ThreadPoolExecutor() as warming:
            list(warming.map(self._warm_up, declared))
        closing.callback(self._stop_callers)
        for each in declared:
            self._call(each)
        self._is_ready = True

    def _declared(self) -> list[Declared]:
        self.twilio_base_url = twilio_base_url(self._environment, emulator=self.twilio_url, who=self.identity)
        parameters = {
            "PublicUrl": self.webhook_url,
            "TwilioBaseUrl": self.twilio_base_url,
            "AwsEndpointUrl": self._aws.endpoint,
            "TwilioSecretArn": "switchboard-local/twilio",
            "AssistantModel": "offline",
        }
        self._template = Template.read(ROOT / "template.yaml", parameters=parameters, changes=self._changes)
        self._names = Names(template=self._template, endpoint=self._aws.endpoint)
        declared = declared_functions(
            self._template, self._names, root=ROOT, environment=self._environment, pycache=KEPT / "pycache"
        )
        return list(declared)

    def _front_door(self, declared: Iterable[Declared], threads: ThreadPoolExecutor) -> Starlette:
        ((route, name),) = [(each.route, each.spec.name) for each in declared if each.route]
        self.emulator.set_webhook(self.webhook_url)
        return front_door(self.functions[name].invoke, route=route, is_ready=self._ready, threads=threads)

    def _emulator_with_health(self) -> Starlette:
        async def healthz(_request: Request) -> Response:
            return health(is_ready=self._is_ready)

        return Starlette(
            routes=[Route("/healthz", healthz), Mount("/", overhearing(self.emulator.app, told=self._tell))]
        )

    def _warm_up(self, declared: Declared) -> None:
        if not declared.schedules:
            self.functions[declared.spec.name].warm_up(STRANGERS_REQUEST if declared.route else EMPTY_BATCH)

    def _call(self, declared: Declared) -> None:
        function = self.functions[declared.spec.name]
        for mapping in declared.mappings:
            self._callers.append(Pollers(mapping, function, client=self._aws.client("sqs"), pollers=INSTANCES))
        for schedule in declared.schedules:
            self._callers.append(Ticks(schedule, function))

    def _stop_callers(self) -> None:
        for caller in self._callers:
            caller.stop()

    def _join_callers(self) -> None:
        for caller in self._callers:
            caller.join()

    def _tell(self, happening: Happening) -> None:
        """Tell what happens; not the decisions of the warm-up, which nobody asked for."""
        if self._is_ready or not isinstance(happening, LogLine):
            self._watch(happening)

    def _ready(self) -> bool:
        return self._is_ready


def _nobody(_happening: Happening) -> None:
    """Watch nothing."""

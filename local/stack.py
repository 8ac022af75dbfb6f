"""The whole bundle on one machine: `with LocalStack() as stack`, on free ports by default."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from local.activity import Activity, Listener, LogLine, WebhookLost
from local.aws.event_bus import NOTICE_TOPIC_ARN, NOTICES, create_event_buses
from local.aws.event_source_mapping import EventSourceMapping
from local.aws.execution_environment import CannotStart, InvocationFailed
from local.aws.http_api import health, http_api
from local.aws.lambda_function import LambdaFunction
from local.aws.ministack import ACCOUNT_ID, LocalAws, Names, Throttling
from local.aws.scheduler import Schedule
from local.aws.template import Template
from local.aws.template_functions import FunctionDeclaration, read_functions
from local.aws.trouble import Trouble
from local.fixtures.conversations import load_conversations
from local.message_tap import tap_messages
from local.page.page import Page
from local.snapshot import Snapshot
from local.twilio_account import read_account, twilio_base_url
from twilio_emulator import Emulator
from twilio_emulator.server import Servers, listen
from twilio_emulator.state_file import locked

ROOT = Path(__file__).parent.parent
LOCAL_FOLDER = ROOT / ".local"  # logs, and the variables for `make invoke`; a run starts without it too

CONCURRENCY = 2  # of a function: a slow turn does not hold up others; two is also AWS's minimum for a mapping
MAX_REQUESTS = 64  # that the HTTP API passes to functions at once
BEDROCK_ENDPOINT = "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"
BEDROCK_TOKEN = "AWS_BEARER_TOKEN_BEDROCK"  # noqa: S105 -- a variable's name
WEBHOOK_PATH = "/webhook"  # of the route that Twilio calls
SHOWS_STEPS = {"POWERTOOLS_LOG_LEVEL": "DEBUG"}  # the steps of turns: the page shows them, the terminal does not
# Events that warm a function up through its own code and change nothing: an empty batch, and a request without a valid
# signature.
EMPTY_BATCH: Mapping[str, object] = {"Records": []}
UNSIGNED_REQUEST: Mapping[str, object] = {
    "headers": {"x-twilio-signature": "none", "content-type": "application/x-www-form-urlencoded"},
    "requestContext": {"http": {"method": "POST", "path": WEBHOOK_PATH}, "domainName": "localhost"},
    "rawPath": WEBHOOK_PATH,
    "rawQueryString": "",
    "body": "EventType=onMessageAdded",
    "isBase64Encoded": False,
}


class LocalStack:
    """The emulator, the HTTP API, the local AWS and the functions. On entry it starts them, on exit it ends them.

    `environment` can hold a Twilio account, TWILIO_BASE_URL and any variable that the template declares for a function.
    `changes` replace the template's properties, by (logical id, property), for tests that cannot wait as long as AWS.
    With a `state_file` a run goes on where the last one with that file ended: `StateFileUnusable` on entry if that is
    impossible, `StateFileNotSaved` on exit if the file cannot be written.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        twilio_port: int = 0,
        environment: Mapping[str, str] | None = None,
        changes: Mapping[tuple[str, str], object] | None = None,
        listener: Listener | None = None,
        state_file: Path | None = None,
    ) -> None:
        self._host = host
        self._port, self._twilio_port = port, twilio_port
        self._environment = _with_whole_path({**SHOWS_STEPS, **(environment or {})})
        self._changes = changes or {}
        self._listener = listener or _ignore
        self._is_ready = False
        self._closing = ExitStack()
        self.twilio_account = read_account(self._environment)
        self.emulator = Emulator(
            account_sid=self.twilio_account.account_sid,
            auth_token=self.twilio_account.auth_token,
            service_sid=self.twilio_account.service_sid,
            host=host,
        )
        self.trouble = Trouble(ahead=lambda: self.emulator.clock.ahead)
        self.state_file = state_file
        self.functions: dict[str, LambdaFunction] = {}
        self._triggers: list[EventSourceMapping | Schedule] = []
        self._mappings: dict[str, list[EventSourceMapping]] = {}
        self.page = Page(self)

    def __enter__(self) -> Self:
        """Return once a text gets an answer; `CannotListen` if a port is in use, `CannotStart` if a function cannot."""
        with ExitStack() as closing:
            self._start(closing)
            self._closing = closing.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End every process and connection."""
        self._is_ready = False
        self._listener = _ignore  # the invocations that this ends are not failures to report
        self._closing.close()

    def kill(self, function: str) -> None:
        """End every process of a function (`webhook`, `agent`, `lifecycle`) with SIGKILL: a Lambda crash."""
        self.functions[function].kill()

    @contextmanager
    def without_batches(self, function: str) -> Iterator[None]:
        """Give a function no batch in the block, as a disabled event source mapping does: its queues fill up."""
        with ExitStack() as disabled:
            for mapping in self._mappings[function]:
                disabled.enter_context(mapping.disabled())
            yield

    def client(self, service: str) -> Any:  # noqa: ANN401 -- botocore makes its client classes at run time
        """Return a client of the local AWS."""
        return self._aws.client(service)

    @property
    def aws_endpoint(self) -> str:
        """The URL of the local AWS."""
        return self._aws.endpoint

    def throttle_tables(self, seconds: float) -> Throttling:
        """Have DynamoDB refuse the functions' requests for so long; 0 ends it."""
        return self._aws.throttle_tables(seconds)

    def throttling(self) -> Throttling:
        """Return how it stands with that."""
        return self._aws.throttling()

    @property
    def is_ready(self) -> bool:
        """Whether everything is up, and nothing is ending."""
        return self._is_ready

    @property
    def notices_url(self) -> str:
        """The URL of the queue in which notices arrive."""
        return f"{self.aws_endpoint}/{ACCOUNT_ID}/{NOTICES}"

    @property
    def uses_emulator(self) -> bool:
        """Whether the functions send their requests to this stack's own emulator."""
        return self.twilio_base_url == self.twilio_url

    def _start(self, closing: ExitStack) -> None:
        """Start everything. What starts first ends last, after everything that uses it has ended."""
        http_socket = closing.enter_context(listen(self._host, self._port, port_option="PORT="))
        twilio_socket = closing.enter_context(listen(self._host, self._twilio_port, port_option="TWILIO_PORT="))
        reachable = "127.0.0.1" if self._host == "0.0.0.0" else self._host  # noqa: S104 -- compared, not bound
        self.url = f"http://{reachable}:{http_socket.getsockname()[1]}"
        self.twilio_url = f"http://{reachable}:{twilio_socket.getsockname()[1]}"
        self.webhook_url = self._environment.get("PUBLIC_URL") or f"{self.url}{WEBHOOK_PATH}"
        self.twilio_base_url = twilio_base_url(self._environment, emulator=self.twilio_url, account=self.twilio_account)
        snapshot = self._restore_emulator(closing)
        self.emulator.set_webhook(self.webhook_url)
        self.emulator.on_lost_webhook(lambda fields, why: self._report(WebhookLost(fields=fields, reason=why)))
        closing.callback(self._join_triggers)
        self._aws = LocalAws(host=self._host, reachable=reachable)
        closing.callback(self._aws.close)
        declarations = self._read_template()
        snapshot.check_tables(self._names)
        closing.callback(snapshot.save, self._aws, self._names)
        self.environments = {each.logical_id: dict(each.variables) for each in declarations}
        threads = ThreadPoolExecutor(max_workers=MAX_REQUESTS, thread_name_prefix="request")
        closing.callback(threads.shutdown)
        self._start_functions(declarations, closing)
        closing.callback(self.page.close)
        applications = {http_socket: self._http_api(declarations, threads), twilio_socket: self._emulator_with_health()}
        closing.callback(Servers(applications, at_end=self.emulator.aclose).close)
        closing.callback(self.page.end_streams)  # first: a stream that goes on would hold the servers up

        self._aws.wait_until_ready()
        self._aws.create(self._template, self._names)
        create_event_buses(self._aws, self._template, self._names)
        snapshot.restore_tables(self._aws, self._names)
        for secret_id in {each.spec.environment["TWILIO_SECRET_ID"] for each in declarations}:
            self._aws.put_secret(secret_id, self.twilio_account.secret())
        with ThreadPoolExecutor() as warming:
            list(warming.map(self._warm_up, declarations))
        closing.callback(self._stop_triggers)
        for each in declarations:
            self._start_triggers(each)
        self._is_ready = True

    def _restore_emulator(self, closing: ExitStack) -> Snapshot:
        """Lock the state file for this run, and give the emulator the conversations that it starts with."""
        if self.state_file is not None:
            closing.enter_context(locked(self.state_file))
        snapshot = Snapshot(self.state_file, self.emulator)
        if snapshot.is_new:
            load_conversations(self.emulator.backend, service_sid=self.twilio_account.service_sid)
        return snapshot

    def _read_template(self) -> list[FunctionDeclaration]:
        parameters = {
            "PublicUrl": self.webhook_url,
            "TwilioBaseUrl": self.twilio_base_url,
            "AwsEndpointUrl": self._aws.endpoint,
            "TwilioSecretArn": "switchboard-local/twilio",
            "AssistantModel": "offline",
            "NoticeTopicArn": NOTICE_TOPIC_ARN,
        }
        if seconds := self._environment.get("AGENT_TIMEOUT"):
            parameters["AgentTimeout"] = seconds
        _require_bedrock(self._environment)
        self._template = Template.read(ROOT / "template.yaml", parameters=parameters, changes=self._changes)
        self._names = Names(template=self._template, endpoint=self._aws.endpoint)
        return list(read_functions(self._template, self._names, root=ROOT, environment=self._environment))

    def _start_functions(self, declarations: Iterable[FunctionDeclaration], closing: ExitStack) -> None:
        for each in declarations:
            concurrency = 1 if each.schedules else CONCURRENCY
            function = LambdaFunction(each.spec, concurrency=concurrency, listener=self._report, trouble=self.trouble)
            closing.callback(function.close)
            self.functions[each.spec.name] = function

    def _http_api(self, declarations: Iterable[FunctionDeclaration], threads: ThreadPoolExecutor) -> Starlette:
        """Return the page, the emulator's control API beside it, and the template's HTTP API."""
        routes = [(route, self.functions[each.spec.name].invoke) for each in declarations for route in each.routes]
        api = http_api(routes, is_ready=lambda: self._is_ready, threads=threads)
        control = tap_messages(self.emulator.control, listener=self._report)
        agent = next(each.spec for each in declarations if each.logical_id == "AgentFunction")
        page = self.page.routes(host=self._host, webhook_path=WEBHOOK_PATH, agent=agent)
        return Starlette(routes=[*page, Mount("/_emulator", app=control), Mount("/", app=api)])

    def _emulator_with_health(self) -> Starlette:
        async def healthz(_request: Request) -> Response:
            return health(is_ready=self._is_ready)

        emulator = tap_messages(self.emulator.app, listener=self._report)
        return Starlette(routes=[Route("/healthz", healthz), Mount("/", emulator)])

    def _warm_up(self, declaration: FunctionDeclaration) -> None:
        """Start a function, and load its code before the first customer needs it; `CannotStart` if it cannot start."""
        function = self.functions[declaration.spec.name]
        try:
            function.wait_until_ready()
        except CannotStart as error:
            raise CannotStart(f"the {declaration.spec.name} function: {error}") from None
        with suppress(InvocationFailed):  # the listener got it
            if declaration.mappings:
                function.invoke(EMPTY_BATCH)
            elif any(route.path == WEBHOOK_PATH for route in declaration.routes):
                function.invoke(UNSIGNED_REQUEST)

    def _start_triggers(self, declaration: FunctionDeclaration) -> None:
        function = self.functions[declaration.spec.name]
        self._mappings[declaration.spec.name] = [
            EventSourceMapping(mapping, function, client=self._aws.client("sqs"), pollers=CONCURRENCY)
            for mapping in declaration.mappings
        ]
        self._triggers += self._mappings[declaration.spec.name]
        for schedule in declaration.schedules:
            self._triggers.append(Schedule(schedule, function))

    def _stop_triggers(self) -> None:
        for trigger in self._triggers:
            trigger.stop()

    def _join_triggers(self) -> None:
        for trigger in self._triggers:
            trigger.join()

    def _report(self, activity: Activity) -> None:
        """Pass an activity to the listener, but no log lines of the warm-up."""
        if self._is_ready or not isinstance(activity, LogLine):
            self.page(activity)
            self._listener(activity)


def _with_whole_path(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment with the whole path of a script: a function has another working directory."""
    provider, _, path = environment.get("ASSISTANT_MODEL", "").partition(":")
    return {**environment, "ASSISTANT_MODEL": f"script:{Path(path).resolve()}"} if provider == "script" else environment


def _require_bedrock(environment: Mapping[str, str]) -> None:
    """Raise `CannotStart` for a model on Bedrock that the functions could not reach: the local AWS has none."""
    named = ((name, environment.get(name, "")) for name in ("ASSISTANT_MODEL", "ASSISTANT_FALLBACK_MODEL"))
    setting, model = next((each for each in named if each[1].startswith("bedrock:")), ("", ""))
    if not setting:
        return
    endpoint = environment.get(BEDROCK_ENDPOINT, "")
    needed = [] if endpoint else [f"{BEDROCK_ENDPOINT}=https://bedrock-runtime.<your AWS region>.amazonaws.com"]
    if not environment.get(BEDROCK_TOKEN) and (not endpoint or ".amazonaws." in endpoint):
        needed = [f"{BEDROCK_TOKEN} (an API key of Bedrock)", *needed]
    if needed:
        raise CannotStart(
            f"{setting} is {model!r}, and the functions read no AWS profile of this machine. "
            f"Set {' and '.join(needed)}, or use another model"
        )


def _ignore(_activity: Activity) -> None:
    """Be the listener of a stack that has none."""

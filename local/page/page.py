"""The page of one local stack: its panes, and what they keep while it runs."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from starlette.routing import BaseRoute

from local.activity import Activity
from local.aws.event_bus import NOTICES_OF_PAGE
from local.aws.execution_environment import FunctionSpec
from local.aws.lambda_function import LambdaFunction
from local.aws.ministack import ACCOUNT_ID
from local.page.behind import behind_routes
from local.page.breaking import Breakable, breaking_routes
from local.page.conversation_view import ConversationView, Table
from local.page.desk import Desk
from local.page.live import Changes
from local.page.recorder import Recorder
from local.page.replay import Replay
from local.page.server import page_routes
from local.page.storm import Storm
from local.page.storm_routes import storm_routes
from local.twilio_account import TwilioAccount


class StackOfPage(Breakable, Protocol):
    """What the page needs of the local stack. `url` is where both the page and /webhook are served."""

    twilio_account: TwilioAccount
    url: str
    webhook_url: str

    @property
    def functions(self) -> Mapping[str, LambdaFunction]:
        """The functions, by the name of their folder."""

    @property
    def aws_endpoint(self) -> str:
        """The URL of the local AWS."""

    @property
    def uses_emulator(self) -> bool:
        """Whether the functions send their requests to this stack's own emulator."""


class Page:
    """The page of one stack: every activity of it is to be given to the page.

    Its streams are ended before the servers stop, its connections after.
    """

    def __init__(self, stack: StackOfPage) -> None:
        self._stack = stack
        self.recorder = Recorder()
        self._changes = Changes()
        self._storm = Storm(stack=stack)
        self._desk: Desk | None = None

    def __call__(self, activity: Activity) -> None:
        """Keep what happened, and have whoever watches look again."""
        self.recorder(activity)
        self._changes.tell()

    def routes(self, *, host: str, webhook_path: str, agent: FunctionSpec) -> list[BaseRoute]:
        """Return the page's routes, once the functions are declared. It answers requests for `host`, too."""
        stack = self._stack
        self._desk = Desk(
            emulator=stack.emulator,
            client=stack.client,
            environment=stack.environments["LifecycleFunction"],
            account=stack.twilio_account,
            notices_url=f"{stack.aws_endpoint}/{ACCOUNT_ID}/{NOTICES_OF_PAGE}",
            changes=self._changes,
        )
        panes = [
            *self._desk.routes(),
            *self._behind(webhook_path, agent),
            *breaking_routes(stack),
            *storm_routes(self._storm),
        ]
        return page_routes(panes, host=host)

    def end_streams(self) -> None:
        """End what the page streams, and a storm."""
        self._storm.close()
        self.recorder.changes.close()
        self._changes.end()

    def close(self) -> None:
        """Close its connections."""
        if self._desk is not None:
            self._desk.close()

    def _ahead(self) -> timedelta:
        return self._stack.emulator.clock.ahead

    def _behind(self, webhook_path: str, agent: FunctionSpec) -> Sequence[BaseRoute]:
        stack, variables = self._stack, self._stack.environments["AgentFunction"]
        table = Table(client=lambda: stack.client("dynamodb"), name=variables["CONVERSATIONS_TABLE"])
        return behind_routes(
            ConversationView(
                recorder=self.recorder, table=table, model=variables["ASSISTANT_MODEL"], ahead=self._ahead
            ),
            Replay(
                recorder=self.recorder,
                webhook_url=stack.webhook_url,
                local_url=f"{stack.url}{webhook_path}",
                auth_token=stack.twilio_account.auth_token,
                agent=agent,
                ahead=self._ahead,
            ),
        )

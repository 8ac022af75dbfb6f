"""One REST call, as the responses see it, and what they answer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models import services
from twilio_emulator.models.backend import World
from twilio_emulator.models.events import Event, Origin, rest
from twilio_emulator.responses.parameters import Form

type JSON = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status and a body; None is an empty one. `content` stands in the place of a body that is no JSON."""

    status: HTTPStatus = HTTPStatus.OK
    body: JSON | None = None
    content: bytes | None = None
    content_type: str = "application/json"


DELETED = Answer(status=HTTPStatus.NO_CONTENT)


def created(body: JSON) -> Answer:
    """Return the answer to a create."""
    return Answer(status=HTTPStatus.CREATED, body=body)


def found(body: JSON) -> Answer:
    """Return the answer to a fetch or an update."""
    return Answer(body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that was authenticated and matched a route; `origin_url` is `scheme://host:port` as the client saw.

    `ask` asks the pre-webhook about an event and returns what it wants changed; 50056 if it says no. `content` is the
    body where it is no form.
    """

    world: World
    origin_url: str
    path: str
    parts: Mapping[str, str]
    query: Form
    form: Form
    content: bytes
    content_type: str
    webhook_enabled: bool
    lists_lag: timedelta
    ask: Callable[[Event], Awaitable[Mapping[str, str]]]

    @property
    def service_sid(self) -> str:
        """The service the path names, or the account's default one; 20404 where there is none."""
        named = self.parts.get("service_sid", self.world.state.configuration.default_chat_service_sid)
        return services.fetch(self.world, named).sid

    @property
    def names_service(self) -> bool:
        """Whether the path begins with /Services/{IS}; then `url` and `links` do so too."""
        return "service_sid" in self.parts

    @property
    def origin(self) -> Origin:
        """Who causes what this call does."""
        return rest(webhook_enabled=self.webhook_enabled)

    @property
    def date_created(self) -> datetime | None:
        """The date that an import gives; 50308 where it is none."""
        return self._date("DateCreated", 50308)

    @property
    def date_updated(self) -> datetime | None:
        """The date that an import gives; 50309 where it is none."""
        return self._date("DateUpdated", 50309)

    def url(self, path: str) -> str:
        """Return the URL of a resource in the path family of this call."""
        service = f"/Services/{self.parts['service_sid']}" if self.names_service else ""
        return f"{self.origin_url}/v1{service}{path}"

    def account_url(self, path: str) -> str:
        """Return the URL of a resource that exists once an account."""
        return f"{self.origin_url}/v1{path}"

    def of_service(self) -> JSON:
        """Return what the bodies of children add in the /Services/{IS} family."""
        return {"chat_service_sid": self.service_sid} if self.names_service else {}

    def _date(self, name: str, malformed: int) -> datetime | None:
        try:
            return self.form.instant(name)
        except TwilioError:
            raise TwilioError(malformed) from None


def instant(moment: datetime | None) -> str | None:
    """Return a date as REST bodies give it: to the second."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None

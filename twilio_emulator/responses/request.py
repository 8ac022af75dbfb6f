"""The request that a handler gets and the response that it returns."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models import services
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.events import Event, Origin, rest_origin
from twilio_emulator.responses.parameters import Parameters

type JSON = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A status and a JSON body, if there is one; `content` is a body that is not JSON."""

    status: HTTPStatus = HTTPStatus.OK
    body: JSON | None = None
    content: bytes | None = None
    content_type: str = "application/json"


NO_CONTENT = Response(status=HTTPStatus.NO_CONTENT)


def created(body: JSON) -> Response:
    """Return the response to a create."""
    return Response(status=HTTPStatus.CREATED, body=body)


def ok(body: JSON) -> Response:
    """Return the response to a fetch, an update or a list."""
    return Response(body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An authenticated request that matched a route.

    `base_url` is `scheme://host:port` as the client called it. `form` holds the parameters of a form body, `content`
    the body itself. `list_lag` is how old an item must be to appear in a list. `call_pre_webhook` returns the fields
    that the pre-webhook of an event wants to change, and raises 50056 if the pre-webhook rejects the event.
    """

    backend: Backend
    base_url: str
    path: str
    path_params: Mapping[str, str]
    query: Parameters
    form: Parameters
    content: bytes
    content_type: str
    webhook_enabled: bool
    list_lag: timedelta
    call_pre_webhook: Callable[[Event], Awaitable[Mapping[str, str]]]

    @property
    def service_sid(self) -> str:
        """The service in the path, or else the account's default service; raise 20404 if it does not exist."""
        named = self.path_params.get("service_sid", self.backend.state.configuration.default_chat_service_sid)
        return services.fetch(self.backend, named).sid

    @property
    def names_service(self) -> bool:
        """Whether the path contains /Services/{IS}; then the URLs in the response contain it, too."""
        return "service_sid" in self.path_params

    @property
    def origin(self) -> Origin:
        """The origin of the events that this request causes."""
        return rest_origin(webhook_enabled=self.webhook_enabled)

    @property
    def date_created(self) -> datetime | None:
        """The creation date of an imported resource; raise 50308 if it is not valid."""
        return self._date("DateCreated", 50308)

    @property
    def date_updated(self) -> datetime | None:
        """The update date of an imported resource; raise 50309 if it is not valid."""
        return self._date("DateUpdated", 50309)

    def url(self, path: str) -> str:
        """Return the URL of a resource, with /Services/{IS} if this request has it."""
        service = f"/Services/{self.path_params['service_sid']}" if self.names_service else ""
        return f"{self.base_url}/v1{service}{path}"

    def account_url(self, path: str) -> str:
        """Return the URL of a resource of the account, which never contains /Services/{IS}."""
        return f"{self.base_url}/v1{path}"

    def service_fields(self) -> JSON:
        """Return the extra field that child resources have if the path contains /Services/{IS}."""
        return {"chat_service_sid": self.service_sid} if self.names_service else {}

    def _date(self, name: str, error_code: int) -> datetime | None:
        try:
            return self.form.timestamp(name)
        except TwilioError:
            raise TwilioError(error_code) from None


def timestamp(moment: datetime | None) -> str | None:
    """Return a date in the format of REST bodies, to the second."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None

"""An API Gateway event → the event that Twilio signed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from switchboard.errors import NotAuthentic
from switchboard.events import Event
from switchboard.twilio.signature import Form, WebhookRequest, request_from_api_gateway, verify
from switchboard.twilio.webhook import Ours, parse


class Credentials(Protocol):
    """What of the Twilio secret is needed here."""

    @property
    def auth_tokens(self) -> Sequence[str]:
        """The tokens that may sign: two during a rotation."""
        ...

    @property
    def account_sid(self) -> str:
        """Our account."""
        ...

    @property
    def service_sid(self) -> str:
        """Our Conversations service."""
        ...


class Secrets(Protocol):
    """Where the credentials are kept."""

    def read(self) -> Credentials:
        """Return them as they were read last."""
        ...

    def read_again(self) -> Credentials | None:
        """Return them anew if they changed; None if not, or if they were read just now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """Reads webhooks. `public_url` is the webhook's address where it is not API Gateway's own."""

    secrets: Secrets
    public_url: str | None
    visitor_identities: Sequence[str]

    def event_of(self, api_gateway_event: Mapping[str, Any]) -> Event:
        """Return what Twilio tells; `NotAuthentic` or `Malformed` for whatever else was sent."""
        request = request_from_api_gateway(api_gateway_event, public_url=self.public_url)
        credentials = self.secrets.read()
        form = self._verified(request, credentials)
        ours = Ours(
            account_sid=credentials.account_sid,
            service_sid=credentials.service_sid,
            visitor_identities=self.visitor_identities,
        )
        return parse(form, ours=ours)

    def _verified(self, request: WebhookRequest, credentials: Credentials) -> Form:
        try:
            return verify(request, auth_tokens=credentials.auth_tokens)
        except NotAuthentic:
            rotated = self.secrets.read_again() if request.signature else None
            if rotated is None:
                raise
            return verify(request, auth_tokens=rotated.auth_tokens)

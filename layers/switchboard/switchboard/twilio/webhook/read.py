"""An API Gateway event → the event that Twilio signed. The credentials are read again where a signature fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from switchboard.author import AuthorRules
from switchboard.errors import NotAuthentic, RejectionCause
from switchboard.events import Event
from switchboard.twilio.webhook.parse import ExpectedAccount, parse
from switchboard.twilio.webhook.verify import Form, WebhookRequest, api_url, request_from_api_gateway, verify


class Credentials(Protocol):
    """What a webhook needs of the Twilio secret."""

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

    def refresh(self) -> Credentials | None:
        """Return them anew if they changed; None if they did not, or were read just now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReader:
    """Reads webhooks. `public_url` is the URL that Twilio calls, where it is not API Gateway's own."""

    secrets: Secrets
    public_url: str | None
    author_rules: AuthorRules

    def read(self, api_gateway_event: Mapping[str, Any]) -> Event:
        """Return what Twilio tells; raise `NotAuthentic` or `Malformed` for whatever else was sent."""
        request = request_from_api_gateway(api_gateway_event, public_url=self.public_url)
        credentials = self.secrets.read()
        form = self._verified(request, credentials, api_gateway_event)
        expected = ExpectedAccount(
            account_sid=credentials.account_sid,
            service_sid=credentials.service_sid,
            author_rules=self.author_rules,
        )
        return parse(form, expected=expected)

    def _verified(
        self, request: WebhookRequest, credentials: Credentials, api_gateway_event: Mapping[str, Any]
    ) -> Form:
        tokens = credentials.auth_tokens
        try:
            return verify(request, auth_tokens=tokens)
        except NotAuthentic as error:
            if error.cause is not RejectionCause.WRONG_SIGNATURE:
                raise
            wrong_signature = error
        if rotated := self.secrets.refresh():
            tokens = rotated.auth_tokens
            try:
                return verify(request, auth_tokens=tokens)
            except NotAuthentic as error:
                wrong_signature = error
        _explain(request, api_gateway_event, tokens)
        raise wrong_signature


def _explain(request: WebhookRequest, api_gateway_event: Mapping[str, Any], auth_tokens: Sequence[str]) -> None:
    """Raise `NotAuthentic` with the cause `wrong_url` if Twilio signed the request for the API's own URL."""
    own_url = api_url(api_gateway_event)
    if own_url == request.url:
        return
    try:
        verify(replace(request, url=own_url), auth_tokens=auth_tokens)
    except NotAuthentic:
        return
    raise NotAuthentic(
        f"Twilio signed the request for {own_url}, and PUBLIC_URL says {request.url}: "
        f"give Twilio that URL, or correct the parameter PublicUrl",
        cause=RejectionCause.WRONG_URL,
    ) from None

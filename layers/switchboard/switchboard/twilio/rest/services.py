"""One Conversations service of one account: its credentials, its connections, and whether Twilio knows it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from twilio.rest import Client

from switchboard.errors import Misconfigured, Transient
from switchboard.twilio.rest.errors import TwilioRefused, raise_twilio_errors
from switchboard.twilio.rest.http import KeepAliveClient

PAGE_SIZE = 100  # the most that Twilio lists in one request
NOT_FOUND = 404
UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A connection to a Conversations service. Every error keeps Twilio's status and code and says what to do."""

    client: Client
    http: KeepAliveClient
    account_sid: str
    service_sid: str

    @property
    def resource(self) -> Any:  # noqa: ANN401 -- the package types its resources loosely
        """The twilio package's resource of the service."""
        return self.client.conversations.v1.services(self.service_sid)

    def start(self) -> None:
        """Check the credentials and that the Conversations service exists; `Misconfigured` names the setting."""
        try:
            with raise_twilio_errors("account"):
                self.client.api.v2010.accounts(self.account_sid).fetch()
            with raise_twilio_errors("Conversations service"):
                self.resource.fetch()
        except TwilioRefused as error:
            if error.status == UNAUTHORIZED:
                raise Misconfigured(str(error)) from None
            if error.status == NOT_FOUND:
                raise Misconfigured(
                    f"Twilio does not know this Conversations service: check TWILIO_CONVERSATIONS_SERVICE_SID"
                    f" ({self.service_sid})"
                ) from None
            raise

    def configure_webhook(self, url: str, *, events: Collection[str]) -> str:
        """Have Twilio call a URL after each of these events; return the URL that it called before, or an empty text."""
        webhooks = self.resource.configuration.webhooks()
        with raise_twilio_errors("webhook of the Conversations service"):
            before = webhooks.fetch().post_webhook_url
            webhooks.update(method="POST", filters=sorted(events), post_webhook_url=url)
        return str(before or "")

    def stop(self) -> None:
        """Close the connections."""
        self.http.close()

    def health(self) -> bool:
        """Tell whether Twilio answers for the service now."""
        try:
            self.start()
        except (Misconfigured, TwilioRefused, Transient):
            return False
        return True


def connect(
    *,
    account_sid: str,
    service_sid: str,
    credentials: tuple[str, str],
    refresh_credentials: Callable[[], tuple[str, str] | None] = lambda: None,
    base_url: str | None = None,
) -> Service:
    """Return a connection to a service. Nothing is sent before its first use.

    `credentials` are user and password of each request: an API key's SID and secret, or the account's SID and auth
    token. Where Twilio refuses them, `refresh_credentials` is called for newer ones, or None where there are none.
    `base_url` stands in for every `https://*.twilio.com`.
    """
    http = KeepAliveClient(base_url=base_url, refresh_credentials=refresh_credentials)
    return Service(
        client=Client(*credentials, account_sid=account_sid, http_client=http),
        http=http,
        account_sid=account_sid,
        service_sid=service_sid,
    )

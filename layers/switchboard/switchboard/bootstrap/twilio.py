"""The connection to Twilio, as the functions that call Twilio build it."""

from switchboard.aws.secrets import TwilioSecretReader
from switchboard.errors import SwitchboardError
from switchboard.twilio.rest.services import Service, connect


def twilio_service(secrets: TwilioSecretReader, base_url: str | None) -> Service:
    """Return a connection whose credentials are read again where Twilio refuses them."""

    def refresh_credentials() -> tuple[str, str] | None:
        try:
            changed = secrets.refresh()
        except SwitchboardError:  # the request has failed already, and is tried again
            return None
        return changed.rest_credentials if changed else None

    secret = secrets.read()
    return connect(
        account_sid=secret.account_sid,
        service_sid=secret.service_sid,
        credentials=secret.rest_credentials,
        refresh_credentials=refresh_credentials,
        base_url=base_url,
    )

"""The Twilio account that the local stack uses: the emulator's built-in one, unless the environment names another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit


class MissingCredentials(Exception):
    """TWILIO_BASE_URL is Twilio itself, and the environment names no account for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioAccount:
    """The credentials that the functions send and the emulator accepts."""

    account_sid: str = "AC00000000000000000000000000000001"
    auth_token: str = field(default="emulator-token", repr=False)
    service_sid: str = "IS00000000000000000000000000000001"

    def secret(self) -> dict[str, object]:
        """Return the content of the secret that the functions read from Secrets Manager."""
        return {
            "auth_tokens": [self.auth_token],
            "account_sid": self.account_sid,
            "api_key_sid": "",
            "api_key_secret": "",
            "service_sid": self.service_sid,
        }


BUILT_IN = TwilioAccount()


def read_account(environment: Mapping[str, str]) -> TwilioAccount:
    """Read TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_CONVERSATIONS_SERVICE_SID; each defaults to `BUILT_IN`."""
    return TwilioAccount(
        account_sid=environment.get("TWILIO_ACCOUNT_SID") or BUILT_IN.account_sid,
        auth_token=environment.get("TWILIO_AUTH_TOKEN") or BUILT_IN.auth_token,
        service_sid=environment.get("TWILIO_CONVERSATIONS_SERVICE_SID") or BUILT_IN.service_sid,
    )


def twilio_base_url(environment: Mapping[str, str], *, emulator: str, account: TwilioAccount) -> str:
    """Return the URL where the functions find Twilio: the emulator's, unless TWILIO_BASE_URL names another.

    TWILIO_BASE_URL=https://twilio.com is Twilio itself, for which the result is empty. Twilio charges for messages, so
    that needs an account of the user's own; `MissingCredentials` without one.
    """
    chosen = environment.get("TWILIO_BASE_URL", "").rstrip("/")
    host = urlsplit(chosen).hostname or ""
    if host != "twilio.com" and not host.endswith(".twilio.com"):
        return chosen or emulator
    if BUILT_IN.account_sid == account.account_sid or BUILT_IN.service_sid == account.service_sid:
        raise MissingCredentials(
            "TWILIO_BASE_URL is Twilio itself: "
            "set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_CONVERSATIONS_SERVICE_SID too"
        )
    return ""

"""Whose Twilio account the local stack plays, or speaks for: read from the environment, with a built-in one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

OUR_SMS_NUMBER = "+12025550100"
OUR_WHATSAPP_NUMBER = "whatsapp:+12025550101"


class NoCredentials(Exception):
    """Twilio itself was asked for without an account of one's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The credentials the functions use, and the emulator accepts."""

    account_sid: str = "AC00000000000000000000000000000001"
    auth_token: str = field(default="emulator-token", repr=False)
    service_sid: str = "IS00000000000000000000000000000001"

    def secret(self) -> dict[str, object]:
        """Return what the functions read from Secrets Manager."""
        return {
            "auth_tokens": [self.auth_token],
            "account_sid": self.account_sid,
            "api_key_sid": "",
            "api_key_secret": "",
            "service_sid": self.service_sid,
        }


BUILT_IN = Identity()


def identity(environment: Mapping[str, str]) -> Identity:
    """Read the identity from TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_CONVERSATIONS_SERVICE_SID."""
    return Identity(
        account_sid=environment.get("TWILIO_ACCOUNT_SID") or BUILT_IN.account_sid,
        auth_token=environment.get("TWILIO_AUTH_TOKEN") or BUILT_IN.auth_token,
        service_sid=environment.get("TWILIO_CONVERSATIONS_SERVICE_SID") or BUILT_IN.service_sid,
    )


def twilio_base_url(environment: Mapping[str, str], *, emulator: str, who: Identity) -> str:
    """Return where the functions find Twilio: the emulator, unless TWILIO_BASE_URL names another place.

    Empty is Twilio itself, which costs money: it takes TWILIO_BASE_URL=https://twilio.com and an account.
    """
    chosen = environment.get("TWILIO_BASE_URL", "").rstrip("/")
    host = urlsplit(chosen).hostname or ""
    if host != "twilio.com" and not host.endswith(".twilio.com"):
        return chosen or emulator
    if BUILT_IN.account_sid == who.account_sid or BUILT_IN.service_sid == who.service_sid:
        raise NoCredentials(
            "TWILIO_BASE_URL is Twilio itself: "
            "set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_CONVERSATIONS_SERVICE_SID too"
        )
    return ""

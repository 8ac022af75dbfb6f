"""HTTP basic authentication: the account SID with an auth token, or an API key with its secret."""

import base64
import binascii
import hmac
from collections.abc import Sequence

from twilio_emulator.exceptions import NOT_AUTHENTICATED, TwilioError


class Credentials:
    """The account's auth tokens, the primary one first, and its API keys; during a rotation two tokens are valid."""

    def __init__(self, *, account_sid: str, auth_tokens: Sequence[str]) -> None:
        self._account_sid = account_sid
        self.auth_tokens = tuple(auth_tokens)
        self.api_keys: dict[str, str] = {}

    @property
    def signing_token(self) -> str:
        """The token that signs webhooks: the primary one."""
        return self.auth_tokens[0]

    def check(self, authorization: str) -> None:
        """Raise 20003 unless the value of an `Authorization` header is valid for the account."""
        user, password = _parse_basic(authorization)
        secrets = (
            self.auth_tokens if user == self._account_sid else [self.api_keys[user]] if user in self.api_keys else []
        )
        if not any(hmac.compare_digest(secret.encode(), password.encode()) for secret in secrets):
            raise TwilioError(NOT_AUTHENTICATED)


def _parse_basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise TwilioError(NOT_AUTHENTICATED)
    try:
        user, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise TwilioError(NOT_AUTHENTICATED) from None
    return user, password

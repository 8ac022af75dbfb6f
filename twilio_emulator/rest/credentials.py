"""Who may call: the account with one of its auth tokens, or an API key with its secret."""

import base64
import binascii
import hmac
from collections.abc import Sequence

from twilio_emulator.exceptions import NOT_AUTHENTICATED, TwilioError


class Credentials:
    """The account's auth tokens, the primary one first (two are valid during a rotation), and its API keys."""

    def __init__(self, *, account_sid: str, auth_tokens: Sequence[str]) -> None:
        self._account_sid = account_sid
        self.auth_tokens = tuple(auth_tokens)
        self.api_keys: dict[str, str] = {}

    @property
    def signing_token(self) -> str:
        """The token that signs webhooks: the primary one, until the secondary is promoted."""
        return self.auth_tokens[0]

    def check(self, authorization: str) -> None:
        """Raise 20003 unless this is an `Authorization` header of the account."""
        user, password = _basic(authorization)
        secrets = (
            self.auth_tokens if user == self._account_sid else [self.api_keys[user]] if user in self.api_keys else []
        )
        if not any(hmac.compare_digest(secret.encode(), password.encode()) for secret in secrets):
            raise TwilioError(NOT_AUTHENTICATED)


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise TwilioError(NOT_AUTHENTICATED)
    try:
        user, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise TwilioError(NOT_AUTHENTICATED) from None
    return user, password

"""The secrets in Secrets Manager: Twilio's credentials, and the keys of models' providers.

Each is read again where it may have changed: a signature fails, or the other side refuses the credentials.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, override

from botocore.exceptions import BotoCoreError, ClientError

from switchboard.errors import Misconfigured, Transient

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import (
        SecretsManagerClient,  # for development only: boto3 makes its client classes at run time
    )

MIN_REFRESH_SECONDS = 60  # a flood of forged requests costs one read a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioSecret:
    """Twilio's credentials. During a rotation two tokens sign: the current and the next.

    `customer_key` is the key under which customers' addresses are hashed. Where the secret has none, the API key's
    secret or the token serves, and a rotation starts every customer's budget again.
    """

    auth_tokens: tuple[str, ...] = field(repr=False)
    account_sid: str
    api_key_sid: str
    api_key_secret: str = field(repr=False)
    service_sid: str
    customer_key: bytes = field(repr=False)

    @property
    def rest_credentials(self) -> tuple[str, str]:
        """The user and the password of requests to Twilio: the API key, where there is one, else the current token."""
        if self.api_key_sid:
            return self.api_key_sid, self.api_key_secret
        return self.account_sid, self.auth_tokens[0]


@dataclass(slots=True, kw_only=True)
class SecretReader[T](ABC):
    """Reads a secret once, and again on demand, at most once a minute. `clock` counts seconds."""

    setting: ClassVar[str]

    client: "SecretsManagerClient"
    secret_id: str
    clock: Callable[[], float]
    _secret: T | None = None
    _read_at: float = 0.0

    @abstractmethod
    def _parsed(self, text: str) -> T:
        """Return what the text of the secret means; raise `Misconfigured`."""

    def read(self) -> T:
        """Return the secret as it was read last."""
        return self._fetch() if self._secret is None else self._secret

    def refresh(self) -> T | None:
        """Return the secret anew if it changed; None if it did not, or was read within the last minute."""
        if self.clock() - self._read_at < MIN_REFRESH_SECONDS:
            return None
        before = self._secret
        after = self._fetch()
        return after if after != before else None

    def _fetch(self) -> T:
        self._read_at = self.clock()
        try:
            answer = self.client.get_secret_value(SecretId=self.secret_id)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in {"ResourceNotFoundException", "AccessDeniedException"}:
                raise Misconfigured(f"{self.setting}: Secrets Manager answered {code}") from None
            raise Transient(f"Secrets Manager answered {code}") from None
        except BotoCoreError as error:
            raise Transient(f"Secrets Manager could not be asked ({type(error).__name__})") from None
        self._secret = secret = self._parsed(answer.get("SecretString", ""))
        return secret


class TwilioSecretReader(SecretReader[TwilioSecret]):
    """Reads Twilio's credentials."""

    setting = "TWILIO_SECRET_ID"

    @override
    def _parsed(self, text: str) -> TwilioSecret:
        return _twilio_secret(text)


class ModelSecretReader(SecretReader[Mapping[str, str]]):
    """Reads the keys of models' providers: a JSON object of texts, such as `{"OPENAI_API_KEY": "…"}`."""

    setting = "MODEL_SECRET_ID"

    @override
    def _parsed(self, text: str) -> Mapping[str, str]:
        return _model_secret(text)


def _model_secret(text: str) -> Mapping[str, str]:
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise Misconfigured(
            'The secret of MODEL_SECRET_ID is not valid: it must be a JSON object such as {"OPENAI_API_KEY": "…"}'
        )
    return values


def _twilio_secret(text: str) -> TwilioSecret:
    try:
        values = json.loads(text)
        secret = TwilioSecret(
            auth_tokens=tuple(str(token) for token in values["auth_tokens"] if token),
            account_sid=str(values["account_sid"]),
            api_key_sid=str(values.get("api_key_sid") or ""),
            api_key_secret=str(values.get("api_key_secret") or ""),
            service_sid=str(values["service_sid"]),
            customer_key=_customer_key(values),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Misconfigured(
            "The Twilio secret is not valid: it must be JSON with auth_tokens (a list), account_sid and service_sid"
        ) from None
    if not secret.auth_tokens:
        raise Misconfigured("The Twilio secret has no auth token")
    return secret


def _customer_key(values: dict[str, Any]) -> bytes:
    candidates = (values.get("customer_key"), values.get("api_key_secret"), *values["auth_tokens"])
    return next((str(candidate) for candidate in candidates if candidate), "").encode()

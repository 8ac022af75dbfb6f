"""What can go wrong, named after who must act.

SwitchboardError
├── Rejected          the sender: change what you sent
│   ├── NotAuthentic      Twilio did not sign it
│   └── Malformed         signed or not, it is not what Twilio documents
├── Permanent         nobody: record it and go on
│   ├── SendRefused       Twilio will never take this message
│   │   └── WindowClosed      WhatsApp takes content alone now
│   └── Misconfigured     the operator: a setting is missing or wrong
├── Transient         time: try again
│   ├── NotSent           it certainly did not leave
│   └── ModelMisconfigured  the operator: the model refuses us until they act
└── Unknown           we do not know whether it happened: look before trying again
"""

from enum import StrEnum


class SwitchboardError(Exception):
    """The base of everything raised on purpose here."""


class RejectionCause(StrEnum):
    """Why a webhook is rejected. Each cause has a metric of its own."""

    UNSIGNED = "unsigned"
    WRONG_SIGNATURE = "wrong_signature"
    WRONG_URL = "wrong_url"
    WRONG_ACCOUNT = "wrong_account"
    AMBIGUOUS = "ambiguous"
    MALFORMED = "malformed"


class Rejected(SwitchboardError):
    """The sender must change what it sent. The text says why, and repeats nothing that the sender wrote."""

    cause = RejectionCause.MALFORMED

    def __init__(self, message: str, *, cause: RejectionCause | None = None) -> None:
        super().__init__(message)
        self.cause = cause or self.cause


class NotAuthentic(Rejected):
    """Twilio did not sign this request."""

    cause = RejectionCause.WRONG_SIGNATURE


class Malformed(Rejected):
    """The request is not what Twilio documents."""


class Permanent(SwitchboardError):
    """Trying again would end the same way."""


class SendRefused(Permanent):
    """Twilio will never take this message. `code` is Twilio's error code, where it gave one."""

    def __init__(self, message: str, *, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class WindowClosed(SendRefused):
    """A customer on WhatsApp has not written for 24 hours: they can be sent an approved template, and no free text."""


class Misconfigured(Permanent):
    """A setting is missing or wrong; the message names it."""


class Transient(SwitchboardError):
    """The same call may succeed later."""


class NotSent(Transient):
    """The message, or what a tool was to do, certainly did not leave, and may be tried later.

    `retry_after` is how many seconds to wait at least, where Twilio takes too many requests at once (429), else None.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelMisconfigured(Transient):
    """The model refuses our credentials, its name or our quota. It answers once the operator has acted."""


class Unknown(SwitchboardError):
    """The call may or may not have happened."""

"""Twilio's own errors: a code, the HTTP status it comes with, and what it says.

Codes and their meaning: Twilio's error dictionary (twilio.com/docs/api/errors). Twilio documents the HTTP status of few
of them; where it does not, this follows one rule: 409 for "exists already", 404 for "not found", 429 for rates, 403 for
counts at their limit, and 400 otherwise.
"""

from dataclasses import dataclass
from http import HTTPStatus

MORE_INFO = "https://www.twilio.com/docs/errors/"

UNKNOWN_PARAMETER = 20001
NOT_AUTHENTICATED = 20003
NOT_FOUND = 20404
METHOD_NOT_ALLOWED = 20004
INVALID_PARAMETER = 20422

_CODES: dict[int, tuple[HTTPStatus, str]] = {
    UNKNOWN_PARAMETER: (HTTPStatus.BAD_REQUEST, "Unknown parameter"),
    NOT_AUTHENTICATED: (HTTPStatus.UNAUTHORIZED, "Authenticate"),
    METHOD_NOT_ALLOWED: (HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed"),
    NOT_FOUND: (HTTPStatus.NOT_FOUND, "The requested resource was not found"),
    INVALID_PARAMETER: (HTTPStatus.BAD_REQUEST, "Invalid parameter"),
    20429: (HTTPStatus.TOO_MANY_REQUESTS, "Too Many Requests"),
    20500: (HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error"),
    20503: (HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable"),
    50050: (HTTPStatus.NOT_FOUND, "Service not found"),
    50303: (HTTPStatus.BAD_REQUEST, "Attributes are too long"),
    50304: (HTTPStatus.BAD_REQUEST, "Attributes are not valid JSON"),
    50213: (HTTPStatus.CONFLICT, "User was changed by another request"),
    50310: (HTTPStatus.BAD_REQUEST, "Author is too long"),
    50349: (HTTPStatus.CONFLICT, "Conversation was changed by another request"),
    50350: (HTTPStatus.NOT_FOUND, "Conversation not found"),
    50353: (HTTPStatus.CONFLICT, "Conversation with provided unique name already exists"),
    50375: (HTTPStatus.BAD_REQUEST, "Inactive timer is less than the minimum of 1 minute"),
    50376: (HTTPStatus.BAD_REQUEST, "Closed timer is less than the minimum of 10 minutes"),
    50377: (HTTPStatus.BAD_REQUEST, "Conversation is closed and cannot be changed"),
    50379: (HTTPStatus.BAD_REQUEST, "Inactive timer is no ISO-8601 duration"),
    50380: (HTTPStatus.BAD_REQUEST, "Closed timer is no ISO-8601 duration"),
    50384: (HTTPStatus.BAD_REQUEST, "Conversation cannot be created in this state"),
    50390: (HTTPStatus.BAD_REQUEST, "Unique name may not look like a conversation SID"),
    50391: (HTTPStatus.CONFLICT, "Conversation was changed by another request"),
    50407: (HTTPStatus.BAD_REQUEST, "Invalid messaging binding address"),
    50408: (HTTPStatus.BAD_REQUEST, "Invalid messaging binding proxy address"),
    50409: (HTTPStatus.BAD_REQUEST, "Messaging binding address and proxy address are the same"),
    50413: (HTTPStatus.BAD_REQUEST, "Proxy address does not belong to this account"),
    50414: (HTTPStatus.BAD_REQUEST, "Messaging binding address and proxy address are of different types"),
    50415: (HTTPStatus.BAD_REQUEST, "Proxy address is not a WhatsApp sender of this account"),
    50416: (HTTPStatus.CONFLICT, "A binding for this participant and proxy address already exists"),
    50419: (HTTPStatus.CONFLICT, "Participant was changed by another request"),
    50433: (HTTPStatus.CONFLICT, "Participant already exists"),
    50504: (HTTPStatus.BAD_REQUEST, "Message body is too long"),
}
_ANY = (HTTPStatus.BAD_REQUEST, "See Twilio's error dictionary")  # a code that only a fault names


@dataclass(slots=True)
class TwilioError(Exception):
    """Twilio refuses the request; `message` replaces the dictionary's own words."""

    code: int
    message: str = ""

    def __post_init__(self) -> None:
        self.message = self.message or _CODES.get(self.code, _ANY)[1]

    @property
    def status(self) -> HTTPStatus:
        """The HTTP status that Twilio answers with."""
        return _CODES.get(self.code, _ANY)[0]

    def body(self) -> dict[str, object]:
        """Return Twilio's error body."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"{MORE_INFO}{self.code}",
            "status": int(self.status),
        }


def not_found(resource: str) -> TwilioError:
    """Return Twilio's answer for a resource that is not there."""
    return TwilioError(NOT_FOUND, f"The requested resource {resource} was not found")

"""Twilio's error codes, each with its HTTP status and its message.

The codes and their meanings are from Twilio's error dictionary (twilio.com/docs/api/errors). Twilio documents the HTTP
status of few codes. The others follow one rule: 409 for "already exists", 404 for "not found", 429 for rate limits, 403
for other limits, and 400 for the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

MORE_INFO = "https://www.twilio.com/docs/errors/"

UNKNOWN_PARAMETER = 20001
NOT_AUTHENTICATED = 20003
METHOD_NOT_ALLOWED = 20004
NOT_FOUND = 20404
INVALID_PARAMETER = 20422

_BY_STATUS: Mapping[HTTPStatus, Mapping[int, str]] = {
    HTTPStatus.BAD_REQUEST: {
        UNKNOWN_PARAMETER: "Unknown parameter",
        INVALID_PARAMETER: "Invalid parameter",
        50055: "Invalid webhook method",
        50056: "A pre-event webhook rejected this action",
        50057: "A webhook failed to execute",
        50076: "A webhook did not respond within 5 seconds",
        50104: "Permission not found",
        50105: "Invalid role type",
        50204: "Identity not provided",
        50206: "Identity must not look like a user SID",
        50207: "Identity is too long",
        50211: "Participants on SMS, WhatsApp or other non-chat channels cannot have identities",
        50303: "Attributes are too long",
        50304: "Attributes are not valid JSON",
        50308: "Invalid DateCreated",
        50309: "Invalid DateUpdated",
        50310: "Author is too long",
        50341: "Invalid messaging service SID",
        50363: "Invalid conversation webhook SID",
        50364: "Invalid conversation webhook target",
        50365: "Invalid conversation webhook filter",
        50366: "Invalid conversation webhook trigger",
        50367: "Invalid conversation webhook flow SID",
        50368: "Conversation webhook target not provided",
        50369: "Conversation webhook URL not provided",
        50370: "Conversation webhook filter not provided",
        50371: "Conversation webhook trigger not provided",
        50372: "Conversation webhook URL is too long",
        50373: "Non-chat participants need a messaging service, and this conversation has none",
        50374: "State must not be empty",
        50375: "Inactive timer is shorter than 1 minute",
        50376: "Closed timer is shorter than 10 minutes",
        50377: "The conversation is closed and cannot be changed",
        50378: "State must be active, inactive or closed",
        50379: "Inactive timer must be an ISO 8601 duration",
        50380: "Closed timer must be an ISO 8601 duration",
        50382: "Timers cannot be set without a state",
        50384: "A new conversation cannot be closed",
        50390: "Unique name must not look like a conversation SID",
        50407: "Invalid messaging binding address",
        50408: "Invalid messaging binding proxy address",
        50409: "Participant address and proxy address must not be equal",
        50411: "Participant address is empty",
        50412: "Participant proxy address is empty",
        50413: "The account may not use this proxy address",
        50414: "Participant address type does not match proxy address type",
        50415: "Proxy address must be a WhatsApp sender of this account",
        50421: "Invalid last read message index",
        50426: "Too many participants in one request",
        50435: "Group MMS activation failed",
        50440: "The participant has no proxy address to remove",
        50441: "A proxy address can only be added to a participant with an address",
        50442: "The participant has no projected address to remove",
        50443: "A projected address cannot be added to a participant with a messaging binding",
        50444: "The participant already has an identity",
        50451: "Give either Identity or Address, not both",
        50452: "Group MMS is not enabled for this account",
        50453: "A proxy address is not supported for this channel",
        50503: "Message body not provided",
        50504: "Message body is too long",
        50508: "Media was already sent with another message",
        50510: "Invalid media SID",
        50511: "Media content type is not accepted",
        50512: "Media is too large",
        50526: "Invalid content SID",
        50527: "Content variables must be a JSON object of strings",
        50528: "Content variables need a content SID",
        50529: "Content variables are too long",
        50540: "Content variable key is too long",
        50541: "Content variable value is too long",
    },
    HTTPStatus.UNAUTHORIZED: {NOT_AUTHENTICATED: "Authenticate"},
    HTTPStatus.FORBIDDEN: {
        20005: "Account not active",
        20006: "Access denied",
        20403: "Forbidden",
        50107: "User not authorized for command",
        50214: "User conversation limit exceeded",
        50361: "Too many conversation webhooks",
        50362: "Too many conversation webhook triggers",
        50417: "Participants limit exceeded",
        50418: "Non-chat participants limit exceeded",
        50422: "Non-chat conversation participants limit exceeded",
        50436: "Participant limit exceeded for group conversation",
    },
    HTTPStatus.NOT_FOUND: {
        NOT_FOUND: "The requested resource was not found",
        50050: "Service not found",
        50100: "Role not found",
        50200: "User not found",
        50350: "Conversation not found",
        50360: "Conversation webhook not found",
        50430: "Participant is not a member of the conversation",
        50432: "Participant not found",
        50500: "Message not found",
        50507: "Media not found",
        50610: "Address configuration was deleted",
    },
    HTTPStatus.METHOD_NOT_ALLOWED: {METHOD_NOT_ALLOWED: "Method not allowed"},
    HTTPStatus.CONFLICT: {
        50201: "User already exists",
        50213: "Conflicting user modification",
        50349: "Conflicting conversation modification",
        50353: "Conversation with provided unique name already exists",
        50391: "Conflicting conversation modification",
        50416: "A binding for this participant and proxy address already exists",
        50419: "Conflicting participant modification",
        50433: "Participant already exists",
        50437: "Group participant already exists",
        50438: "Group conversation with given participant list already exists",
    },
    HTTPStatus.TOO_MANY_REQUESTS: {
        20429: "Too Many Requests",
        50063: "Actions per second limit exceeded",
        50074: "Service actions per second limit exceeded",
    },
    HTTPStatus.INTERNAL_SERVER_ERROR: {20500: "Internal Server Error"},
    HTTPStatus.SERVICE_UNAVAILABLE: {20503: "Service Unavailable"},
}
_BY_CODE = {code: (status, text) for status, codes in _BY_STATUS.items() for code, text in codes.items()}
_UNKNOWN = (HTTPStatus.BAD_REQUEST, "See Twilio's error dictionary")  # for other codes, which only a fault uses


@dataclass(slots=True)
class TwilioError(Exception):
    """Twilio's error response to a request; `message` replaces the default message of the code."""

    code: int
    message: str = ""

    def __post_init__(self) -> None:
        self.message = self.message or _BY_CODE.get(self.code, _UNKNOWN)[1]

    @property
    def status(self) -> HTTPStatus:
        """The HTTP status of the response."""
        return _BY_CODE.get(self.code, _UNKNOWN)[0]

    def body(self) -> dict[str, object]:
        """Return the JSON body of the response."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"{MORE_INFO}{self.code}",
            "status": int(self.status),
        }


def not_found(resource: str) -> TwilioError:
    """Return Twilio's error for a resource that does not exist."""
    return TwilioError(NOT_FOUND, f"The requested resource {resource} was not found")

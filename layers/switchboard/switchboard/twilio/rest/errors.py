"""What an error answer of Twilio means: who must act, and what to do.

Twilio's own text is left out, because it may hold addresses.
"""

import json
import re
from collections.abc import Generator
from contextlib import contextmanager

from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.response import Response

from switchboard.errors import NotSent, Permanent, SendRefused, SwitchboardError, Transient, Unknown

CONFLICTS = frozenset({50391, 50349, 50419, 50213})  # somebody changed the same thing at the same time
CREDENTIALS = frozenset({401, 403})
TOO_MANY = 429
MIN_RETRY_AFTER = 1.0  # seconds
SERVER_ERROR = 500

_WHAT_TO_DO = {
    20003: "check the account SID and the auth token (TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN), or the API key",
    20404: "there is no such resource",
    50350: "there is no such conversation",
    50353: "another conversation has this unique name",
    50377: "the conversation is closed, for good",
    50407: "the customer's address is malformed",
    50408: "our address is malformed",
    50413: "our address does not belong to this account",
    50414: "give both addresses with the same prefix: `whatsapp:` on both or on none",
    50415: "our address is not a WhatsApp sender of this account",
    50416: "this customer is in another open conversation with this address; close that one first",
    50433: "the participant is in the conversation already",
    50503: "the body is empty",
    50504: "the body is too long",
    20429: "too many requests at once; wait and try again",
}


class TwilioRefused(Permanent):
    """Twilio refuses the request whenever it is made; `status` and `code` are Twilio's."""

    def __init__(self, message: str, *, status: int, code: int | None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class TwilioUnavailable(Transient):
    """Twilio may take the same request later; `status` and `code` are Twilio's.

    `retry_after` is how many seconds to wait at least, where there were too many requests (429), else None.
    """

    def __init__(self, message: str, *, status: int, code: int | None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after


class TooManyRequests(TwilioRestException):  # type: ignore[misc]  # the package carries no types
    """The package's error for a 429, with the wait that Twilio asks for. The package drops the header."""

    def __init__(self, uri: str, text: str, *, retry_after: str | None) -> None:
        super().__init__(TOO_MANY, uri, "", code=_code(text))
        self.retry_after = _seconds(retry_after)


@contextmanager
def raise_twilio_errors(what: str) -> Generator[None]:
    """Turn an error of a call into who must act: `TwilioRefused`, `TwilioUnavailable`, or `Transient` for no answer."""
    try:
        yield
    except TwilioRestException as error:
        raise _rest_error(what, error) from None
    except Unknown as error:
        raise Transient(f"{what}: {error}") from None
    except TwilioException as error:
        raise _page_error(what, error) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # a 2xx that nobody can read
        raise _unreadable(what, error) from None


def _unreadable(what: str, error: Exception) -> Transient:
    return Transient(f"{what}: unreadable answer ({type(error).__name__})")


def _page_error(what: str, error: TwilioException) -> SwitchboardError:
    """Read a list's error answer: the package raises it without status or code, and with the answer among its args."""
    answer = next((given for given in error.args if isinstance(given, Response)), None)
    if answer is None:
        return _unreadable(what, error)
    return _rest_error(what, TwilioRestException(answer.status_code, "", code=_code(answer.text)))


def _code(text: str) -> int | None:
    """Return Twilio's error code in the text of an answer, or None."""
    try:
        return int(json.loads(text)["code"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _seconds(retry_after: str | None) -> float:
    """Return the seconds of a Retry-After header; the shortest wait where it is absent, or a date."""
    if retry_after and re.fullmatch(r"[0-9]{1,5}", retry_after):
        return max(MIN_RETRY_AFTER, float(retry_after))
    return MIN_RETRY_AFTER


def _retry_after(error: TwilioRestException) -> float | None:
    return error.retry_after if isinstance(error, TooManyRequests) else None


def _rest_error(what: str, error: TwilioRestException) -> SwitchboardError:
    sentence = _sentence(what, error)
    if _passes(error):
        return TwilioUnavailable(sentence, status=error.status, code=error.code, retry_after=_retry_after(error))
    return TwilioRefused(sentence, status=error.status, code=error.code)


@contextmanager
def classify_send(what: str) -> Generator[None]:
    """Decide how a send ended: nothing is raised (sent), or `SendRefused`, `NotSent` or `Unknown` is."""
    try:
        yield
    except TwilioRestException as error:
        sentence = _sentence(what, error)
        if error.status >= SERVER_ERROR:
            raise Unknown(sentence) from None
        if _passes(error) or error.status in CREDENTIALS:  # wrong credentials: the operator corrects them
            raise NotSent(sentence, retry_after=_retry_after(error)) from None
        raise SendRefused(sentence, code=error.code) from None
    except (TwilioException, ValueError, KeyError, TypeError, AttributeError) as error:  # a 2xx that nobody can read
        raise Unknown(f"{what}: unreadable answer ({type(error).__name__})") from None


@contextmanager
def nothing_left() -> Generator[None]:
    """Turn an error of a call that comes before a POST into what it says of the POST: `SendRefused` or `NotSent`."""
    try:
        yield
    except TwilioRefused as error:
        if error.status in CREDENTIALS:
            raise NotSent(str(error)) from None
        raise SendRefused(str(error), code=error.code) from None
    except TwilioUnavailable as error:
        raise NotSent(str(error), retry_after=error.retry_after) from None
    except Transient as error:
        raise NotSent(str(error)) from None


def _passes(error: TwilioRestException) -> bool:
    return error.status == TOO_MANY or error.status >= SERVER_ERROR or error.code in CONFLICTS


def _sentence(what: str, error: TwilioRestException) -> str:
    advice = _WHAT_TO_DO.get(error.code or 0)
    if advice is None:
        advice = _WHAT_TO_DO[20429] if error.status == TOO_MANY else "see Twilio's error dictionary"
    return f"{what}: Twilio answered {error.status}, code {error.code}: {advice}"

"""What an error of a tool or a model means: time mends it, the operator has to, or nothing will.

Each library has exceptions of its own for the same few things. They are recognised by the names of their classes and by
the HTTP status or the error code that they carry, in the error itself and in what caused it; no library is imported
for it.
"""

import errno
import inspect
import re
import socket
import ssl
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from functools import partial

from switchboard.errors import ModelMisconfigured, Permanent, Transient, Unknown


class Verdict(StrEnum):
    """Who mends an error. The order is that of a group: what comes first decides for all of its errors."""

    MISCONFIGURED = "misconfigured"  # the operator: the model refuses our credentials, our quota or its own name
    LATER = "later"  # time
    PERMANENT = "permanent"  # nobody, without a change of the code or of the question


MAX_CHAIN = 100  # errors that one error may lead to; also ends a chain that runs in a circle

_PASSING_NAME = (
    r"\w*(?:"
    r"Time[Dd]?[Oo]ut(?:Error|Exception|Expired|Exceeded)?|DeadlineExceeded|"
    r"Connect(?:ion|or)?(?:(?:Reset|Refused|Aborted|Closed|Lost|Failed|Failure)(?:Error|Exception)?|Error|Exception)|"
    r"NetworkError|RemoteProtocolError|ProxyError|BrokenResourceError|Disconnected(?:Error)?|"
    r"IncompleteRead(?:Error)?|BadStatusLine|ChunkedEncodingError|ClientPayloadError|ResponseStreamingError|"
    r"(?:Server|Service|Model|Temporarily)Unavailable\w*|ServerError|BadGateway|"
    r"(?:Throttl|RateLimit|TooManyRequests|Overloaded|ConcurrencyLimit)\w*"
    r")"
)
# Names that say too little by themselves mean this only where the library is known.
_PASSING_NAME_OF: Mapping[str, frozenset[str]] = {
    "botocore": frozenset({"HTTPClientError"}),
    "requests": frozenset({"RetryError"}),
    "urllib3": frozenset({"ProtocolError", "MaxRetryError", "EmptyPoolError", "SSLError"}),
}
_ERROR_STATUSES = range(400, 600)
_REFUSED_REQUEST = ("ModelRequestRejectedError", "UserError")
_PASSING_STATUSES = frozenset({408, 425, 429, *range(500, 600)})
# Of a code in lower case, letters and digits only: "ThrottlingException", "rate_limit_exceeded", "overloaded_error".
# The codes of AWS: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_PASSING_CODE = (
    r"throttl|toomanyrequests|ratelimit|slowdown|throughputexceeded|requestlimitexceeded|bandwidthlimitexceeded|"
    r"^limitexceededexception$|resourceexhausted|insufficient\w*capacity|capacityexceeded|overloaded|"
    r"serviceunavailable|temporarilyunavailable|^unavailable$|internalserver|internalfailure|^internalerror$|"
    r"servererror|^apierror$|timeout|deadlineexceeded|priorrequestnotcomplete|transactioninprogress|"
    r"modelnotready|modelstreamerror|mpagreementbeingcreated"
)
_PASSING_ERRNOS = frozenset(
    {errno.ENETDOWN, errno.ENETUNREACH, errno.ENETRESET, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL}
)
_PASSING_OS_ERRORS = (
    socket.gaierror,
    socket.herror,
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
    ssl.SSLSyscallError,
    ssl.SSLWantReadError,
    ssl.SSLWantWriteError,
)

_MODEL_SDKS = frozenset({"openai", "anthropic"})
_BEDROCK_OPERATIONS = frozenset({"Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream"})
_REFUSING_NAMES = frozenset(
    {
        "ModelAuthenticationError",
        "ModelNotFoundError",
        "ModelQuotaExceededError",
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "NoAuthTokenError",
        "TokenRetrievalError",
        "SSOError",
        "LoginError",
        "ProfileNotFound",
    }
)
_REFUSING_STATUSES = frozenset({401, 402, 403, 404})
_REFUSING_CODE = (
    r"accessdenied|unrecognizedclient|invalidclienttokenid|invalidsignature|signaturedoesnotmatch|expiredtoken|"
    r"missingauthenticationtoken|resourcenotfound|modelnotfound|invalidapikey|authenticationerror|unauthenticated|"
    r"permissiondenied|permissionerror|^notfounderror$|insufficientquota|quotaexceeded|exceededcurrentquota|billing|"
    r"creditbalance|spendlimit|usagelimit"
)


def judge(error: BaseException, *, model_errors: Collection[BaseException] = ()) -> tuple[Verdict, BaseException]:
    """Return what an error means, and the one that says so: itself, or what it consists of or was caused by.

    `model_errors` are those that the model's own requests raised. A context that `raise … from None` hides is hidden
    here too. What says nothing that we know is permanent; where the model's request raised it, its answer could not be
    read, and another one may be.
    """
    if judged := _judge(error, model_errors, set(), of_model=False):
        return judged
    is_unreadable = any(error is each for each in model_errors) and _is_no_refusal(error)
    return Verdict.LATER if is_unreadable else Verdict.PERMANENT, error


def related(error: BaseException) -> Iterator[BaseException]:
    """Yield what an error consists of: the members of a group, or the error that it was given as an argument."""
    if isinstance(error, BaseExceptionGroup):
        yield from error.exceptions
        return
    yield from (each for each in (*error.args, _read(error, "reason")) if isinstance(each, BaseException))


def cause(error: BaseException) -> BaseException | None:
    """Return what led to an error, as Python's own traceback would show it."""
    return error.__context__ if error.__cause__ is None and not error.__suppress_context__ else error.__cause__


def http_status(error: BaseException) -> int | None:
    """Return the status of the HTTP response that an error reports: 400 to 599, or None."""
    response = _read(error, "response")
    sources = ((source, name) for source in (error, response) for name in ("status_code", "http_status", "status"))
    values = (
        _read_item(_read_item(response, "ResponseMetadata"), "HTTPStatusCode"),
        *(_read(source, name) for source, name in sources),
        _code(error),
    )
    status = next((int(value) for value in values if isinstance(value, int)), 0)
    return status if status in _ERROR_STATUSES else None


def _judge(
    error: BaseException, model_errors: Collection[BaseException], seen: set[int], *, of_model: bool
) -> tuple[Verdict, BaseException] | None:
    if id(error) in seen or len(seen) >= MAX_CHAIN:
        return None
    seen.add(id(error))
    of_model = of_model or any(error is each for each in model_errors)
    if verdict := _verdict(error, of_model=of_model):
        return verdict, error
    parts = (_judge(part, model_errors, seen, of_model=of_model) for part in related(error))
    if verdicts := [each for each in parts if each]:
        return min(verdicts, key=lambda each: tuple(Verdict).index(each[0]))
    before = cause(error)
    return None if before is None else _judge(before, model_errors, seen, of_model=of_model)


def _verdict(error: BaseException, *, of_model: bool) -> Verdict | None:
    """Return what an error says by itself; None where it says nothing."""
    match error:
        case Permanent():
            return Verdict.PERMANENT
        case ModelMisconfigured():
            return Verdict.MISCONFIGURED
        # Unknown is a tool's: what it does outside is keyed by the turn, and may be asked for again.
        case Transient() | Unknown():
            return Verdict.LATER
    if _is_engines(error, "UsageLimitExceeded"):
        return Verdict.PERMANENT
    if _is_engines(error, "UnexpectedModelBehavior"):
        return Verdict.LATER if of_model or _is_empty_answer(error) else None
    return _foreign_verdict(error, of_model=of_model or _is_a_models(error))


def _foreign_verdict(error: BaseException, *, of_model: bool) -> Verdict | None:
    classes = [(each.__module__.partition(".")[0], each.__name__) for each in type(error).__mro__]
    codes = [re.sub(r"[^a-z0-9]", "", code.lower()) for code in _codes(error, of_model=of_model)]
    status = http_status(error)
    if of_model and (
        any(name in _REFUSING_NAMES for _, name in classes) or any(re.search(_REFUSING_CODE, code) for code in codes)
    ):
        return Verdict.MISCONFIGURED
    if any(
        re.fullmatch(_PASSING_NAME, name) or name in _PASSING_NAME_OF.get(library, ()) for library, name in classes
    ) or _is_passing_os_error(error):
        return Verdict.PERMANENT if not of_model and _has_bad_certificate(error) else Verdict.LATER
    if status in _PASSING_STATUSES or any(re.search(_PASSING_CODE, code) for code in codes):
        return Verdict.LATER
    return Verdict.MISCONFIGURED if of_model and status in _REFUSING_STATUSES else None


def _is_no_refusal(error: BaseException) -> bool:
    """Tell whether an error, or one of a group, is none of a request that the model does not take."""
    if isinstance(error, BaseExceptionGroup):
        return any(map(_is_no_refusal, error.exceptions))
    return http_status(error) is None and not any(map(partial(_is_engines, error), _REFUSED_REQUEST))


def _is_empty_answer(error: BaseException) -> bool:
    """Tell whether the model said nothing: no text, only thoughts, cut off before it began, or filtered."""
    if _is_engines(error, "ContentFilterError") or _is_engines(error, "OutputTokenLimitExceeded"):
        return True
    retry = _read(_read(error.__cause__, "tool_retry"), "retry")
    return _read(retry, "cause") == "no_output"


def _is_engines(error: BaseException, name: str) -> bool:
    """Tell whether an error is pydantic-ai's of this name."""
    return any(
        each.__name__ == name and each.__module__.partition(".")[0] == "pydantic_ai" for each in type(error).__mro__
    )


def _is_a_models(error: BaseException) -> bool:
    """Tell whether an error is a model's also where a tool met it."""
    if _is_engines(error, "ModelAPIError") or _read(error, "operation_name") in _BEDROCK_OPERATIONS:
        return True
    return any(each.__module__.partition(".")[0] in _MODEL_SDKS for each in type(error).__mro__)


def _is_passing_os_error(error: BaseException) -> bool:
    if not isinstance(error, OSError):
        return False
    if isinstance(error, _PASSING_OS_ERRORS) or error.errno in _PASSING_ERRNOS:
        return True
    # asyncio raises this where each of a host's addresses failed in its own way, without a number and without a cause.
    return error.errno is None and str(error).startswith("Multiple exceptions: ")


def _has_bad_certificate(error: BaseException) -> bool:
    """Tell whether a connection failed because of the other side's certificate: no wait mends that."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < MAX_CHAIN:
        each = waiting.pop()
        if isinstance(each, ssl.SSLCertVerificationError):
            return True
        if id(each) not in seen:
            seen.add(id(each))
            waiting += [part for part in (*related(each), cause(each)) if part is not None]
    return False


def _codes(error: BaseException, *, of_model: bool) -> Iterator[str]:
    """Yield the error codes of a response: a model's SDK has them in several places, botocore in one."""
    found = [_code(error), _read_item(_read_item(_read(error, "response"), "Error"), "Code")]
    if of_model:
        body = _read(error, "body")
        found += [_read(error, name) for name in ("type", "provider_error_code", "provider_error_type")]
        found += [_read_item(part, name) for part in (body, _read_item(body, "error")) for name in ("code", "type")]
    yield from (code for code in found if isinstance(code, str))


def _code(error: BaseException) -> object:
    """Return the attribute `code` where it is a plain one: aiohttp's is a property that warns whoever reads it."""
    return inspect.getattr_static(error, "code", None)


def _read(thing: object, name: str) -> object:
    """Return an attribute of an object that we know nothing of: None where it has none, or reading it fails."""
    try:
        return getattr(thing, name, None)
    except Exception:  # noqa: BLE001 -- a property of any library may raise anything
        return None


def _read_item(thing: object, key: str) -> object:
    return thing.get(key) if isinstance(thing, Mapping) else None

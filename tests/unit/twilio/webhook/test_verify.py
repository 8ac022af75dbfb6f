"""Verify: Twilio's published test vectors are accepted; a form that Twilio did not sign is rejected."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from switchboard.author import AuthorRules
from switchboard.errors import Malformed, NotAuthentic, Rejected, RejectionCause
from switchboard.events import Event
from switchboard.twilio.webhook.parse import ExpectedAccount, parse
from switchboard.twilio.webhook.verify import MAX_FIELDS, Form, WebhookRequest, request_from_api_gateway, verify
from tests.builders import sid
from tests.signing import ACCOUNT, SERVICE, TOKEN, URL, api_gateway_event, message_fields, signature_of

VOICE_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
VOICE_FIELDS = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}
JSON_HASH = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
JSON_BODY = '{"property": "value", "boolean": true}'
EMPTY_HASH = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
EXPECTED = ExpectedAccount(account_sid=ACCOUNT, service_sid=SERVICE, author_rules=AuthorRules())


def form_request(fields: Any, *, signature: str, url: str = URL) -> WebhookRequest:  # noqa: ANN401 -- urlencode's
    return WebhookRequest(
        url=url,
        content_type="application/x-www-form-urlencoded",
        signature=signature,
        body=urlencode(fields, doseq=True).encode(),
    )


def json_request(body: str, *, signature: str, url: str) -> WebhookRequest:
    return WebhookRequest(url=url, content_type="application/json", signature=signature, body=body.encode())


# Published in the twilio packages for Python and Node (tests/unit/test_request_validator.py, spec/validation.spec.js).
FORM_VECTORS: list[tuple[str, dict[str, Any], str]] = [
    (VOICE_URL, VOICE_FIELDS, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    (VOICE_URL.replace(".com", ".com:1234"), VOICE_FIELDS, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    (VOICE_URL.replace("https", "http").replace(".com", ".com:1234"), VOICE_FIELDS, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
    (VOICE_URL, VOICE_FIELDS, "kvajT1Ptam85bY51eRf/AJRuM3w="),
    (VOICE_URL.replace("https", "http"), VOICE_FIELDS, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    (
        VOICE_URL,
        {"Sid": "CA123", "SidAccount": "AC123", "Digits": ["5678", "1234", "1234"]},
        "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
    ),
    (VOICE_URL, {"MessagingBinding.Address": ["+1325xxxxxxx", "+1415xxxxxxx"]}, "83O6e2vORAoJHUNzJjDWN1jz+BA="),
    (VOICE_URL, {"MessagingBinding.Address": ["+1415xxxxxxx", "+1325xxxxxxx"]}, "83O6e2vORAoJHUNzJjDWN1jz+BA="),
    (f"{VOICE_URL}&Body=It%27s+amazing", VOICE_FIELDS, "TfZzewPq8wqrGlMfyAud8+/IvJ0="),
    (
        "https://example.com/myapp.php?foo=1&bar=2",
        {**VOICE_FIELDS, "From": "+14158675310", "Caller": "+14158675310"},
        "L/OH5YylLD5NRKLltdqwSvS0BnU=",
    ),
]


@pytest.mark.parametrize(("url", "fields", "signature"), FORM_VECTORS)
def test_a_published_form_signature_is_accepted(url: str, fields: dict[str, Any], signature: str) -> None:
    form = verify(form_request(fields, signature=signature, url=url), auth_tokens=["12345"])

    assert set(form) == set(fields)


@pytest.mark.parametrize(
    ("url", "body", "signature"),
    [
        (f"{VOICE_URL}&bodySHA256={JSON_HASH}", JSON_BODY, "a9nBmqA0ju/hNViExpshrM61xv4="),
        (f"https://mycompany.com/myapp.php?bodySHA256={JSON_HASH}", JSON_BODY, "y77kIzt2vzLz71DgmJGsen2scGs="),
        (f"{VOICE_URL}&bodySHA256={EMPTY_HASH}", "{}", "Ldidvp12m26NI7eqEvxnEpkd9Hc="),
    ],
)
def test_a_published_json_signature_is_accepted(url: str, body: str, signature: str) -> None:
    verify(json_request(body, signature=signature, url=url), auth_tokens=["12345"])


def test_a_field_with_an_empty_value_is_part_of_the_signature() -> None:
    fields = message_fields(Attributes="")

    form = verify(form_request(fields, signature=signature_of(fields)), auth_tokens=[TOKEN])

    assert form.get("Attributes") == ""


def test_any_of_several_tokens_may_have_signed() -> None:
    request = form_request(VOICE_FIELDS, signature="RSOYDt4T1cUTdK1PDd93/VVr8B8=", url=VOICE_URL)

    assert verify(request, auth_tokens=["another", "12345"])


def test_reading_a_repeated_field_is_malformed() -> None:
    form = Form({"MessageSid": ("IM1", "IM2")})

    with pytest.raises(Malformed):
        form.get("MessageSid")


@given(
    st.sampled_from(sorted(message_fields())),
    st.text(max_size=30),
    st.sampled_from(["value", "name", "drop", "add"]),
)
def test_a_form_that_was_changed_after_signing_is_rejected(name: str, text: str, how: str) -> None:
    fields = message_fields()
    signature = signature_of(fields)
    forged: dict[str, str] = dict(fields)
    match how:
        case "value":
            forged[name] = text
        case "name":
            forged[text] = forged.pop(name)
        case "drop":
            del forged[name]
        case _:
            forged[f"x{text}"] = text
    assume(forged != fields)

    with pytest.raises(Rejected):
        parse(verify(form_request(forged, signature=signature), auth_tokens=[TOKEN]), expected=EXPECTED)


def signed_text(pairs: Sequence[tuple[str, str]]) -> str:
    return "".join(name + value for name, value in sorted(pairs))


@pytest.mark.parametrize(
    "split",
    [
        {"Body": "hi there", "ChatServiceSid": None, "MessagingServiceSid": None},
        {"Author": "+12025550110Bodyhi there", "Body": None},
        {"Body": None, "Bodyh": "i there"},
        {"EventType": "onMessageAddedIndex"},
        {"EventType": "on", "Index": None, "MessageAddedIndex": "1"},
        {"ParticipantSid": None, "P": "articipant", "S": f"id{sid('MB', 1)}RetryCount0", "RetryCount": None},
        {"Source": None, "S": "", "o": "", "u": "rceSMS"},
    ],
)
def test_a_field_that_contains_its_neighbour_is_rejected_or_tells_the_same_event(
    split: dict[str, str | None],
) -> None:
    fields = {**message_fields(Body="hi there"), **split}
    if split.get("ChatServiceSid", "") is None:
        fields["Body"] = f"hi thereChatServiceSid{SERVICE}"
    forged = {name: value for name, value in fields.items() if value is not None}

    own = parsed_or_none(message_fields(Body="hi there"))
    assert parsed_or_none(forged, signature=signature_of(forged)) in (None, own)


def parsed_or_none(fields: dict[str, str], *, signature: str | None = None) -> Event | None:
    """Return the event of a form, or None where the form is rejected."""
    request = form_request(fields, signature=signature or signature_of(fields))
    try:
        return parse(verify(request, auth_tokens=[TOKEN]), expected=EXPECTED)
    except Rejected:
        return None


@given(st.binary(max_size=300), st.text(max_size=40), st.sampled_from(["form", "json", "other"]))
def test_any_unsigned_body_is_rejected_and_raises_no_other_error(body: bytes, signature: str, kind: str) -> None:
    content_type = {"form": "application/x-www-form-urlencoded", "json": "application/json", "other": "text/plain"}
    url = f"{URL}?bodySHA256={'0' * 64}" if kind == "json" else URL

    with pytest.raises((NotAuthentic, Malformed)):
        verify(
            WebhookRequest(url=url, content_type=content_type[kind], signature=signature, body=body),
            auth_tokens=[TOKEN],
        )


@pytest.mark.parametrize(
    ("content_type", "signature", "cause"),
    [
        ("application/x-www-form-urlencoded", "", RejectionCause.UNSIGNED),
        ("application/json", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", RejectionCause.UNSIGNED),  # and no bodySHA256
        ("application/x-www-form-urlencoded", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", RejectionCause.WRONG_SIGNATURE),
    ],
)
def test_a_request_without_a_signature_is_counted_apart_from_one_with_a_wrong_signature(
    content_type: str, signature: str, cause: RejectionCause
) -> None:
    request = WebhookRequest(url=URL, content_type=content_type, signature=signature, body=b"")

    with pytest.raises(NotAuthentic) as rejected:
        verify(request, auth_tokens=[TOKEN])

    assert rejected.value.cause is cause


A_HASH = f"bodySHA256={'0' * 64}"
JSON = "application/json"
# An event of API Gateway, by what the log says of it.
MALFORMED: dict[str, dict[str, Any]] = {
    "the webhook URL must not have a query": api_gateway_event(b"", signature="x", query="a=1"),
    "the body has more than 262144 bytes": api_gateway_event(b"x" * (256 * 1024 + 1), signature="x"),
    "the body is neither base64 nor text": {**api_gateway_event(b"", signature="x"), "body": "%%%"},
    "the body is not valid UTF-8": api_gateway_event(b"\xff", signature="x"),
    "the body is neither a form nor JSON": api_gateway_event(b"", signature="x", content_type="text/plain"),
    "the body is not a valid form: it must have at most 200 URL-encoded fields": api_gateway_event(
        urlencode({f"field{number}": "" for number in range(201)}).encode(), signature="x"
    ),
    "the body is not valid JSON": api_gateway_event(b"{", signature="x", content_type=JSON, query=A_HASH),
    "the body is not a JSON object of at most 200 fields": api_gateway_event(
        json.dumps({f"field{number}": "" for number in range(201)}).encode(),
        signature="x",
        content_type=JSON,
        query=A_HASH,
    ),
}


@pytest.mark.parametrize(("reason", "event"), MALFORMED.items(), ids=MALFORMED)
def test_a_malformed_request_says_what_is_wrong(reason: str, event: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as malformed:
        verify(request_from_api_gateway(event, public_url=None), auth_tokens=[TOKEN])

    assert (str(malformed.value), malformed.value.cause) == (reason, RejectionCause.MALFORMED)


def test_a_body_of_a_quarter_of_a_megabyte_is_read() -> None:
    event = api_gateway_event(b"x" * (256 * 1024), signature="x")

    with pytest.raises(NotAuthentic):
        verify(request_from_api_gateway(event, public_url=None), auth_tokens=[TOKEN])


@pytest.mark.parametrize("number", [200, 201])
def test_a_request_has_at_most_two_hundred_fields(number: int) -> None:
    fields = {f"field{each}": "" for each in range(number)}
    text = json.dumps(fields)
    url = f"{URL}?bodySHA256={sha256(text.encode()).hexdigest()}"
    signature = RequestValidator(TOKEN).compute_signature(url, {})

    for request in (
        form_request(fields, signature=signature_of(fields)),
        json_request(text, signature=signature, url=url),
    ):
        if number == MAX_FIELDS:
            assert len(verify(request, auth_tokens=[TOKEN])) == number
        else:
            with pytest.raises(Malformed):
                verify(request, auth_tokens=[TOKEN])


def test_our_signatures_for_tests_are_twilios() -> None:
    fields = message_fields()

    assert RequestValidator(TOKEN).validate(URL, fields, signature_of(fields))

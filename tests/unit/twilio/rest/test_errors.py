"""An error answer of Twilio: who must act, and what the sentence tells them to do."""

import json

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.response import Response

from switchboard.errors import NotSent, SendRefused, SwitchboardError, Transient, Unknown
from switchboard.twilio.rest.errors import TwilioRefused, TwilioUnavailable, classify_send, raise_twilio_errors

# Twilio's error dictionary.
ADVICE = {
    20003: "check the account SID and the auth token",
    20404: "there is no such resource",
    20429: "too many requests at once",
    50350: "there is no such conversation",
    50353: "another conversation has this unique name",
    50377: "the conversation is closed",
    50407: "the customer's address is malformed",
    50408: "our address is malformed",
    50413: "our address does not belong to this account",
    50414: "both addresses with the same prefix",
    50415: "our address is not a WhatsApp sender of this account",
    50416: "another open conversation",
    50433: "the participant is in the conversation already",
    50504: "the body is too long",
    50999: "see Twilio's error dictionary",
}


@pytest.mark.parametrize(("code", "advice"), ADVICE.items())
def test_the_code_says_what_to_do(code: int, advice: str) -> None:
    sentence = f"^CH1: Twilio answered 400, code {code}: .*{advice}"

    with pytest.raises(TwilioRefused, match=sentence) as refused, raise_twilio_errors("CH1"):
        raise TwilioRestException(400, "", code=code)

    assert (refused.value.status, refused.value.code) == (400, code)


def test_too_many_requests_without_a_code_say_to_wait() -> None:
    sentence = "^CH1: Twilio answered 429, code None: too many requests at once; wait and try again$"

    with pytest.raises(TwilioUnavailable, match=sentence), raise_twilio_errors("CH1"):
        raise TwilioRestException(429, "")


@pytest.mark.parametrize(
    ("status", "code", "of_a_read", "of_a_send"),
    [
        (400, 50407, TwilioRefused, SendRefused),
        (401, 20003, TwilioRefused, NotSent),
        (403, 20403, TwilioRefused, NotSent),
        (404, 20404, TwilioRefused, SendRefused),
        (409, 50416, TwilioRefused, SendRefused),
        *((409, code, TwilioUnavailable, NotSent) for code in (50391, 50349, 50419, 50213)),
        (429, None, TwilioUnavailable, NotSent),
        (499, None, TwilioRefused, SendRefused),
        (500, None, TwilioUnavailable, Unknown),
        (503, 50391, TwilioUnavailable, Unknown),
    ],
)
def test_the_status_and_the_code_decide_who_must_act(
    status: int, code: int | None, of_a_read: type[SwitchboardError], of_a_send: type[SwitchboardError]
) -> None:
    with pytest.raises(SwitchboardError) as read, raise_twilio_errors("CH1"):
        raise TwilioRestException(status, "", code=code)
    with pytest.raises(SwitchboardError) as sent, classify_send("CH1"):
        raise TwilioRestException(status, "", code=code)

    assert (type(read.value), type(sent.value)) == (of_a_read, of_a_send)


@pytest.mark.parametrize(
    ("status", "text", "error", "code"),
    [
        (404, json.dumps({"code": 20404}), TwilioRefused, 20404),
        (404, "<html>", TwilioRefused, None),
        (404, "[]", TwilioRefused, None),
        (404, "{}", TwilioRefused, None),
        (409, json.dumps({"code": 50391}), TwilioUnavailable, 50391),
        (503, "", TwilioUnavailable, None),
    ],
)
def test_the_error_answer_to_a_list_is_read_from_what_the_package_raises(
    status: int, text: str, error: type[TwilioRefused | TwilioUnavailable], code: int | None
) -> None:
    with pytest.raises(SwitchboardError) as raised, raise_twilio_errors("CH1"):
        raise TwilioException("Unable to fetch page", Response(status, text))

    assert isinstance(raised.value, error)
    assert (raised.value.status, raised.value.code) == (status, code)


@pytest.mark.parametrize("error", [TwilioException("odd"), ValueError("no JSON"), KeyError("sid"), TypeError("odd")])
def test_an_answer_that_nobody_can_read_names_the_call_and_the_error_and_none_of_its_text(error: Exception) -> None:
    sentence = f"CH1: unreadable answer \\({type(error).__name__}\\)$"

    with pytest.raises(Transient, match=sentence), raise_twilio_errors("CH1"):
        raise error
    with pytest.raises(Unknown, match=sentence), classify_send("CH1"):
        raise error

"""Signatures, compared with the test vectors of the `twilio` packages of Python and Node."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from twilio_emulator.webhooks.signing import signature

TOKEN = "12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
CALL = (
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675309"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
)
REPEATED = (("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234"))


@pytest.mark.parametrize(
    ("url", "fields", "signed"),
    [
        (URL, CALL, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (URL.replace("https", "http").replace(".com", ".com:1234"), CALL, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        (URL, REPEATED, "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
        (f"{URL}&Body=It%27s+amazing", CALL, "TfZzewPq8wqrGlMfyAud8+/IvJ0="),
    ],
)
def test_signatures_equal_the_packages_test_vectors(url: str, fields: tuple[tuple[str, str], ...], signed: str) -> None:
    assert signature(TOKEN, url, fields) == signed


class Fields(dict[str, list[str]]):
    def getlist(self, name: str) -> list[str]:
        return self[name]


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=8))
def test_twilios_validator_accepts_every_signature(pairs: list[tuple[str, str]]) -> None:
    pairs = [(name, value) for name, value in pairs if (name + value).isprintable()]
    fields = Fields()
    for name, value in pairs:
        fields.setdefault(name, []).append(value)

    assert RequestValidator(TOKEN).validate(URL, fields, signature(TOKEN, URL, pairs))

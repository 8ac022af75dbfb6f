"""A customer's key and address: the same on every channel, and without it."""

import pytest

from switchboard.customers import address_of, key_of

NUMBER = "+12025550110"


@pytest.mark.parametrize(
    ("author", "address"),
    [
        (NUMBER, NUMBER),
        (f"whatsapp:{NUMBER}", NUMBER),
        (f"WhatsApp:{NUMBER}", NUMBER),
        (f"newchannel:{NUMBER}", NUMBER),
        ("messenger:1234567", "1234567"),
        ("rcs:a-brand", "a-brand"),
        ("visitor-0123", "visitor-0123"),
        ("user:42", "user:42"),
        ("12345", "12345"),
    ],
)
def test_an_address_has_no_channel(author: str, address: str) -> None:
    assert address_of(author) == address


def test_a_key_is_the_same_on_every_channel_of_a_number_and_tells_nothing_of_it() -> None:
    key = key_of(NUMBER, secret=b"secret")

    assert key_of(f"whatsapp:{NUMBER}", secret=b"secret") == key
    assert "2025550110" not in key
    assert len(key) == 32


def test_another_number_and_another_secret_give_another_key() -> None:
    keys = {key_of(NUMBER, secret=b"secret"), key_of("+12025550111", secret=b"secret"), key_of(NUMBER, secret=b"other")}

    assert len(keys) == 3

"""The links in an answer, as a phone finds them."""

import pytest

from switchboard.agents.links import is_allowed, linked_hosts


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("See https://shop.example.com/bikes?x=1.", ["shop.example.com"]),
        ("[our prices](http://prices.example.com)", ["prices.example.com"]),
        ("HTTPS://Evil.Example:8080/a", ["evil.example"]),
        ("https://shop.example.com@evil.example/", ["evil.example"]),
        (r"https://evil.example\@shop.example.com/", ["evil.example"]),
        ("www.evil.example, evil.com and evil.de.", ["www.evil.example", "evil.com", "evil.de"]),
        ("evil.example/login", ["evil.example"]),
        ("myapp://open", ["open"]),
        (r"https:\\evil.example", [""]),
        ("http://[::1/", [""]),
    ],
)
def test_a_link_is_found(text: str, hosts: list[str]) -> None:
    assert list(linked_hosts(text)) == hosts


@pytest.mark.parametrize(
    "text",
    ["Open 9.30am to 5.30 p.m., e.g. today.", "Node.js and/or 3.5/5", "Write to ana@shop.com", "We open.See you"],
)
def test_what_is_no_link_is_not_found(text: str) -> None:
    assert list(linked_hosts(text)) == []


def test_a_host_allows_its_subdomains_and_no_host_that_ends_alike() -> None:
    hosts = ("shop.com", "www.shop.com", "evilshop.com", "shop.com.evil.com", "")

    assert [host for host in hosts if is_allowed(host, {"shop.com"})] == ["shop.com", "www.shop.com"]

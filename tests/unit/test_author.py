"""Who wrote a message, from its Author alone, in the order of the rules."""

import re

import pytest

from switchboard.author import AuthorRole, AuthorRules

VISITOR = f"visitor-{'0' * 31}a"
HUMANS_PHONE = "+12025550199"
RULES = AuthorRules(
    system_authors=frozenset({"system", "crm", "+12025550197"}),
    human_addresses=(re.compile(r"(whatsapp:)?\+1(202)5550199"), re.compile("switchboard")),
    visitor_identities=(re.compile("user_[0-9]+"), re.compile(r"[a-z]+@example\.com"), re.compile("crm")),
)


@pytest.mark.parametrize(
    "author",
    [
        "+12025550110",
        "whatsapp:+12025550110",
        "whatsapp:US.1234",
        "rcs:agent_7",
        "messenger:4711",
        "email:kim@example.com",
        "line:U4af4980629",
        "instagram:4711",
        "x-desk.v2+beta:7",
        "WhatsApp:+12025550110",
        "user:4711",
        "sms:line\nbreak",
        "688",
        "68849",
        "12345678",
        VISITOR,
    ],
)
def test_a_channel_address_a_short_code_and_our_own_visitors_are_customers(author: str) -> None:
    assert AuthorRules().classify(author) is AuthorRole.CUSTOMER


@pytest.mark.parametrize(
    "author",
    [
        "joe",
        "Robin Smith: workshop",
        ":4711",
        "whatsapp:",
        "+",
        "12",
        "123456789",
        "٦٨٨٤٩",
        "6884x",
        "kim@example.com",
        "user_4711",
        "0191d3f0-8f6e-7a3c-b1de-0242ac120002",
        f"x{VISITOR}",
        f"{VISITOR}0",
        f"{VISITOR}\n",
        VISITOR.upper(),
        "Switchboard",
        "system ",
        "SYSTEM",
        " ",
    ],
)
def test_everybody_else_is_a_human(author: str) -> None:
    assert AuthorRules().classify(author) is AuthorRole.HUMAN


@pytest.mark.parametrize(
    ("author", "role"),
    [
        ("switchboard", AuthorRole.ASSISTANT),
        ("crm", AuthorRole.SYSTEM),
        ("+12025550197", AuthorRole.SYSTEM),
        (HUMANS_PHONE, AuthorRole.HUMAN),
        ("whatsapp:+12025550199", AuthorRole.HUMAN),
        ("sms:+12025550199", AuthorRole.CUSTOMER),
        (f"{HUMANS_PHONE}0", AuthorRole.CUSTOMER),
        ("user_4711", AuthorRole.CUSTOMER),
        ("kim@example.com", AuthorRole.CUSTOMER),
        ("user_4711x", AuthorRole.HUMAN),
    ],
)
def test_the_first_rule_that_matches_the_whole_author_decides(author: str, role: AuthorRole) -> None:
    assert RULES.classify(author) is role


def test_who_names_no_author_is_a_system_whatever_the_settings_say() -> None:
    assert AuthorRules(system_authors=frozenset({"crm"})).classify("") is AuthorRole.SYSTEM

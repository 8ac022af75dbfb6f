"""The settings that say who speaks, as a function reads them."""

import pytest

from switchboard.author import AuthorRole
from switchboard.errors import Misconfigured
from switchboard.settings import WebhookSettings, agent_settings, webhook_settings
from tests.functional.agent import ENVIRONMENT


def read(**environment: str) -> WebhookSettings:
    return webhook_settings(
        {
            "TWILIO_SECRET_ID": "twilio",
            "MESSAGES_QUEUE_URL": "https://sqs.example.com/messages.fifo",
            "LIFECYCLE_QUEUE_URL": "https://sqs.example.com/lifecycle.fifo",
            "SYSTEM_AUTHORS": "system",
            **environment,
        }
    )


def test_authors_and_expressions_are_separated_by_spaces() -> None:
    rules = read(
        SYSTEM_AUTHORS="system crm",
        HUMAN_ADDRESSES=r"\+12025550198  whatsapp:\+1(202)555019[0-9]",
        VISITOR_IDENTITIES="user_[0-9]+ guest-.*",
    ).author_rules

    assert [rules.classify(author) for author in ("crm", "whatsapp:+12025550197", "guest-", "user_7", "joe")] == [
        AuthorRole.SYSTEM,
        AuthorRole.HUMAN,
        AuthorRole.CUSTOMER,
        AuthorRole.CUSTOMER,
        AuthorRole.HUMAN,
    ]


@pytest.mark.parametrize("name", ["HUMAN_ADDRESSES", "VISITOR_IDENTITIES"])
@pytest.mark.parametrize("wrong", ["[0-9", "(kim", "*", "(?P<1>x)", r"\+1(202"])
def test_an_invalid_expression_is_found_by_its_variable_and_number_and_not_repeated(name: str, wrong: str) -> None:
    with pytest.raises(Misconfigured, match=rf"^{name}: expression 2 is not a valid regular expression") as error:
        read(**{name: f"fine {wrong}"})

    assert wrong not in str(error.value).removeprefix(name)


@pytest.mark.parametrize("address", ["+12025550199", "whatsapp:+12025550199"])
def test_an_address_whose_plus_sign_would_match_nothing_is_refused(address: str) -> None:
    with pytest.raises(Misconfigured, match=r"^HUMAN_ADDRESSES: in expression 1, write \\\+") as error:
        read(HUMAN_ADDRESSES=address)

    assert "2025550199" not in str(error.value)


def test_a_system_without_authors_is_not_configured() -> None:
    with pytest.raises(Misconfigured, match="SYSTEM_AUTHORS"):
        read(SYSTEM_AUTHORS=" ")


QUEUES = {
    "MESSAGES_QUEUE_URL": "https://sqs.example.com/q",
    "MESSAGES_DEAD_LETTER_QUEUE_URL": "https://sqs.example.com/d",
}


def allowed_link_hosts(hosts: str) -> frozenset[str]:
    return agent_settings({**ENVIRONMENT, **QUEUES, "ALLOWED_LINK_HOSTS": hosts}).allowed_link_hosts


def test_a_disclosure_that_is_not_set_is_not_taken_for_one_that_is_off() -> None:
    environment = {**ENVIRONMENT, **QUEUES}
    assert agent_settings({**environment, "DISCLOSURE_SENTENCE": ""}).disclosure_sentence == ""
    del environment["DISCLOSURE_SENTENCE"]

    with pytest.raises(Misconfigured, match=r"^DISCLOSURE_SENTENCE is not set$"):
        agent_settings(environment)


def test_hosts_are_separated_by_spaces_and_have_no_capitals() -> None:
    assert allowed_link_hosts("Shop.example.com  www.example.org") == {"shop.example.com", "www.example.org"}


@pytest.mark.parametrize(
    "wrong", ["https://shop.example.com", "shop.example.com/prices", "*.example.com", "com", "a,b.com"]
)
def test_what_is_no_host_is_refused(wrong: str) -> None:
    with pytest.raises(Misconfigured, match=r"^ALLOWED_LINK_HOSTS has '.+': it takes hosts such as shop"):
        allowed_link_hosts(f"shop.example.com {wrong}")

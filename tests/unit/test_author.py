"""Who wrote a message, told from its Author and ParticipantSid."""

import pytest

from switchboard.author import ASSISTANT_AUTHOR, VISITOR_IDENTITY, AuthorRole, classify_author
from tests.builders import sid

VISITOR = f"visitor-{'0' * 31}1"


def role_of(author: str, *, participant_sid: str | None = sid("MB", 1)) -> AuthorRole:
    return classify_author(
        author=author, participant_sid=participant_sid, visitor_identities=[VISITOR_IDENTITY, "guest-[0-9]+"]
    )


@pytest.mark.parametrize("address", ["+12025550110", "whatsapp:+12025550110", "whatsapp:US.1234", "messenger:1234"])
def test_a_channel_address_is_a_customer(address: str) -> None:
    assert role_of(address) is AuthorRole.CUSTOMER


@pytest.mark.parametrize("identity", [VISITOR, "guest-7"])
def test_an_identity_that_matches_a_visitor_identity_is_a_customer(identity: str) -> None:
    assert role_of(identity) is AuthorRole.CUSTOMER


@pytest.mark.parametrize("identity", ["robin", "visitor-1", f"x{VISITOR}", f"{VISITOR}1", "guest-7a", "12025550110"])
def test_any_other_identity_is_a_human(identity: str) -> None:
    assert role_of(identity) is AuthorRole.HUMAN


@pytest.mark.parametrize("participant_sid", [None, "", sid("MB", 1)])
def test_our_own_author_is_the_assistant_whether_or_not_it_takes_part(participant_sid: str | None) -> None:
    assert role_of(ASSISTANT_AUTHOR, participant_sid=participant_sid) is AuthorRole.ASSISTANT


@pytest.mark.parametrize("author", ["system", "+12025550110", "robin"])
@pytest.mark.parametrize("participant_sid", [None, ""])
def test_a_message_of_no_participant_is_the_systems(author: str, participant_sid: str | None) -> None:
    assert role_of(author, participant_sid=participant_sid) is AuthorRole.SYSTEM

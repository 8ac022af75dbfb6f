"""Content: what Twilio would refuse is refused where it is written."""

import pytest

from switchboard.content import Content
from switchboard.errors import Misconfigured
from tests.builders import sid


def test_content_has_a_sid_and_variables() -> None:
    content = Content(sid=sid("HX", 1), variables={"1": "Zoë"})

    assert content.variables_as_json == '{"1": "Zo\\u00eb"}'
    assert Content(sid=sid("HX", 1)).variables_as_json == "{}"


@pytest.mark.parametrize("wrong", ["", "HX1", f"{sid('HX', 1)} ", sid("IM", 1), "welcome"])
def test_a_sid_of_anything_else_is_refused_and_not_repeated(wrong: str) -> None:
    with pytest.raises(Misconfigured, match="the SID of content is not a valid ContentSid") as raised:
        Content(sid=wrong)

    assert not wrong or wrong not in str(raised.value)


@pytest.mark.parametrize(
    "variables",
    [{"": "x"}, {"n" * 17: "x"}, {"1": "x" * 257}, {"1": 5}, {1: "x"}, {str(n): "x" * 256 for n in range(120)}],
)
def test_variables_that_twilio_would_refuse_are_refused(variables: dict[str, str]) -> None:
    with pytest.raises(Misconfigured, match="of content"):
        Content(sid=sid("HX", 1), variables=variables)

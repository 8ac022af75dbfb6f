import json
from typing import Any

import pytest

from tests import skips
from tests.contract import description

SERVICE = "/v1/Services/IS00000000000000000000000000000001"


@pytest.fixture(autouse=True)
def _described() -> None:
    if not description.is_available():
        skips.missing("Twilio's OpenAPI description beside this checkout", allowed=True)


def service(**changes: object) -> str:
    body: dict[str, Any] = {
        "sid": "IS" + "0" * 32,
        "account_sid": "AC" + "0" * 32,
        "friendly_name": "shop",
        "date_created": "2026-11-22T10:00:00Z",
        "date_updated": "2026-11-22T10:00:00Z",
        "url": "https://conversations.twilio.com/v1/Services/IS0",
        "links": {},
    }
    return json.dumps({**body, **changes})


def test_a_call_that_matches_the_description_passes() -> None:
    description.check("POST", "http://h/v1/Services", {"FriendlyName": "shop"}, 201, service())


@pytest.mark.parametrize(
    ("method", "path", "data", "status", "body"),
    [
        ("POST", "/v1/Services", {"Name": "shop"}, 201, service()),
        ("POST", "/v1/Services", {"FriendlyName": "shop"}, 200, service()),
        ("POST", "/v1/Services", {"FriendlyName": "shop"}, 201, service(sid="CH" + "0" * 32)),
        ("POST", "/v1/Services", {"FriendlyName": "shop"}, 201, service(date_created="2026-11-22T10:00:00.123Z")),
        ("POST", "/v1/Services", {"FriendlyName": "shop"}, 201, service(surprise=1)),
        ("GET", f"{SERVICE}/Nothing", None, 200, "{}"),
        ("POST", f"{SERVICE}/Conversations", {"State": "asleep"}, 201, "{}"),
        ("GET", SERVICE, None, 404, '{"error": "not found"}'),
    ],
    ids=["parameter", "status", "sid", "milliseconds", "field", "path", "enum", "error"],
)
def test_a_call_that_differs_from_the_description_fails(
    method: str, path: str, data: object, status: int, body: str
) -> None:
    with pytest.raises(description.NotAsDescribed):
        description.check(method, f"http://h{path}", data, status, body)

"""The route table: which response answers which method and path.

Paths that Twilio offers with and without `/Services/{IS}` stand in `_BOTH` once. Hosts do not matter: whoever rewrites
`https://conversations.twilio.com` and `https://api.twilio.com` to one origin meets no path twice.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from local.twilio.responses import account, addresses, conversations, messages, participants, services
from local.twilio.responses.call import Answer, Call

type Respond = Callable[[Call], Awaitable[Answer]]
type Methods = Mapping[str, Respond]

_BOTH: Mapping[str, Methods] = {
    "/Conversations": {"GET": conversations.index, "POST": conversations.create},
    "/Conversations/{sid}": {
        "GET": conversations.fetch,
        "POST": conversations.update,
        "DELETE": conversations.delete,
    },
    "/Conversations/{conversation_sid}/Participants": {"GET": participants.index, "POST": participants.create},
    "/Conversations/{conversation_sid}/Participants/{sid}": {
        "GET": participants.fetch,
        "POST": participants.update,
        "DELETE": participants.delete,
    },
    "/Conversations/{conversation_sid}/Messages": {"GET": messages.index, "POST": messages.create},
    "/Conversations/{conversation_sid}/Messages/{sid}": {
        "GET": messages.fetch,
        "POST": messages.update,
        "DELETE": messages.delete,
    },
}

ROUTES: Mapping[str, Methods] = {
    "/2010-04-01/Accounts/{account_sid}.json": {"GET": account.fetch},
    "/v1/Services": {"GET": services.index, "POST": services.create},
    "/v1/Services/{sid}": {"GET": services.fetch},
    "/v1/Services/{service_sid}/Configuration/Webhooks": {
        "GET": services.fetch_webhooks,
        "POST": services.update_webhooks,
    },
    "/v1/Configuration/Addresses": {"GET": addresses.index, "POST": addresses.create},
    "/v1/Configuration/Addresses/{sid}": {
        "GET": addresses.fetch,
        "POST": addresses.update,
        "DELETE": addresses.delete,
    },
    **{f"/v1{path}": methods for path, methods in _BOTH.items()},
    **{f"/v1/Services/{{service_sid}}{path}": methods for path, methods in _BOTH.items()},
}


@dataclass(frozen=True, slots=True)
class Match:
    """A route that a path matched, and the parts of the path it names."""

    methods: Methods
    parts: Mapping[str, str]


_PATTERNS = [
    (re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+?)", re.escape(path))), methods)
    for path, methods in ROUTES.items()
]


def match(path: str) -> Match | None:
    """Return the route of a path."""
    for pattern, methods in _PATTERNS:
        if found := pattern.fullmatch(path):
            return Match(methods=methods, parts=found.groupdict())
    return None

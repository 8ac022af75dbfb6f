"""The route table: which handler answers which method and path.

Twilio offers the paths in `_WITH_AND_WITHOUT_SERVICE` under `/v1` and under `/v1/Services/{IS}`. The host is ignored:
no two of Twilio's hosts (conversations.twilio.com, api.twilio.com, …) share a path.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from twilio_emulator.responses import (
    account,
    addresses,
    content,
    conversations,
    media,
    messages,
    messaging,
    participants,
    roles,
    scoped_webhooks,
    services,
    users,
    webhooks,
)
from twilio_emulator.responses.request import Request, Response

type Handler = Callable[[Request], Awaitable[Response]]
type Methods = Mapping[str, Handler]

ACCEPT_ANY_BODY = frozenset({media.upload, content.create})  # all others accept only forms

_WITH_AND_WITHOUT_SERVICE: Mapping[str, Methods] = {
    "/Conversations": {"GET": conversations.list_page, "POST": conversations.create},
    "/Conversations/{sid}": {
        "GET": conversations.fetch,
        "POST": conversations.update,
        "DELETE": conversations.delete,
    },
    "/ConversationWithParticipants": {"POST": conversations.create_with_participants},
    "/Conversations/{conversation_sid}/Participants": {"GET": participants.list_page, "POST": participants.create},
    "/Conversations/{conversation_sid}/Participants/{sid}": {
        "GET": participants.fetch,
        "POST": participants.update,
        "DELETE": participants.delete,
    },
    "/ParticipantConversations": {"GET": participants.list_conversations},
    "/Conversations/{conversation_sid}/Messages": {"GET": messages.list_page, "POST": messages.create},
    "/Conversations/{conversation_sid}/Messages/{sid}": {
        "GET": messages.fetch,
        "POST": messages.update,
        "DELETE": messages.delete,
    },
    "/Conversations/{conversation_sid}/Messages/{message_sid}/Receipts": {"GET": messages.list_receipts},
    "/Conversations/{conversation_sid}/Messages/{message_sid}/Receipts/{sid}": {"GET": messages.fetch_receipt},
    "/Conversations/{conversation_sid}/Webhooks": {"GET": scoped_webhooks.list_page, "POST": scoped_webhooks.create},
    "/Conversations/{conversation_sid}/Webhooks/{sid}": {
        "GET": scoped_webhooks.fetch,
        "POST": scoped_webhooks.update,
        "DELETE": scoped_webhooks.delete,
    },
    "/Users": {"GET": users.list_page, "POST": users.create},
    "/Users/{sid}": {"GET": users.fetch, "POST": users.update, "DELETE": users.delete},
    "/Users/{user_sid}/Conversations": {"GET": users.list_conversations},
    "/Users/{user_sid}/Conversations/{conversation_sid}": {
        "GET": users.fetch_conversation,
        "POST": users.update_conversation,
        "DELETE": users.delete_conversation,
    },
    "/Roles": {"GET": roles.list_page, "POST": roles.create},
    "/Roles/{sid}": {"GET": roles.fetch, "POST": roles.update, "DELETE": roles.delete},
}

ROUTES: Mapping[str, Methods] = {
    "/2010-04-01/Accounts/{account_sid}.json": {"GET": account.fetch},
    "/2010-04-01/Accounts/{account_sid}/IncomingPhoneNumbers.json": {
        "GET": account.list_numbers,
        "POST": account.buy_number,
    },
    "/v2/Indicators/Typing.json": {"POST": messaging.show_typing},
    "/v1/Content": {"POST": content.create},
    "/v1/Content/{sid}": {"GET": content.fetch},
    "/v1/Services/{service_sid}/Media": {"POST": media.upload},
    "/v1/Services/{service_sid}/Media/{sid}": {"GET": media.fetch},
    "/v1/Services/{service_sid}/Media/{sid}/Content": {"GET": media.content},
    "/v1/Services": {"GET": services.list_page, "POST": services.create},
    "/v1/Services/{sid}": {"GET": services.fetch, "DELETE": services.delete},
    "/v1/Services/{service_sid}/Configuration": {
        "GET": services.fetch_configuration,
        "POST": services.update_configuration,
    },
    "/v1/Services/{service_sid}/Configuration/Webhooks": {"GET": webhooks.fetch, "POST": webhooks.update},
    "/v1/Configuration": {"GET": account.fetch_configuration, "POST": account.update_configuration},
    "/v1/Configuration/Webhooks": {"GET": webhooks.fetch_of_account, "POST": webhooks.update_of_account},
    "/v1/Configuration/Addresses": {"GET": addresses.list_page, "POST": addresses.create},
    "/v1/Configuration/Addresses/{sid}": {
        "GET": addresses.fetch,
        "POST": addresses.update,
        "DELETE": addresses.delete,
    },
    **{f"/v1{path}": methods for path, methods in _WITH_AND_WITHOUT_SERVICE.items()},
    **{f"/v1/Services/{{service_sid}}{path}": methods for path, methods in _WITH_AND_WITHOUT_SERVICE.items()},
}


@dataclass(frozen=True, slots=True)
class Match:
    """The methods of a route, and the values of its path parameters."""

    methods: Methods
    path_params: Mapping[str, str]


_PATTERNS = [
    (re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+?)", re.escape(path))), methods)
    for path, methods in ROUTES.items()
]


def match_route(path: str) -> Match | None:
    """Return the route that matches a path; None if there is none."""
    for pattern, methods in _PATTERNS:
        if found := pattern.fullmatch(path):
            return Match(methods=methods, path_params=found.groupdict())
    return None

"""The route table: which response answers which method and path.

Paths that Twilio offers with and without `/Services/{IS}` stand in `_BOTH` once. Hosts do not matter: whoever rewrites
`https://conversations.twilio.com`, `https://api.twilio.com` and their like to one origin meets no path twice.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from twilio_emulator.responses import (
    account,
    addresses,
    channels,
    conversations,
    media,
    messages,
    participants,
    roles,
    scoped_webhooks,
    services,
    users,
    webhooks,
)
from twilio_emulator.responses.request import Answer, Call

type Respond = Callable[[Call], Awaitable[Answer]]
type Methods = Mapping[str, Respond]

TAKE_ANY_BODY = frozenset({media.upload, channels.create_content})  # all others take forms

_BOTH: Mapping[str, Methods] = {
    "/Conversations": {"GET": conversations.index, "POST": conversations.create},
    "/Conversations/{sid}": {
        "GET": conversations.fetch,
        "POST": conversations.update,
        "DELETE": conversations.delete,
    },
    "/ConversationWithParticipants": {"POST": conversations.create_with_participants},
    "/Conversations/{conversation_sid}/Participants": {"GET": participants.index, "POST": participants.create},
    "/Conversations/{conversation_sid}/Participants/{sid}": {
        "GET": participants.fetch,
        "POST": participants.update,
        "DELETE": participants.delete,
    },
    "/ParticipantConversations": {"GET": participants.index_of_conversations},
    "/Conversations/{conversation_sid}/Messages": {"GET": messages.index, "POST": messages.create},
    "/Conversations/{conversation_sid}/Messages/{sid}": {
        "GET": messages.fetch,
        "POST": messages.update,
        "DELETE": messages.delete,
    },
    "/Conversations/{conversation_sid}/Messages/{message_sid}/Receipts": {"GET": messages.index_of_receipts},
    "/Conversations/{conversation_sid}/Messages/{message_sid}/Receipts/{sid}": {"GET": messages.fetch_receipt},
    "/Conversations/{conversation_sid}/Webhooks": {"GET": scoped_webhooks.index, "POST": scoped_webhooks.create},
    "/Conversations/{conversation_sid}/Webhooks/{sid}": {
        "GET": scoped_webhooks.fetch,
        "POST": scoped_webhooks.update,
        "DELETE": scoped_webhooks.delete,
    },
    "/Users": {"GET": users.index, "POST": users.create},
    "/Users/{sid}": {"GET": users.fetch, "POST": users.update, "DELETE": users.delete},
    "/Users/{user_sid}/Conversations": {"GET": users.index_of_conversations},
    "/Users/{user_sid}/Conversations/{conversation_sid}": {
        "GET": users.fetch_conversation,
        "POST": users.update_conversation,
        "DELETE": users.delete_conversation,
    },
    "/Roles": {"GET": roles.index, "POST": roles.create},
    "/Roles/{sid}": {"GET": roles.fetch, "POST": roles.update, "DELETE": roles.delete},
}

ROUTES: Mapping[str, Methods] = {
    "/2010-04-01/Accounts/{account_sid}.json": {"GET": account.fetch},
    "/2010-04-01/Accounts/{account_sid}/IncomingPhoneNumbers.json": {
        "GET": account.numbers,
        "POST": account.buy_number,
    },
    "/v2/Indicators/Typing.json": {"POST": channels.show_typing},
    "/v1/Content": {"POST": channels.create_content},
    "/v1/Content/{sid}": {"GET": channels.fetch_content},
    "/v1/Services/{service_sid}/Media": {"POST": media.upload},
    "/v1/Services/{service_sid}/Media/{sid}": {"GET": media.fetch},
    "/v1/Services/{service_sid}/Media/{sid}/Content": {"GET": media.content},
    "/v1/Services": {"GET": services.index, "POST": services.create},
    "/v1/Services/{sid}": {"GET": services.fetch, "DELETE": services.delete},
    "/v1/Services/{service_sid}/Configuration": {
        "GET": services.fetch_configuration,
        "POST": services.update_configuration,
    },
    "/v1/Services/{service_sid}/Configuration/Webhooks": {"GET": webhooks.fetch, "POST": webhooks.update},
    "/v1/Configuration": {"GET": account.fetch_configuration, "POST": account.update_configuration},
    "/v1/Configuration/Webhooks": {"GET": webhooks.fetch_of_account, "POST": webhooks.update_of_account},
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

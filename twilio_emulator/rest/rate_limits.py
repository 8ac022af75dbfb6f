"""Twilio's rate limits: 30 writes a second to one conversation, and 30 other writes a second to one service.

Reads are not counted (Twilio, "Conversations limits"). Twilio does not document the error's status; here it is 429.
"""

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.state import unique_name_key

ACTIONS_PER_SECOND = 30
CONVERSATION_LIMIT_EXCEEDED = 50063
SERVICE_LIMIT_EXCEEDED = 50074

_SECOND = timedelta(seconds=1)
_COUNTED_PER_SERVICE = ("Conversations", "ConversationWithParticipants", "Users", "Roles")


class RateLimits:
    """Counts the writes of the last second, per conversation and per service.

    All calls to one conversation are counted together, whether their path has its SID or its unique name, and with or
    without /Services/{IS}.
    """

    def __init__(self, *, backend: Backend, actions_per_second: int | None) -> None:
        self._backend = backend
        self._max_per_second = actions_per_second
        self._recent: dict[str, deque[datetime]] = {}

    def count(self, method: str, path: str, path_params: Mapping[str, str]) -> None:
        """Count a write; raise 50063 or 50074 if it exceeds a limit."""
        if self._max_per_second is None or method == "GET":
            return
        name, code = _counted_resource(method, path, path_params)
        service_sid = path_params.get("service_sid", self._backend.state.configuration.default_chat_service_sid)
        if code == CONVERSATION_LIMIT_EXCEEDED:
            key = self._backend.state.conversations_by_unique_name.get(unique_name_key(service_sid, name), name)
        elif name in _COUNTED_PER_SERVICE:
            key = service_sid
        else:
            return
        now = self._backend.clock()
        recent = self._recent.setdefault(key, deque())
        while recent and now - recent[0] >= _SECOND:
            recent.popleft()
        if len(recent) >= self._max_per_second:
            raise TwilioError(code)
        recent.append(now)

    def clear(self) -> None:
        """Set all counts to zero."""
        self._recent.clear()


def _counted_resource(method: str, path: str, path_params: Mapping[str, str]) -> tuple[str, int]:
    """Return what a write counts for, and the error code of its limit.

    It is the SID or unique name of the conversation that the write changes. For any other write it is the name of the
    resource in the path, such as `Users`.
    """
    if "conversation_sid" in path_params:
        return path_params["conversation_sid"], CONVERSATION_LIMIT_EXCEEDED
    sid = path_params.get("sid", "")
    if method == "POST" and sid and path.endswith(f"/Conversations/{sid}"):
        return sid, CONVERSATION_LIMIT_EXCEEDED
    return path.removesuffix(f"/{sid}").rpartition("/")[2], SERVICE_LIMIT_EXCEEDED

"""How many actions a second Twilio takes: 30 of one conversation, and 30 of a service beside those.

Reads are not counted (Twilio, "Conversations limits"). Twilio does not say which status a refusal has; here it is 429.
"""

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models.backend import World
from twilio_emulator.models.state import unique_name_key

ACTIONS_PER_SECOND = 30
OF_CONVERSATION = 50063
OF_SERVICE = 50074

_SECOND = timedelta(seconds=1)
_OF_SERVICE = ("Conversations", "ConversationWithParticipants", "Users", "Roles")


class Rates:
    """The writes of the last second, of each conversation and each service, whatever name or path they come by."""

    def __init__(self, *, world: World, actions_per_second: int | None) -> None:
        self._world = world
        self._most = actions_per_second
        self._recent: dict[str, deque[datetime]] = {}

    def count(self, method: str, path: str, parts: Mapping[str, str]) -> None:
        """Count a write, or refuse it with 50063 or 50074."""
        if self._most is None or method == "GET":
            return
        name, code = _counted(method, path, parts)
        service_sid = parts.get("service_sid", self._world.state.configuration.default_chat_service_sid)
        if code == OF_CONVERSATION:
            key = self._world.state.conversations_by_unique_name.get(unique_name_key(service_sid, name), name)
        elif name in _OF_SERVICE:
            key = service_sid
        else:
            return
        now = self._world.clock()
        recent = self._recent.setdefault(key, deque())
        while recent and now - recent[0] >= _SECOND:
            recent.popleft()
        if len(recent) >= self._most:
            raise TwilioError(code)
        recent.append(now)

    def forget(self) -> None:
        """Begin anew."""
        self._recent.clear()


def _counted(method: str, path: str, parts: Mapping[str, str]) -> tuple[str, int]:
    """Return the conversation that a write changes, by SID or unique name, or else the kind of resource."""
    if "conversation_sid" in parts:
        return parts["conversation_sid"], OF_CONVERSATION
    sid = parts.get("sid", "")
    if method == "POST" and sid and path.endswith(f"/Conversations/{sid}"):
        return sid, OF_CONVERSATION
    return path.removesuffix(f"/{sid}").rpartition("/")[2], OF_SERVICE

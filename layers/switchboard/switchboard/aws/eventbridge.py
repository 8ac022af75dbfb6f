"""The event bus: notices as EventBridge events."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from switchboard.errors import Transient
from switchboard.notices import Notice

SOURCE = "switchboard"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBus:
    """A bus by its name; `switchboard.publisher.NoticeBus` says what `publish` does."""

    client: Any  # boto3 makes its client classes at run time
    name: str

    def publish(self, notices: Sequence[Notice], /) -> Sequence[Notice]:
        """Publish up to ten notices, and return those that the bus took."""
        try:
            answer = self.client.put_events(Entries=[self._entry(notice) for notice in notices])
        except ClientError as error:
            raise Transient(f"notices: EventBridge answered {error.response['Error']['Code']}") from None
        except BotoCoreError as error:
            raise Transient(f"notices: EventBridge could not be asked ({type(error).__name__})") from None
        # Entry by entry: a request of which some were refused is answered with 200.
        return [notice for notice, entry in zip(notices, answer["Entries"], strict=True) if "EventId" in entry]

    def _entry(self, notice: Notice) -> dict[str, Any]:
        return {
            "EventBusName": self.name,
            "Source": SOURCE,
            "DetailType": notice.type.value,
            "Time": notice.at,
            "Detail": json.dumps(detail(notice)),
        }


def detail(notice: Notice) -> dict[str, str | int]:
    """Return what an event tells, as docs/events.md has it."""
    at = f"{notice.at:%Y-%m-%dT%H:%M:%S}.{notice.at.microsecond // 1000:03}Z"
    told: dict[str, str | int] = {
        "id": notice.id,
        "conversation_sid": notice.conversation_sid,
        "reason": notice.reason.value,
        "at": at,
        "count": notice.count,
    }
    return told | ({"turn": notice.turn} if notice.turn else {})

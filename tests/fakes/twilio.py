"""One Twilio in memory: what it was sent, and how a test told it to misbehave."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from switchboard.errors import NotSent, Permanent, SendRefused, Unknown
from switchboard.events import Marker, MessageAdded, Sent
from tests.builders import from_us


@dataclass(slots=True)
class TwilioInMemory:
    """`ends` says how the next POSTs end: `sent`, `refused`, `not_sent`, `lost`, `unseen` (committed, answer lost)."""

    clock: Callable[[], datetime]
    messages: dict[str, list[MessageAdded]] = field(default_factory=dict)
    ends: deque[str] = field(default_factory=deque)
    posts: int = 0
    lists: int = 0
    hidden: set[int] = field(default_factory=set)
    gone: bool = False
    after_post: Callable[[], object] = lambda: None

    def has(self, *messages: MessageAdded) -> None:
        for message in messages:
            self.messages.setdefault(message.conversation_sid, []).append(message)

    def send_message(self, conversation_sid: str, *, body: str, marker: Marker) -> Sent:
        self.posts += 1
        end = "refused" if self.gone else self.ends.popleft() if self.ends else "sent"
        if end == "refused":
            raise SendRefused(f"{conversation_sid}: refused", code=50377)
        if end == "not_sent":
            raise NotSent(f"{conversation_sid}: 429")
        if end == "lost":
            raise Unknown(f"{conversation_sid}: timed out")
        standing = self.messages.setdefault(conversation_sid, [])
        index = max((message.index for message in standing), default=-1) + 1
        sent = from_us(
            conversation_sid=conversation_sid,
            index=index,
            turn=marker.turn,
            part=marker.part,
            body=body,
            at=self.clock(),
        )
        standing.append(sent)
        self.after_post()
        if end == "unseen":
            raise Unknown(f"{conversation_sid}: timed out")
        return Sent(message_sid=sent.message_sid, index=sent.index)

    def list_messages(self, conversation_sid: str, *, from_index: int) -> tuple[MessageAdded, ...]:
        self.lists += 1
        if self.gone:
            raise Permanent(f"{conversation_sid}: 404")
        standing = sorted(self.messages.get(conversation_sid, []), key=lambda message: message.index)
        return tuple(m for m in standing if m.index >= from_index and m.index not in self.hidden)

    def replies(self, conversation_sid: str) -> list[str]:
        return [message.body for message in self.messages.get(conversation_sid, []) if message.marker]

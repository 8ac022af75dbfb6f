"""Twilio in memory: the messages of conversations, and how the next POSTs end."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from switchboard.content import Content
from switchboard.conversation import UNIX_EPOCH
from switchboard.errors import NotSent, Permanent, SendRefused, Transient, Unknown
from switchboard.events import Marker, MessageAdded, Sent
from switchboard.media import Media
from tests.builders import from_assistant, sid

type PostEnd = Literal["sent", "refused", "not_sent", "request_lost", "response_lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    name: str
    content_type: str
    content: bytes


@dataclass(slots=True)
class TwilioInMemory:
    """`post_ends` says how the next POSTs end; after `response_lost` the message is there all the same.

    Until `outage_until` every POST ends as `outage_end`, and no list is answered. `unlisted` are the indices that lists
    do not show yet. `looks` say of the next looks whether a message has arrived. `files` are the contents of media, by
    SID. `uploads` are the files that no message has yet, and `attached` those that one has. `is_deleted` makes every
    conversation a deleted one.
    """

    clock: Callable[[], datetime]
    messages: dict[str, list[MessageAdded]] = field(default_factory=dict)
    post_ends: deque[PostEnd] = field(default_factory=deque)
    post_count: int = 0
    list_count: int = 0
    unlisted: set[int] = field(default_factory=set)
    is_deleted: bool = False
    outage_until: datetime = UNIX_EPOCH
    outage_end: PostEnd = "not_sent"
    after_post: Callable[[], object] = lambda: None
    files: dict[str, bytes] = field(default_factory=dict)
    looks: deque[bool | Exception] = field(default_factory=deque)
    looked_at: list[str] = field(default_factory=list)
    contents: list[Content] = field(default_factory=list)
    upload_ends: deque[Literal["sent", "refused", "not_sent"]] = field(default_factory=deque)
    after_upload: Callable[[], object] = lambda: None
    uploads: dict[str, Upload] = field(default_factory=dict)
    attached: list[Upload] = field(default_factory=list)

    def add(self, *messages: MessageAdded) -> None:
        for message in messages:
            self.messages.setdefault(message.conversation_sid, []).append(message)

    def is_settled(self, conversation_sid: str, message_sid: str) -> bool:  # noqa: ARG002 -- the Protocol has it
        self.looked_at.append(message_sid)
        end = self.looks.popleft() if self.looks else True
        if isinstance(end, Exception):
            raise end
        return end

    def upload(self, *, content: bytes, content_type: str, filename: str) -> str:
        end = self.upload_ends.popleft() if self.upload_ends else "sent"
        if end == "refused":
            raise SendRefused(f"{filename}: refused", code=20422)
        if end == "not_sent":
            raise NotSent(f"{filename}: 503")
        media_sid = sid("ME", len(self.uploads) + 1)
        self.uploads[media_sid] = Upload(name=filename, content_type=content_type, content=content)
        self.after_upload()
        return media_sid

    def send_message(
        self,
        conversation_sid: str,
        *,
        body: str,
        marker: Marker,
        content: Content | None = None,
        media_sid: str = "",
    ) -> Sent:
        self.post_count += 1
        end = self._next_end()
        if end == "refused":
            raise SendRefused(f"{conversation_sid}: refused", code=50377)
        if end == "not_sent":
            raise NotSent(f"{conversation_sid}: 429")
        if end == "request_lost":
            raise Unknown(f"{conversation_sid}: timed out")
        existing = self.messages.setdefault(conversation_sid, [])
        index = max((message.index for message in existing), default=-1) + 1
        sent = from_assistant(
            conversation_sid=conversation_sid,
            index=index,
            turn=marker.turn,
            part=marker.part,
            body="" if media_sid else body,
            at=self.clock(),
        )
        if media_sid:
            self.attached.append(self.uploads.pop(media_sid))  # each can be sent once
        existing.append(sent)
        self.contents += [content] if content else []
        self.after_post()
        if end == "response_lost":
            raise Unknown(f"{conversation_sid}: timed out")
        return Sent(message_sid=sent.message_sid, index=sent.index)

    def list_messages(self, conversation_sid: str, *, from_index: int) -> tuple[MessageAdded, ...]:
        self.list_count += 1
        if self.is_deleted:
            raise Permanent(f"{conversation_sid}: 404")
        if self.clock() < self.outage_until:
            raise Transient(f"{conversation_sid}: 503")
        existing = sorted(self.messages.get(conversation_sid, []), key=lambda message: message.index)
        return tuple(m for m in existing if m.index >= from_index and m.index not in self.unlisted)

    def read_media(self, media: Media, max_bytes: int) -> bytes:
        if self.clock() < self.outage_until:
            raise Transient(f"{media.sid}: 503")
        content = self.files.get(media.sid)
        if content is None or len(content) > max_bytes:
            raise Permanent(f"{media.sid}: 404, or too large")
        return content

    def _next_end(self) -> PostEnd:
        if self.is_deleted:
            return "refused"
        if self.clock() < self.outage_until:
            return self.outage_end
        return self.post_ends.popleft() if self.post_ends else "sent"

    def replies(self, conversation_sid: str) -> list[str]:
        return [message.body for message in self.messages.get(conversation_sid, []) if message.marker]

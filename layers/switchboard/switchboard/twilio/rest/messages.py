"""The messages of a conversation: sent once, listed, received as they come."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from switchboard.author import ASSISTANT_AUTHOR, AuthorRules
from switchboard.channels.channel import Channel, channel_of
from switchboard.content import Content
from switchboard.events import Marker, MessageAdded, Sent
from switchboard.media import Media
from switchboard.ports import MessagePage
from switchboard.twilio import fields
from switchboard.twilio.rest.conversations import Conversations
from switchboard.twilio.rest.errors import classify_send, nothing_left, raise_twilio_errors
from switchboard.twilio.rest.media import read_media, upload_media
from switchboard.twilio.rest.services import PAGE_SIZE, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """Messages over REST. `author_rules` say who wrote a message."""

    service: Service
    author_rules: AuthorRules

    def send_message(
        self,
        conversation_sid: str,
        *,
        body: str,
        marker: Marker | None = None,
        author: str = ASSISTANT_AUTHOR,
        content: Content | None = None,
        media_sid: str = "",
    ) -> Sent:
        """Send a message, or content or an uploaded file in its place, once: no retry.

        Raise `SendRefused`, `NotSent` (it certainly did not leave) or `Unknown`.
        """
        attributes = json.dumps({"switchboard": {"turn": marker.turn, "part": marker.part}}) if marker else "{}"
        what = {"media_sid": media_sid} if media_sid and not content else _what(body, content)
        with classify_send(conversation_sid):
            created = self._of(conversation_sid).create(author=author, attributes=attributes, **what)
            return Sent(message_sid=str(created.sid), index=int(created.index))

    def send_as_human(self, conversation_sid: str, *, human: str, body: str, content: Content | None = None) -> Sent:
        """Send a human's text or content, once, and have Twilio tell everybody; it ends as in `send_message`."""
        with classify_send(conversation_sid):
            created = self._of(conversation_sid).create(
                author=human, x_twilio_webhook_enabled="true", **_what(body, content)
            )
            return Sent(message_sid=str(created.sid), index=int(created.index))

    def has_silent_customer(self, conversation_sid: str, *, channel: Channel, since: datetime) -> bool:
        """Tell whether a customer on this channel takes part who has written nothing after `since`.

        It costs a request for each hundred participants and, where one of them is on the channel, for each hundred
        messages after `since`, until all have been seen to write. Raise `SendRefused` or `NotSent`.
        """
        with nothing_left():
            participants = Conversations(service=self.service).list_participants(conversation_sid)
            silent = [each for each in participants if each.address and channel_of(each.address) is channel]
            pages = self.message_pages(conversation_sid, from_index=0) if silent else iter(())
            for page in pages:
                wrote = {message.author for message in page.messages if message.at > since}
                silent = [each for each in silent if not {each.address, each.identity} & wrote]
                if not silent or any(message.at <= since for message in page.messages):
                    break
            return bool(silent)

    def list_messages(self, conversation_sid: str, *, from_index: int = 0) -> tuple[MessageAdded, ...]:
        """Return the messages at `from_index` and above, in order. Each hundred of them costs a request."""
        pages = list(self.message_pages(conversation_sid, from_index=from_index))
        return tuple(message for page in reversed(pages) for message in page.messages)

    def read_media(self, media: Media, max_bytes: int) -> bytes:
        """Return a file. Raise `Permanent` where it is gone or larger, `Transient` where Twilio is away."""
        return read_media(self.service, media, max_bytes)

    def upload(self, *, content: bytes, content_type: str, filename: str) -> str:
        """Upload a file for one message, and return its SID. Raise `SendRefused` or `NotSent`."""
        return upload_media(self.service, content=content, content_type=content_type, filename=filename)

    def last_index(self, conversation_sid: str) -> int:
        """Return the highest index of a message in the conversation, or -1."""
        with raise_twilio_errors(conversation_sid):
            newest = self._of(conversation_sid).list(order="desc", limit=1)
            return max((int(message.index) for message in newest), default=-1)

    def is_settled(self, conversation_sid: str, message_sid: str) -> bool:
        """Tell whether a message has reached everybody on a phone, or failed. Raise `TwilioRefused`, `Transient`."""
        with raise_twilio_errors(conversation_sid):
            delivery = self._of(conversation_sid)(message_sid).fetch().delivery or {}
        has_failed = any(delivery.get(status, "none") != "none" for status in ("failed", "undelivered"))
        return has_failed or "all" in {delivery.get("delivered"), delivery.get("read")}

    def delete_message(self, conversation_sid: str, message_sid: str) -> None:
        """Delete a message. A web chat no longer shows it; a phone that has it keeps it."""
        with raise_twilio_errors(conversation_sid):
            self._of(conversation_sid)(message_sid).delete()

    def message_pages(self, conversation_sid: str, *, from_index: int) -> Iterator[MessagePage]:
        """Yield the messages at `from_index` and above, the newest page first; each page costs a request."""
        with raise_twilio_errors(conversation_sid):
            page = self._of(conversation_sid).page(order="desc", page_size=PAGE_SIZE)
            while page is not None:
                listed = list(page)
                wanted = [message for message in listed if int(message.index) >= from_index]
                is_last = len(wanted) < len(listed) or page.next_page_url is None
                yield MessagePage(messages=tuple(map(self._message, reversed(wanted))), is_last=is_last)
                page = None if is_last else page.next_page()

    def receive_messages(
        self, conversation_sid: str, *, from_index: int, wait: Callable[[], bool]
    ) -> Iterator[MessageAdded]:
        """Yield new messages from an index on, as they come; `wait` waits a while and tells whether to look again."""
        next_index = from_index
        while True:
            for message in self.list_messages(conversation_sid, from_index=next_index):
                next_index = message.index + 1
                yield message
            if not wait():
                return

    def _of(self, conversation_sid: str) -> Any:  # noqa: ANN401 -- see Service.resource
        return self.service.resource.conversations(conversation_sid).messages

    def _message(self, message: Any) -> MessageAdded:  # noqa: ANN401 -- see Service.resource
        author = str(message.author or "")
        return MessageAdded(
            conversation_sid=str(message.conversation_sid),
            message_sid=str(message.sid),
            index=int(message.index),
            author_role=self.author_rules.classify(author),
            author=author,
            body=str(message.body or ""),
            media=tuple(map(fields.media, message.media or ())),
            at=fields.utc(message.date_created),
            marker=fields.marker(message.attributes) if author == ASSISTANT_AUTHOR else None,
        )


def _what(body: str, content: Content | None) -> dict[str, str]:
    if content:
        return {"content_sid": content.sid, "content_variables": content.variables_as_json}
    return {"body": body}

"""What customers do on their phones and in web chats: send, read and type."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models import (
    conversations,
    deliveries,
    event_payloads,
    inbound,
    media,
    media_limits,
    messages,
    participants,
    typing,
)
from twilio_emulator.models.backend import Backend
from twilio_emulator.models.events import sdk_origin
from twilio_emulator.models.resources import Conversation, File, Message
from twilio_emulator.webhooks.pre_webhooks import REJECTED, PreWebhooks

TYPING_DURATION = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that a customer sends."""

    content: bytes
    content_type: str
    filename: str | None


class Customers:
    """All customers; any address or identity can be used without registering it first."""

    def __init__(self, *, backend: Backend, pre_webhooks: PreWebhooks) -> None:
        self._backend = backend
        self._pre_webhooks = pre_webhooks

    async def send(self, *, sender: str, to: str, body: str, files: Sequence[Upload] = ()) -> Message | None:
        """Add a customer's message; return None if a pre-webhook rejected it.

        A message that opens a conversation calls only the pre-webhook for `onConversationAdd`, a later message only
        the one for `onMessageAdd` (Twilio, "Inbound autocreation").
        """
        messages.check_content(body, files, may_be_empty=inbound.may_be_empty(sender, to))
        media_limits.check_inbound(inbound.channel_of(sender, to), [len(file.content) for file in files])
        try:
            conversation = inbound.conversation_for(self._backend, sender, to)
            if conversation is None:
                new = inbound.draft_conversation(self._backend, sender, to)
                uploaded = [self._upload(new, file) for file in files]
                conversation = await self._open_conversation(new, sender, to, body, uploaded)
                draft = self._draft_message(conversation, sender, to, body, uploaded)
            else:
                uploaded = [self._upload(conversation, file) for file in files]
                draft = self._draft_message(conversation, sender, to, body, uploaded)
                changes = await self._pre_webhooks.call(
                    event_payloads.message(self._backend, "onMessageAdd", draft, inbound.origin_of(sender, to))
                )
                draft = messages.apply_pre_webhook_changes(self._backend, draft, changes)
        except TwilioError as error:
            if error.code == REJECTED:
                return None
            raise
        return messages.commit(self._backend, draft, origin=inbound.origin_of(sender, to))

    def read(self, address: str) -> None:
        """Mark what a customer received as read.

        Channels that report it, such as WhatsApp, update the delivery receipts. In a web chat the participant's
        `last_read_message_index` moves forward.
        """
        last_index: dict[str, int] = {}
        for received in deliveries.mark_read(self._backend, address):
            message = self._backend.state.messages.get(received.conversation_sid, {}).get(received.message_sid)
            if message is not None:
                last_index[received.conversation_sid] = max(message.index, last_index.get(received.conversation_sid, 0))
        for conversation_sid, index in last_index.items():
            reader = participants.find_by_identity(self._backend, conversation_sid, address)
            if reader is not None:
                changed = participants.changed(self._backend, reader, last_read_message_index=index)
                participants.update(self._backend, changed, origin=sdk_origin(address))

    def type(self, *, sender: str, to: str) -> None:
        """Show a customer as typing for 5 seconds; Twilio sends no webhook for it."""
        conversation = inbound.conversation_for(self._backend, sender, to)
        if conversation is not None:
            typing.start(self._backend, conversation.sid, sender, duration=TYPING_DURATION)

    def typing(self, conversation_sid: str) -> list[str]:
        """Return who is typing in a conversation."""
        return list(typing.who(self._backend, conversation_sid))

    async def _open_conversation(
        self, draft: Conversation, sender: str, to: str, body: str, files: Sequence[File]
    ) -> Conversation:
        if to != inbound.CHAT:
            changes = await self._pre_webhooks.call(
                event_payloads.conversation(
                    self._backend,
                    "onConversationAdd",
                    draft,
                    inbound.origin_of(sender, to),
                    bindings=(inbound.binding(self._backend, sender, to),),
                    first_message=body or None,
                    first_media=files,
                )
            )
            draft = conversations.renamed(draft, changes.get("friendly_name"))
        # During the pre-webhook call, another message of this customer may have opened the conversation.
        existing = inbound.conversation_for(self._backend, sender, to)
        return existing or inbound.open_conversation(self._backend, draft, sender=sender, to=to)

    def _draft_message(
        self, conversation: Conversation, sender: str, to: str, body: str, files: Sequence[File]
    ) -> Message:
        return inbound.draft_message(
            self._backend, conversation.sid, sender=sender, to=to, body=body or None, files=files
        )

    def _upload(self, conversation: Conversation, file: Upload) -> File:
        return media.upload(
            self._backend,
            conversation.service_sid,
            content=file.content,
            content_type=file.content_type,
            filename=file.filename,
        ).file

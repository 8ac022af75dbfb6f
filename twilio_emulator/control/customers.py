"""The customers' side: what phones and browsers send, read and type."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from twilio_emulator.exceptions import TwilioError
from twilio_emulator.models import conversations, deliveries, event_payloads, inbound, media, messages, participants
from twilio_emulator.models.backend import World
from twilio_emulator.models.events import sdk
from twilio_emulator.models.resources import Conversation, File, Message
from twilio_emulator.webhooks.pre_webhooks import REJECTED, Asking

TYPING_LASTS = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that a phone sends."""

    content: bytes
    content_type: str
    filename: str | None


class Phones:
    """All phones and browsers there are: an address or an identity is enough to be one."""

    def __init__(self, *, world: World, asking: Asking) -> None:
        self._world = world
        self._asking = asking

    async def text(self, *, sender: str, to: str, body: str, files: Sequence[Upload] = ()) -> Message | None:
        """Take a text; None where a pre-webhook rejected it: then it is gone, nobody is told.

        A first text asks before the conversation is added, and then not again (Twilio, "Inbound autocreation").
        """
        messages.check_content(body, files)
        try:
            conversation = inbound.conversation_for(self._world, sender, to)
            if conversation is None:
                drafted = inbound.draft_conversation(self._world, sender, to)
                uploaded = [self._upload(drafted, file) for file in files]
                conversation = await self._open(drafted, sender, to, body, uploaded)
                draft = self._draft(conversation, sender, to, body, uploaded)
            else:
                draft = self._draft(conversation, sender, to, body, [self._upload(conversation, f) for f in files])
                wish = await self._asking.ask(
                    event_payloads.message(self._world, "onMessageAdd", draft, inbound.origin_of(sender))
                )
                draft = messages.wished(self._world, draft, wish)
        except TwilioError as error:
            if error.code == REJECTED:
                return None
            raise
        return messages.commit(self._world, draft, origin=inbound.origin_of(sender))

    def read(self, address: str) -> None:
        """Read what arrived: senders on WhatsApp and its like are told, and so is a web chat, with how far."""
        furthest: dict[str, int] = {}
        for arrived in deliveries.read(self._world, address):
            message = self._world.state.messages.get(arrived.conversation_sid, {}).get(arrived.message_sid)
            if message is not None:
                furthest[arrived.conversation_sid] = max(message.index, furthest.get(arrived.conversation_sid, 0))
        for conversation_sid, index in furthest.items():
            reader = participants.of_identity(self._world, conversation_sid, address)
            if reader is not None:
                changed = participants.changed(self._world, reader, last_read_message_index=index)
                participants.update(self._world, changed, origin=sdk(address))

    def type(self, *, sender: str, to: str) -> None:
        """Type for a while; no webhook tells of it."""
        conversation = inbound.conversation_for(self._world, sender, to)
        if conversation is not None:
            typing = self._world.state.typing.setdefault(conversation.sid, {})
            typing[sender] = self._world.clock() + TYPING_LASTS

    def typing(self, conversation_sid: str) -> list[str]:
        """Return who is typing in a conversation."""
        now = self._world.clock()
        return [who for who, until in self._world.state.typing.get(conversation_sid, {}).items() if until > now]

    async def _open(
        self, drafted: Conversation, sender: str, to: str, body: str, files: Sequence[File]
    ) -> Conversation:
        if to != inbound.CHAT:
            wish = await self._asking.ask(
                event_payloads.conversation(
                    self._world,
                    "onConversationAdd",
                    drafted,
                    inbound.origin_of(sender),
                    bindings=(inbound.binding(self._world, sender, to),),
                    first_message=body or None,
                    first_media=files,
                )
            )
            drafted = conversations.renamed(drafted, wish.get("friendly_name"))
        # While the pre-webhook was asked, another text of this customer may have opened it.
        standing = inbound.conversation_for(self._world, sender, to)
        return standing or inbound.open_conversation(self._world, drafted, sender=sender, to=to)

    def _draft(self, conversation: Conversation, sender: str, to: str, body: str, files: Sequence[File]) -> Message:
        return inbound.draft_message(
            self._world, conversation.sid, sender=sender, to=to, body=body or None, files=files
        )

    def _upload(self, conversation: Conversation, file: Upload) -> File:
        return media.upload(
            self._world,
            conversation.service_sid,
            content=file.content,
            content_type=file.content_type,
            filename=file.filename,
        ).file

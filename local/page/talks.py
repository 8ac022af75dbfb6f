"""The conversations as Twilio has them, read from the emulator of this process, in its event loop."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import nlargest

from switchboard.author import AuthorRole, AuthorRules
from switchboard.customers import address_of
from twilio_emulator.models.deliveries import WHATSAPP_WINDOW
from twilio_emulator.models.resources import Channel, Conversation, DeliveryStatus, Message, Participant
from twilio_emulator.models.state import AccountState, pair_key

CHAT = "chat"
MAX_CHARACTERS = 160  # of a conversation's last words
_FAILED = (DeliveryStatus.FAILED, DeliveryStatus.UNDELIVERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What somebody said last; `error_code` is Twilio's, where it did not arrive (0: none was given)."""

    role: AuthorRole
    text: str
    at: datetime
    error_code: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A conversation, and its customer.

    `unanswered_since` is when the customer wrote the first of the messages after everybody else's last one.
    `window_until` is when WhatsApp's window closes, and None on other channels.
    """

    sid: str
    state: str
    channel: str
    customer: str
    last: Words | None
    last_at: datetime
    unanswered_since: datetime | None
    window_until: datetime | None


class Talks:
    """All conversations of an account."""

    def __init__(self, *, state: AccountState, rules: AuthorRules) -> None:
        self._state = state
        self._rules = rules

    def newest(self, limit: int) -> list[Talk]:
        """Return the conversations in which somebody wrote last, the newest first."""
        return [self._talk(each) for each in nlargest(limit, self._state.conversations.values(), key=self._last_at)]

    def of(self, sids: set[str]) -> list[Talk]:
        """Return these conversations, as far as they are there."""
        found = (self._state.conversations.get(sid) for sid in sids)
        return [self._talk(each) for each in found if each]

    def error_code(self, message_sid: str) -> int | None:
        """Return Twilio's code where a message did not arrive, 0 if it gave none; None where it did, or may yet."""
        receipts = self._state.receipts.get(message_sid, {}).values()
        return next((each.error_code or 0 for each in receipts if each.status in _FAILED), None)

    def _messages(self, sid: str) -> Iterator[Message]:
        return reversed(self._state.messages.get(sid, {}).values())

    def _last_at(self, conversation: Conversation) -> datetime:
        last = next(self._messages(conversation.sid), None)
        return last.date_created if last else conversation.date_created

    def _talk(self, conversation: Conversation) -> Talk:
        sid = conversation.sid
        last = next(self._messages(sid), None)
        customer = self._customer(sid)
        binding = customer.binding if customer else None
        return Talk(
            sid=sid,
            state=conversation.state.value,
            channel=binding.channel.value if binding else CHAT,
            customer=address_of(binding.address if binding else (customer and customer.identity) or ""),
            last=self._words(last) if last else None,
            last_at=self._last_at(conversation),
            unanswered_since=self._unanswered_since(sid),
            window_until=self._window_until(customer),
        )

    def _words(self, message: Message) -> Words:
        files = " ".join(f"[{file.filename or file.content_type}]" for file in message.media)
        text = " ".join(f"{message.body or ''} {files}".split())
        return Words(
            role=self._rules.classify(message.author),
            text=text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…",
            at=message.date_created,
            error_code=self.error_code(message.sid),
        )

    def _unanswered_since(self, sid: str) -> datetime | None:
        since = None
        for message in self._messages(sid):
            match self._rules.classify(message.author):
                case AuthorRole.CUSTOMER:
                    since = message.date_created
                case AuthorRole.ASSISTANT | AuthorRole.HUMAN:
                    return since
                case AuthorRole.SYSTEM:
                    continue
        return since

    def _customer(self, sid: str) -> Participant | None:
        for each in self._state.participants.get(sid, {}).values():
            author = each.binding.address if each.binding else each.identity or ""
            if self._rules.classify(author) is AuthorRole.CUSTOMER:
                return each
        return None

    def _window_until(self, customer: Participant | None) -> datetime | None:
        if customer is None or customer.binding is None or customer.binding.channel is not Channel.WHATSAPP:
            return None
        pair = pair_key(customer.binding.address, customer.binding.proxy_address)
        wrote_last = self._state.last_inbound.get(pair)
        return wrote_last + WHATSAPP_WINDOW if wrote_last else customer.date_created

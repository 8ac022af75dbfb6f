"""What a storm's customers write on one side, and what they read: both sides are counted by the same rules."""

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from switchboard.twilio.fields import marker
from twilio_emulator import Emulator
from twilio_emulator.faults.armed import ArmedFault, Fault
from twilio_emulator.models.addresses import SMS_NUMBER, WHATSAPP_NUMBER
from twilio_emulator.models.inbound import CHAT
from twilio_emulator.models.resources import InboxMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text that a customer writes. An answer to it names `named`; where that is empty, every reply is one."""

    customer: str
    to: str
    body: str
    named: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A text that Twilio has taken."""

    text: Text
    conversation_sid: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What each customer writes, one text for each pair: the words, and what an answer to them names."""

    texts: Sequence[tuple[str, str]]
    counted_by: str

    def of(self, customer: str, to: str) -> list[Text]:
        """Return the texts of a customer."""
        return [Text(customer=customer, to=to, body=body, named=named) for body, named in self.texts]


# BH-1042 is left out: the demo's assistant names it as an example of a number.
ORDERS = Questions(
    texts=[("Where is my order BH-1043?", "BH-1043"), ("And where is my order BH-1044?", "BH-1044")],
    counted_by="A message is answered if a reply that reached its customer names the order it asks for, and doubled "
    "if two or more replies name it.",
)
GREETING = Questions(
    texts=[("Hello! What can you help me with?", "")],
    counted_by="This assistant does not name the demo's order numbers, so each customer sends one text only: it is "
    "answered if a reply reached its customer, and doubled if two or more did.",
)


@dataclass(slots=True, kw_only=True)
class Side:
    """One of the two, by its emulator. `apologies` are sentences that are no answer, though they reach a customer."""

    emulator: Emulator
    apologies: frozenset[str] = frozenset()
    sent: list[Sent] = field(default_factory=list)
    faults: list[ArmedFault] = field(default_factory=list)

    def arm(self, faults: Sequence[Fault]) -> None:
        """Let things go wrong from now on."""
        self.faults += [self.emulator.faults.arm(fault) for fault in faults]

    def disarm(self) -> None:
        """Remove the storm's own faults."""
        for armed in self.faults:
            self.emulator.faults.remove(armed.id)

    async def send(self, text: Text) -> Sent:
        """Let a customer write, and return what Twilio has taken."""
        message = await self.emulator.customers.send(sender=text.customer, to=text.to, body=text.body)
        if message is None:
            raise RuntimeError("a pre-webhook refused a text of the storm")
        return Sent(text=text, conversation_sid=message.conversation_sid, index=message.index)

    def answers(self, sent: Sent) -> int:
        """Return how often the customer has read an answer to a text.

        A reply may come in several parts, which its attributes number: it counts as often as its most frequent part.
        """
        inbox = self.emulator.backend.state.inboxes.get(sent.text.customer, {}).values()
        parts = Counter(self._part(read) for read in inbox if self._is_answer(read, sent))
        return max(parts.values(), default=0)

    def thread(self, conversation_sid: str) -> list[dict[str, object]] | None:
        """Return who said what in a conversation of the storm, in order; None where it is none."""
        if all(sent.conversation_sid != conversation_sid for sent in self.sent):
            return None
        messages = self.emulator.backend.state.messages.get(conversation_sid, {}).values()
        customers = {sent.text.customer for sent in self.sent}
        return [
            {
                "sid": message.sid,
                "is_customer": message.author in customers,
                "body": message.body or "",
                "at": message.date_created.isoformat(),
            }
            for message in sorted(messages, key=lambda message: message.index)
        ]

    def _is_answer(self, read: InboxMessage, sent: Sent) -> bool:
        if sent.text.named:
            return re.search(rf"\b{re.escape(sent.text.named)}\b", read.body) is not None
        return read.conversation_sid == sent.conversation_sid and not any(
            apology in read.body for apology in self.apologies
        )

    def _part(self, read: InboxMessage) -> int:
        message = self.emulator.backend.state.messages.get(read.conversation_sid, {}).get(read.message_sid)
        found = marker(message.attributes) if message else None
        return found.part if found else 0


def new_customers(count: int, *, chance: random.Random, besides: Sequence[Emulator]) -> list[tuple[str, str]]:
    """Return customers who have never written, by SMS, WhatsApp and web chat in turn, and whom they write to."""
    known = {address for emulator in besides for address in emulator.backend.state.memberships}
    found: dict[str, str] = {}
    while len(found) < count:
        number = f"+1{chance.randint(201, 989)}55501{chance.randint(0, 99):02}"
        visitor = f"visitor-{UUID(int=chance.getrandbits(128)).hex}"
        channels = ((number, SMS_NUMBER), (f"whatsapp:{number}", WHATSAPP_NUMBER), (visitor, CHAT))
        customer, to = channels[len(found) % len(channels)]
        if customer not in known and not number.startswith("+1202"):  # the numbers of the documents
            found[customer] = to
    return list(found.items())

"""What an operator can do to a conversation: see who waits, take it, speak in it, hand it back, close it.

Each call changes the conversation's item by one conditional write that raises the fencing token: an assistant that is
thinking falls silent at once. Every call but `say` may be repeated.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice

from switchboard import lifecycle
from switchboard.author import AuthorRole, AuthorRules
from switchboard.consent import why_nothing_is_sent
from switchboard.content import Content
from switchboard.conversation import OwnerChange, OwnerReason, owner_change
from switchboard.errors import Permanent, SendRefused, SwitchboardError
from switchboard.events import Owner, OwnerSet, Sent
from switchboard.notices import NoticeReason
from switchboard.ports import (
    Clock,
    HumanMessenger,
    LifecycleStore,
    OwnedByHuman,
    OwnerDisplay,
    OwnerIndex,
    Requeue,
    Takeover,
)
from switchboard.whatsapp_window import require_open_window


class Outcome(StrEnum):
    """What became of a change of owner."""

    APPLIED = "applied"
    NOT_SHOWN = "not_shown"  # applied; but Twilio's attributes still show what they showed before
    OUTDATED = "outdated"  # nothing changed: a newer event has set the owner
    FAILED = "failed"  # of several: this one raised


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedBack:
    """What became of one hand back of several; `detail` says why it failed."""

    conversation_sid: str
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operators:
    """The calls, for whatever program an operator uses. `human` is the identity under which a human writes."""

    conversations: LifecycleStore
    owners: OwnerIndex
    messenger: HumanMessenger
    display: OwnerDisplay
    requeue: Requeue
    author_rules: AuthorRules
    clock: Clock

    def waiting(self, *, reason: OwnerReason | None = None, limit: int = 100) -> tuple[OwnedByHuman, ...]:
        """Return the conversations that a human owns, the longest owned first; `reason` picks those owned for it."""
        found = (self._owned(sid, reason) for sid in self.owners.owned_by_humans())
        return tuple(islice(filter(None, found), limit))

    def take(self, conversation_sid: str, *, human: str) -> Outcome:
        """Make a human the owner, without a word to the customer."""
        self._require_human(conversation_sid, human)
        at = self._now()
        if self.conversations.take_over(conversation_sid, index=None, at=at) is Takeover.OUTDATED:
            return Outcome.OUTDATED
        return self._show(owner_change(conversation_sid, Owner.HUMAN, OwnerReason.ATTRIBUTE, at=at), human=human)

    def say(self, conversation_sid: str, *, human: str, text: str = "", content: Content | None = None) -> Sent:
        """Take the conversation, then send a text as that human, or content in its place, such as a template.

        Nothing changes where the customer has opted out (`SendRefused`), where WhatsApp takes no free text any more
        (`WindowClosed`, unless there is `content`), and where Twilio does not say when they wrote last (`NotSent`).

        A POST that fails says whether the text may have been sent: `SendRefused` and `NotSent` say that it was not,
        `Unknown` that it may have been. The human owns the conversation in each case.
        """
        self._require_human(conversation_sid, human)
        if self.conversations.has_opted_out(conversation_sid):
            raise SendRefused(why_nothing_is_sent(conversation_sid))
        if content is None:
            require_open_window(conversation_sid, customers=self.messenger, now=self.clock())
        self.conversations.take_over(conversation_sid, index=None, at=self._now())
        return self.messenger.send_as_human(conversation_sid, human=human, body=text, content=content)

    def hand_back(self, conversation_sid: str) -> Outcome:
        """Make the assistant the owner, and queue what the human left unanswered."""
        return self._hand_back(conversation_sid, at=self._now())

    def hand_back_all(self, *, reason: OwnerReason | None = None) -> tuple[HandedBack, ...]:
        """Hand back every conversation that a human owns (for this reason), one by one; a failure stops no other.

        A conversation in which a human speaks meanwhile stays theirs.
        """
        at = self._now()
        sids = tuple(self.owners.owned_by_humans())  # before the first changes: a list that fails changes nothing
        return tuple(filter(None, (self._try_to_hand_back(sid, reason=reason, at=at) for sid in sids)))

    def close(self, conversation_sid: str) -> None:
        """Close the conversation at Twilio, then its item, for good."""
        self.display.ensure_closed(conversation_sid)
        self.conversations.close(conversation_sid, at=self._now())

    def _owned(self, conversation_sid: str, reason: OwnerReason | None) -> OwnedByHuman | None:
        owned = self.owners.read_owned(conversation_sid)
        return owned if owned and reason in {None, owned.reason} else None

    def _try_to_hand_back(
        self, conversation_sid: str, *, reason: OwnerReason | None, at: datetime
    ) -> HandedBack | None:
        """Return what became of the hand back; None where no human owns the conversation for this reason any more."""
        try:
            if self._owned(conversation_sid, reason) is None:
                return None
            outcome = self._hand_back(conversation_sid, at=at)
        except Exception as error:  # noqa: BLE001 -- one conversation's surprise is not the end of the others
            detail = str(error) if isinstance(error, SwitchboardError) else type(error).__name__
            return HandedBack(conversation_sid=conversation_sid, outcome=Outcome.FAILED, detail=detail)
        return HandedBack(conversation_sid=conversation_sid, outcome=outcome)

    def _hand_back(self, conversation_sid: str, *, at: datetime) -> Outcome:
        effect = lifecycle.hand_back(
            OwnerSet(conversation_sid=conversation_sid, owner=Owner.ASSISTANT, at=at),
            conversations=self.conversations,
            messages=self.messenger,
            requeue=self.requeue,
        )
        if effect is lifecycle.Effect.OUTDATED:
            return Outcome.OUTDATED
        return self._show(owner_change(conversation_sid, Owner.ASSISTANT, NoticeReason.BY_HUMAN, at=at))

    def _show(self, change: OwnerChange, *, human: str | None = None) -> Outcome:
        try:
            self.display.show_decision(change, human=human)
        except SwitchboardError:  # the item decides who speaks; the attributes only show it to other programs
            return Outcome.NOT_SHOWN
        return Outcome.APPLIED

    def _require_human(self, conversation_sid: str, human: str) -> None:
        role = self.author_rules.classify(human)
        if role is not AuthorRole.HUMAN:
            raise Permanent(
                f"{conversation_sid}: this name is not a human's: an author of this name counts as {role.value}."
                " Choose another, or add it to HumanAddresses"
            )

    def _now(self) -> datetime:
        """Return the time in whole milliseconds, as the item and Twilio's attributes keep it."""
        now = self.clock()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

"""An SQS batch of lifecycle events, applied one after the other.

After a failed event, the later events of its conversation come back with it, so that their order is kept.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from switchboard.aws.sqs.queue import Queue, read_record
from switchboard.errors import Malformed, Transient
from switchboard.events import LifecycleEvent
from switchboard.lifecycle import CHANGES_OWNER, TOLD, Effect
from switchboard.notices import Notice, facts_of

# DynamoDB fails for good after three tries of at most 4 s, and the waits between them. An event that is not begun comes
# back in seconds; one in which the function runs into its timeout, after the visibility timeout.
MIN_TIME_FOR_EVENT = timedelta(seconds=15)

MIN_TIME_FOR_NOTICES = timedelta(seconds=8)  # a sweep publishes what this leaves

type Facts = Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleBatch:
    """Applies the events of a batch. `record_decision` and `record_error` report what became of each.

    `publish_of` tells people what is due of some conversations; `show_owners_of` shows at Twilio who owns them, until a
    time at the latest.
    """

    apply: Callable[[LifecycleEvent], Effect]
    publish_of: Callable[[Iterable[str]], Sequence[Notice]]
    show_owners_of: Callable[[Iterable[str], datetime], None]
    queue: Queue
    dead_letters: Queue
    clock: Callable[[], datetime]
    record_decision: Callable[[str, Facts], None]
    record_error: Callable[[Exception, Facts], None]

    def apply_each(self, raw_records: Iterable[Mapping[str, Any]], *, until: datetime) -> list[str]:
        """Apply every event, and return the ids of the records that must come back: in seconds, not at the time-out.

        `until` is when this process will certainly be gone.
        """
        returned: list[Mapping[str, Any]] = []
        waiting: set[str] = set()
        effects: list[tuple[str, Effect]] = []
        for raw in raw_records:
            facts = {"conversation_sid": str(raw.get("attributes", {}).get("MessageGroupId", ""))}
            if facts["conversation_sid"] in waiting or self.clock() > until - MIN_TIME_FOR_EVENT:
                returned.append(raw)
                continue
            try:
                event = read_record(raw).event
            except Malformed as error:
                self.record_error(error, facts)
                if not self._is_buried(raw, facts):
                    returned.append(raw)
                continue
            try:
                effect = self.apply(event)
            except Exception as error:  # noqa: BLE001 -- the outermost edge: a failed event must not fail the others
                self.record_error(error, facts)
                waiting.add(facts["conversation_sid"])
                returned.append(raw)
            else:
                self.record_decision(effect, facts)
                effects.append((event.conversation_sid, effect))
        if returned:
            try:
                self.queue.return_with_backoff(returned)
            except Transient as error:
                self.record_error(error, {})
        self._tell(effects, until=until)
        return [raw["messageId"] for raw in returned]

    def _tell(self, effects: Iterable[tuple[str, Effect]], *, until: datetime) -> None:
        told = {sid for sid, effect in effects if effect in TOLD}
        if told and self.clock() <= until - MIN_TIME_FOR_NOTICES:
            self._try(lambda: self._publish_of(told))
        if changed := {sid for sid, effect in effects if effect in CHANGES_OWNER}:
            self._try(lambda: self.show_owners_of(changed, until))

    def _publish_of(self, conversation_sids: Iterable[str]) -> None:
        for notice in self.publish_of(conversation_sids):
            self.record_decision("notified", facts_of(notice))

    def _try(self, tell: Callable[[], None]) -> None:
        try:
            tell()
        except Exception as error:  # noqa: BLE001 -- a sweep tells it; the events are applied
            self.record_error(error, {})

    def _is_buried(self, raw: Mapping[str, Any], facts: Facts) -> bool:
        """Copy a record that is not an event to the dead-letter queue: it may not hold up its conversation.

        Return whether the copy is there. Where it is not, the record comes back.
        """
        try:
            self.dead_letters.copy_record(raw)
        except Transient as error:
            self.record_error(error, facts)
            return False
        return True

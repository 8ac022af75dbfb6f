"""What humans were told, from a queue of the page's own: the one that stands in for a mail stays as it is."""

import re
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from local.page.desk_words import told

MAX_NOTICES = 50
MAX_BATCH = 10  # of one ReceiveMessage
# The line that template.yaml makes of an event, for mails and phones.
_LINE = re.compile(r'"?(\w+), (\w+): conversation (CH\w{32}), at (\S+)\. Conversations: (\d+)"?')


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One notice."""

    type: str
    words: str
    conversation: str
    at: str


class DeskNotices:
    """The newest notices, since the local stack started; each `read` fetches those that have come since."""

    def __init__(self, *, sqs: Any, queue_url: str) -> None:  # noqa: ANN401 -- see LocalAws.client
        self._sqs = sqs
        self._url = queue_url
        self._notices: deque[Told] = deque(maxlen=MAX_NOTICES)
        self._lock = threading.Lock()

    def read(self) -> list[Told]:
        """Return the notices, the newest first."""
        with self._lock:
            while messages := self._receive():
                for body in messages:
                    notice = _notice(body)
                    if notice and notice not in self._notices:  # one may be published twice
                        self._notices.append(notice)
            return sorted(self._notices, key=lambda notice: notice.at, reverse=True)

    def _receive(self) -> list[str]:
        answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=MAX_BATCH, WaitTimeSeconds=0)
        messages = answer.get("Messages", [])
        if messages:
            entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(messages)]
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
        return [each["Body"] for each in messages]


def _notice(line: str) -> Told | None:
    found = _LINE.fullmatch(line.strip())
    if found is None:
        return None
    kind, reason, conversation, at, count = found.groups()
    return Told(type=kind, words=told(reason, int(count)), conversation=conversation, at=at)

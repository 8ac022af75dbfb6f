"""What a local stack reports of one customer's text, as the recorder is told it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from urllib.parse import urlencode

from local.activity import InvocationBegan, InvocationEnded, LogLine, Outcome, Shown
from local.page.recorder import Recorder
from tests.builders import sid

CONVERSATION = sid("CH", 1)
MESSAGE = sid("IM", 1)
TURN = "7" * 32
START = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
STEPS = ("claim", "gate", "think", "freeze", "send", "record", "settle")


@dataclass(slots=True, kw_only=True)
class Stage:
    """A recorder, and a clock that moves by `after` milliseconds before each thing happens."""

    now: float = START
    recorder: Recorder = field(init=False)
    requests: Iterator[int] = field(default_factory=count)
    sent: dict[str, Sequence[str]] = field(default_factory=dict)  # as the turns' records have it

    def __post_init__(self) -> None:
        self.recorder = Recorder(clock=lambda: self.now)

    def after(self, milliseconds: float) -> None:
        self.now += milliseconds / 1000

    def webhook(
        self, message_sid: str = MESSAGE, *, body: str = "hi", status: int = 200, took: int = 10, **fields: str
    ) -> None:
        form = {"MessageSid": message_sid, "Source": "SMS", "Author": "+12025550110", "Body": body, **fields}
        self._post("onMessageAdded", form, status=status, took=took)

    def receipt(self, message_sid: str, status: str, **fields: str) -> None:
        self.tell("onDeliveryUpdated", MessageSid=message_sid, Status=status, **fields)

    def tell(self, event_type: str, **fields: str) -> None:
        """Have Twilio send a webhook of something else."""
        self._post(event_type, fields)

    def _post(self, event_type: str, fields: Mapping[str, str], *, status: int = 200, took: int = 10) -> None:
        form = {"EventType": event_type, "ConversationSid": CONVERSATION, **fields}
        request = f"w{next(self.requests)}"
        self.recorder(InvocationBegan(function="webhook", request_id=request, event={"body": urlencode(form)}))
        self.after(took)
        self.recorder(
            InvocationEnded(
                function="webhook",
                request_id=request,
                outcome=Outcome.RETURNED,
                milliseconds=took,
                result={"statusCode": status},
            )
        )

    @contextmanager
    def attempt(
        self,
        *message_sids: str,
        receives: int = 1,
        sent: float = 100,
        outcome: Outcome = Outcome.RETURNED,
        conversation: str = CONVERSATION,
        function: str = "agent",
    ) -> Iterator[str]:
        """Deliver messages, sent so many milliseconds ago; yield the invocation's id, and end it."""
        request = f"a{next(self.requests)}"
        records = [
            {
                "messageId": f"record-{each}",
                "body": json.dumps({"type": "MessageAdded", "message_sid": each}),
                "attributes": {
                    "MessageGroupId": conversation,
                    "SentTimestamp": str(round(self.now * 1000 - sent)),
                    "ApproximateReceiveCount": str(receives),
                },
            }
            for each in message_sids or (MESSAGE,)
        ]
        self.recorder(InvocationBegan(function=function, request_id=request, event={"Records": records}))
        yield request
        self.recorder(
            InvocationEnded(function=function, request_id=request, outcome=outcome, milliseconds=1, detail="SIGKILL")
        )

    def log(self, message: str, request: str, *, function: str = "agent", level: str = "INFO", **facts: object) -> None:
        at = datetime.fromtimestamp(self.now, UTC)
        line = {
            "level": level,
            "message": message,
            "timestamp": f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03}+0000",
            "function_request_id": request,
            "service": function,
            **facts,
        }
        self.recorder(LogLine(function=function, text=json.dumps(line)))

    def step(self, step: str, request: str, *, turn: str = TURN, detail: str = "") -> None:
        self.log("step", request, level="DEBUG", conversation_sid=CONVERSATION, turn=turn, step=step, detail=detail)

    def decide(self, decision: str, request: str, **facts: str) -> None:
        self.log(decision, request, conversation_sid=CONVERSATION, **facts)

    def show(self, kind: str, **values: object) -> None:
        about = {"kind": kind, "at": self.now, "turn": TURN, "conversation": CONVERSATION}
        self.recorder(Shown(function="agent", values={**about, **values}))

    def answered(self, message_sid: str = MESSAGE, *, turn: str = TURN, sent: Sequence[str] = ()) -> None:
        """Have a text come, and be answered at the first try, 10 ms a step."""
        self.sent[turn] = sent
        self.webhook(message_sid)
        self.after(100)
        with self.attempt(message_sid) as request:
            for step in STEPS:
                self.after(10)
                self.step(step, request, turn=turn)
            self.decide("answered", request)

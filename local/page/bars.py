"""A turn → the bars of its time axis, in their order, each with what it is and how long it took."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from local.page import words
from local.page.grouping import Attempt, Turn, fields_of
from local.page.recorder import Happened, Kind
from twilio_emulator.webhooks.sender import MAY_HAVE_ARRIVED

ON_THE_QUEUE = "On the queue, until the agent function took it."
WEBHOOK_IS_LOST = "Nobody knows of it yet. The sweeper reads Twilio's list every minute, and will find it."
WEBHOOK_MAY_BE_LOST = "If it did not arrive, the sweeper will find it: it reads Twilio's list every minute."
QUEUED_AGAIN = "It was queued once more: by the sweeper, or by a webhook that came again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Something that took from `start` to `end`, in epoch milliseconds; `end` is None while it goes on.

    `lane` is what it is a part of, `inside` how deep: a tool is inside think. `number` finds the facts of it.
    """

    name: str
    start: float
    end: float | None
    lane: str
    said: str = ""
    tone: str = words.QUIET
    number: int | None = None
    inside: int = 0
    waits: bool = False
    attempt: int = 0

    def as_json(self) -> Mapping[str, Any]:
        """Return the bar with its milliseconds."""
        took = None if self.end is None else max(0, round(self.end - self.start))
        return {**asdict(self), "milliseconds": took}


def bars_of(turn: Turn) -> list[Bar]:
    """Return the bars of a turn by when they began; what is inside a step follows it."""
    told = [_webhook(each) for each in (*turn.asked, *turn.replied)] + [_beside(each) for each in turn.beside]
    worked = [bar for number, attempt in enumerate(turn.attempts, start=1) for bar in _attempt(attempt, number)]
    waited = list(_waits(turn))
    ordered = sorted([*told, *waited, *(bar for bar in worked if not bar.inside)], key=_order)
    return [bar for each in ordered for bar in (each, *_inside(each, worked))]


def ending_of(turn: Turn) -> Happened | None:
    """Return the decision that ended a turn; None while it goes on."""
    decided = [each for attempt in turn.attempts for each in attempt.decisions]
    return next((each for each in reversed(decided) if each.facts["decision"] in words.ENDINGS), None)


def _order(bar: Bar) -> tuple[float, bool]:
    return bar.start, not bar.waits


def _inside(step: Bar, bars: Sequence[Bar]) -> Iterator[Bar]:
    if step.name == "think" or step.lane == "attempt":
        for bar in bars:
            if bar.inside and bar.attempt == step.attempt and _contains(step, bar):
                yield bar


def _contains(step: Bar, bar: Bar) -> bool:
    return step.start <= (bar.end or bar.start) and (step.end is None or bar.start <= step.end)


def _webhook(webhook: Happened) -> Bar:
    fields = fields_of(webhook)
    said = words.say_event(fields)
    if webhook.kind is Kind.LOST:
        name = "not answered" if _may_have_arrived(webhook) else "webhook lost"
        return _instant(name, webhook, f"{said}. {webhook.facts['reason']}", words.BAD, lane="twilio")
    status = webhook.facts["status"]
    verdict = {200: "its signature is Twilio's", 403: "refused: not signed by Twilio"}.get(status, "not taken")
    failed = fields.get("Status") in {"failed", "undelivered"}
    code = f", error {fields['ErrorCode']}" if fields.get("ErrorCode", "0") not in {"", "0"} else ""
    again = "Sent again from this page. " if webhook.facts["replay"] else ""
    return Bar(
        name=_name_of_webhook(fields),
        start=webhook.at,
        end=webhook.at + webhook.facts["milliseconds"],
        lane="twilio",
        said=f"{again}{said}{code}; {verdict}, {status}.",
        tone=words.BAD if failed or status >= 400 else words.QUIET,  # noqa: PLR2004 -- HTTP's errors
        number=webhook.number,
    )


def _may_have_arrived(lost: Happened) -> bool:
    return MAY_HAVE_ARRIVED in str(lost.facts.get("reason", ""))


def _name_of_webhook(fields: Mapping[str, str]) -> str:
    if fields.get("EventType") == "onDeliveryUpdated":
        return fields.get("Status", "receipt")
    return words.SHORT_EVENTS.get(fields.get("EventType", ""), "webhook")


def _beside(happened: Happened) -> Bar:
    if happened.kind in {Kind.WEBHOOK, Kind.LOST}:
        return _webhook(happened)
    decision = str(happened.facts["decision"])
    tone = words.tone_of(decision, str(happened.facts.get("level", "")))
    return _instant(decision.replace("_", " "), happened, words.say_decision(happened.facts), tone, lane="lifecycle")


def _instant(name: str, happened: Happened, said: str, tone: str, *, lane: str) -> Bar:
    at = happened.at
    return Bar(name=name, start=at, end=at, lane=lane, said=said, tone=tone, number=happened.number)


def _waits(turn: Turn) -> Iterator[Bar]:
    """Yield how long records were on the queue: before the first attempt, and between two of them."""
    seen: set[str] = set()
    for number, attempt in enumerate(turn.attempts, start=1):
        fresh = [each for each in attempt.began.facts["records"] if each["receives"] == 1]
        if fresh:
            is_new = any(each["message_sid"] not in seen for each in fresh)
            said = ON_THE_QUEUE if is_new else QUEUED_AGAIN
            name = "queued" if is_new else "queued again"
            yield _wait(name, min(each["sent_at"] for each in fresh), attempt.began.at, said, number)
        seen |= attempt.message_sids
    for number, (before, after) in enumerate(pairwise(turn.attempts), start=2):
        if after.began.at > before.last_at:
            yield _wait("waits", before.last_at, after.began.at, _why_again(before), number)
    last = turn.attempts[-1] if turn.attempts else None
    if last is None:
        if told := [each for each in turn.asked if each.kind is Kind.WEBHOOK]:
            yield _wait("queued", told[0].at + told[0].facts["milliseconds"], None, ON_THE_QUEUE, 1)
        elif turn.asked:
            said = WEBHOOK_MAY_BE_LOST if any(map(_may_have_arrived, turn.asked)) else WEBHOOK_IS_LOST
            yield _wait("waits", turn.asked[-1].at, None, said, 1)
    elif last.ended and ending_of(turn) is None:
        yield _wait("waits", last.ended.at, None, _why_again(last), len(turn.attempts) + 1)


def _wait(name: str, start: float, end: float | None, said: str, attempt: int) -> Bar:
    return Bar(name=name, start=start, end=end, lane="queue", said=said, waits=True, attempt=attempt)


def _why_again(attempt: Attempt) -> str:
    if attempt.ended and attempt.ended.facts["outcome"] in {"crashed", "timed out"}:
        return "The worker is gone. SQS delivers its records again when their visibility timeout ends."
    return "The records wait until they are delivered again."


def _attempt(attempt: Attempt, number: int) -> Iterator[Bar]:
    """Yield the steps of an attempt, what it ended with where that is no step, and what the model was shown."""
    at, previous = attempt.began.at, ""
    for step in attempt.steps:
        name = str(step.facts["step"])
        if name == "gate" and previous == "claim":
            yield Bar(name="gather", start=at, end=at, lane="turn", said=words.NOTHING_TO_GATHER, attempt=number)
        yield Bar(
            name=name,
            start=at,
            end=max(at, step.at),
            lane="turn",
            said=_say_step(name, str(step.facts.get("detail", ""))),
            number=step.number,
            attempt=number,
        )
        at, previous = max(at, step.at), name
    yield from _rest(attempt, number, since=at, is_settled=previous == "settle")
    yield from (_shown(each, number) for each in attempt.shown)


def _say_step(name: str, detail: str) -> str:
    detail = words.RULES.get(detail, detail.replace("_", " "))
    return f"{words.STEPS.get(name, '')}{f' → {detail}' if detail else ''}"


def _rest(attempt: Attempt, number: int, *, since: float, is_settled: bool) -> Iterator[Bar]:
    """Yield what came after the last step: a crash, a decision, or work that goes on."""
    ended = attempt.ended
    if ended and ended.facts["outcome"] != "returned":
        outcome, detail = ended.facts["outcome"], ended.facts["detail"]
        last = f"after {attempt.steps[-1].facts['step']}" if attempt.steps else "before it claimed anything"
        said = f"The worker {outcome} {last}: {detail}."
        yield Bar(
            name=outcome,
            start=since,
            end=ended.at,
            lane="attempt",
            said=said,
            tone=words.BAD,
            number=ended.number,
            attempt=number,
        )
    elif not is_settled and (decided := attempt.verdict):
        yield Bar(
            name=str(decided.facts["decision"]).replace("_", " "),
            start=since,
            end=max(since, decided.at),
            lane="attempt",
            said=words.say_decision(decided.facts),
            tone=words.tone_of(str(decided.facts["decision"]), str(decided.facts.get("level", ""))),
            number=decided.number,
            attempt=number,
        )
    elif not is_settled and ended is None:
        doing = {"": "starts", "gate": "thinks", "claim": "gathers", "think": "freezes", "freeze": "sends"}
        last = str(attempt.steps[-1].facts["step"]) if attempt.steps else ""
        name = doing.get(last, "works")
        yield Bar(name=name, start=since, end=None, lane="attempt", said="It is at work.", attempt=number)


def _shown(happened: Happened, number: int) -> Bar:
    facts, end = happened.facts, happened.at
    is_model = happened.kind is Kind.MODEL
    name = "model" if is_model else str(facts["name"])
    said = _say_model(facts) if is_model else f"→ {facts['returned']}"
    return Bar(
        name=name,
        start=end - facts["milliseconds"],
        end=end,
        lane=happened.kind.value,
        said=said,
        tone=words.BAD if facts.get("failed") else words.QUIET,
        number=happened.number,
        inside=1,
        attempt=number,
    )


def _say_model(facts: Mapping[str, Any]) -> str:
    if facts["failed"]:
        return f"{facts['model']} failed: {facts['failed']}"
    calls = [each["tool"] for each in facts["answered"] if "tool" in each]
    what = f"calls {', '.join(calls)}" if calls else "answers"
    tokens = facts["input_tokens"] + facts["output_tokens"]
    return f"{facts['model']} {what}{f', {tokens:,} tokens' if tokens else ''}"

"""What happened in a conversation → its turns: the webhooks that began each, every attempt at it, what came after it.

A turn is known by its id, which its first claim draws. Before that, it is known by the message that waits.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from local.page import words
from local.page.recorder import Happened, Kind

ANSWERS = "agent"  # the function that takes turns
FROM_CUSTOMERS = frozenset({"SMS", "WHATSAPP", "MESSENGER", "RCS", "SDK"})  # Twilio's `Source`
HAS_FROZEN = frozenset({"freeze", "resume", "send"})  # the steps after which Twilio may have a part of the reply
BEFORE_MS, AFTER_MS = 1_500, 250  # what else happens so long before a turn begins, or after it ended, belongs to it


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One delivery of a turn's records to the agent function, and what came of it."""

    began: Happened
    steps: list[Happened] = field(default_factory=list)
    shown: list[Happened] = field(default_factory=list)  # calls of tools, requests to the model
    decisions: list[Happened] = field(default_factory=list)
    ended: Happened | None = None

    @property
    def message_sids(self) -> frozenset[str]:
        """The messages that were delivered."""
        return frozenset(each["message_sid"] for each in self.began.facts["records"])

    @property
    def turn(self) -> str:
        """The turn's id; empty where nothing was claimed."""
        return next((str(each.facts["turn"]) for each in self.steps), "")

    @property
    def verdict(self) -> Happened | None:
        """What was decided of its records; None where nothing was, or not yet."""
        decides = words.ENDINGS | words.COMES_BACK
        return next((each for each in reversed(self.decisions) if each.facts["decision"] in decides), None)

    @property
    def last_at(self) -> float:
        """When it ended, or when something of it was heard last."""
        return self.ended.at if self.ended else max([self.began.at, *(each.at for each in self.steps)])


@dataclass(slots=True, kw_only=True)
class Turn:
    """A turn, or what happened between two turns: then it has neither attempts nor webhooks of a customer."""

    key: str
    asked: list[Happened] = field(default_factory=list)  # webhooks that told of a customer's message
    attempts: list[Attempt] = field(default_factory=list)
    replied: list[Happened] = field(default_factory=list)  # what Twilio told of the delivery of our reply
    beside: list[Happened] = field(default_factory=list)  # whatever else happened meanwhile

    @property
    def is_turn(self) -> bool:
        """Whether a customer's message began it."""
        return bool(self.asked or self.attempts)

    def began_at(self) -> float:
        """Return when the first thing of it happened."""
        return min(each.at for each in self._all())

    def ended_at(self) -> float:
        """Return when the last thing of it happened."""
        return max([each.at for each in self._all()] + [each.last_at for each in self.attempts])

    def _all(self) -> Iterator[Happened]:
        yield from (*self.asked, *self.replied, *self.beside)
        yield from (each.began for each in self.attempts)


def fields_of(happened: Happened) -> Mapping[str, str]:
    """Return the form's fields of a webhook by name; of a repeated one, the last."""
    return dict(map(tuple, happened.facts.get("fields", ())))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Replies:
    """Which turn's reply something tells of: its record says so. Before it has one, it is the turn that sends."""

    turns: Mapping[str, str]  # of each message that a record names
    frozen: Sequence[tuple[float, str]]  # the turns that have a reply, and since when
    recorded: Collection[str]
    others: frozenset[str]  # the messages that told of themselves: ours do not
    told: Mapping[str, frozenset[str]]  # the messages that the lifecycle function was told of, by invocation

    def turn_of(self, happened: Happened) -> str:
        """Return the turn; empty where it tells of no reply, or nobody knows of whose."""
        if happened.kind in {Kind.WEBHOOK, Kind.LOST}:
            fields = fields_of(happened)
            is_receipt = fields.get("EventType") == "onDeliveryUpdated"
            return self._sender(fields.get("MessageSid", ""), happened.at) if is_receipt else ""
        sids = self.told.get(str(happened.facts.get("request", ""))) if _is_beside(happened) else None
        found = {self._sender(sid, happened.at) for sid in sids or ()}
        return found.pop() if len(found) == 1 else ""

    def _sender(self, message_sid: str, at: float) -> str:
        if message_sid in self.turns:
            return self.turns[message_sid]
        if message_sid in self.others:
            return ""
        _, last = max((each for each in self.frozen if each[0] <= at), default=(0, ""))
        return "" if last in self.recorded else last


def group(events: Sequence[Happened], *, sent: Mapping[str, Collection[str]]) -> list[Turn]:
    """Return the turns of a conversation, and what happened between them, by when each began.

    `sent` are the messages that a turn's record names, of each turn that has one.
    """
    attempts = _attempts(events)
    turns: dict[str, Turn] = {}
    for key, attempt in zip(_keys(attempts), attempts, strict=True):
        turns.setdefault(key, Turn(key=key)).attempts.append(attempt)
    replies = _replies(events, attempts, sent)
    of_replies = [(each, key) for each in events if (key := replies.turn_of(each))]
    others = [each for each in events if not replies.turn_of(each)]
    loose = [*_place_webhooks(others, turns), *(each for each in others if _is_beside(each))]
    turned = sorted(turns.values(), key=Turn.began_at)
    between = [each for each in sorted(loose, key=lambda each: each.at) if not _is_placed(each, turned)]
    for each, key in of_replies:  # last: what comes much later makes no turn longer
        if key not in turns:
            between.append(each)
        elif _is_beside(each):
            turns[key].beside.append(each)
        else:
            turns[key].replied.append(each)
    return sorted([*turned, *_between(between, turned)], key=Turn.began_at)


def _replies(events: Sequence[Happened], attempts: Iterable[Attempt], sent: Mapping[str, Collection[str]]) -> _Replies:
    steps = [each for attempt in attempts for each in attempt.steps if each.facts["step"] in HAS_FROZEN]
    told = [fields_of(each) for each in events if each.kind in {Kind.WEBHOOK, Kind.LOST}]
    given = [each.facts for each in events if each.kind is Kind.DELIVERED and each.facts["function"] == "lifecycle"]
    return _Replies(
        turns={sid: turn for turn, sids in sent.items() for sid in sids if sid},
        frozen=[(each.at, str(each.facts["turn"])) for each in steps],
        recorded=sent.keys(),
        others=frozenset(each.get("MessageSid", "") for each in told if each.get("EventType") == "onMessageAdded"),
        told={each["request"]: frozenset(record["message_sid"] for record in each["records"]) for each in given},
    )


def _attempts(events: Iterable[Happened]) -> list[Attempt]:
    found: dict[str, Attempt] = {}
    of_turn: dict[str, Attempt] = {}
    for each in (each for each in events if each.kind is not Kind.WEBHOOK):
        if each.kind is Kind.DELIVERED and each.facts["function"] == ANSWERS:
            found[each.facts["request"]] = Attempt(began=each)
    for each in events:
        attempt = found.get(str(each.facts.get("request", "")))
        if each.kind in {Kind.TOOL, Kind.MODEL}:
            attempt = of_turn.get(each.facts["turn"])
            if attempt:
                attempt.shown.append(each)
        elif attempt is None:
            continue
        elif each.kind is Kind.STEP:
            attempt.steps.append(each)
            of_turn[str(each.facts["turn"])] = attempt
        elif each.kind is Kind.DECISION:
            attempt.decisions.append(each)
        elif each.kind is Kind.ENDED:
            attempt.ended = each
    return list(found.values())


def _keys(attempts: Sequence[Attempt]) -> list[str]:
    """Return the key of each attempt's turn: one that claimed nothing belongs to the next that did, of its messages."""
    keys = [attempt.turn for attempt in attempts]
    for at in reversed(range(len(attempts))):
        if keys[at]:
            continue
        later = (n for n in range(at + 1, len(attempts)) if attempts[n].message_sids & attempts[at].message_sids)
        following = next(later, None)
        keys[at] = keys[following] if following is not None else _waiting(min(attempts[at].message_sids, default=""))
    return keys


def _waiting(message_sid: str) -> str:
    return f"waiting-{message_sid}"


def _place_webhooks(events: Sequence[Happened], turns: dict[str, Turn]) -> Iterator[Happened]:
    """Give each webhook that told of a customer's message to its turn; yield the others."""
    for each in (each for each in events if each.kind in {Kind.WEBHOOK, Kind.LOST}):
        fields = fields_of(each)
        if fields.get("EventType") == "onMessageAdded" and (turn := _asked_turn(each, fields, turns)):
            turn.asked.append(each)
        else:
            yield each


def _asked_turn(webhook: Happened, fields: Mapping[str, str], turns: dict[str, Turn]) -> Turn | None:
    """Return the turn of a customer's message: the first that was given it after the webhook came."""
    sid = fields.get("MessageSid", "")
    given = [(each.began.at, turn) for turn in turns.values() for each in turn.attempts if sid in each.message_sids]
    later = [pair for pair in given if pair[0] >= webhook.at]
    if later:
        return min(later, key=lambda pair: pair[0])[1]
    if webhook.facts.get("replay"):
        return None
    if given:
        return max(given, key=lambda pair: pair[0])[1]
    is_refused = webhook.kind is Kind.WEBHOOK and webhook.facts["status"] != 200  # noqa: PLR2004 -- HTTP's OK
    if is_refused or fields.get("Source") not in FROM_CUSTOMERS:
        return None
    return turns.setdefault(_waiting(sid), Turn(key=_waiting(sid)))


def _is_beside(happened: Happened) -> bool:
    """Tell whether it is of no turn: what the lifecycle function and the sweeper decided."""
    return happened.kind is Kind.DECISION and happened.facts.get("function") in {"lifecycle", "sweeper"}


def _is_placed(happened: Happened, turns: Sequence[Turn]) -> bool:
    """Give something to the turn in whose time it happened, and tell whether there is one."""
    for turn in turns:
        if turn.began_at() - BEFORE_MS <= happened.at <= turn.ended_at() + AFTER_MS:
            turn.beside.append(happened)
            return True
    return False


def _between(loose: Sequence[Happened], turns: Sequence[Turn]) -> Iterator[Turn]:
    """Yield what happened between turns, as far as no turn began meanwhile, together."""
    starts = [turn.began_at() for turn in turns]
    groups: dict[int, Turn] = {}
    for each in loose:
        place = sum(start < each.at for start in starts)
        groups.setdefault(place, Turn(key=f"between-{each.number}")).beside.append(each)
    yield from groups.values()

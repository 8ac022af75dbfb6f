"""A worker's way out of the simulation: its ports, each call of which gives control to the schedule and may fail."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from switchboard.agent import Answer, Question
from switchboard.author import AuthorRole
from switchboard.events import Marker, MessageAdded, Owner, OwnerSet, Sent
from tests.simulation.invariants import REPLY
from tests.simulation.models import MAX_EVENT_AGE, ThrottledError

if TYPE_CHECKING:
    from tests.simulation.world import Worker, World

POST_ENDS = ("lost", "unseen", "late", "not_sent", "refused")
WRITES = frozenset(
    {"claim", "join", "refuse", "freeze", "record_resend", "record", "settle", "give_back", "close_empty"}
)


class Ports:
    """A worker's ports: each call gives control to the schedule before and after, and may fail."""

    def __init__(self, world: "World", worker: "Worker") -> None:
        self._world = world
        self._worker = worker
        self._saw_a_colleague = False

    def answer(self, question: Question) -> Answer:
        self._pause("think")
        thoughts = self._world.thoughts.setdefault(self._worker.receipts[0].message.conversation_sid, {})
        for index in map(int, question.messages):
            thoughts.setdefault(index, set()).add(question.turn)
        if self._fails(0.05):
            raise ThrottledError
        return Answer(text=" ".join([REPLY, *question.messages]))

    def send_message(self, conversation_sid: str, *, body: str, marker: Marker) -> Sent:
        # No pause before: a thread that is suspended between its clock check and its POST is the documented window.
        end = self._world.chance.choice(POST_ENDS) if self._fails(0.3) else "sent"
        if self._world.window_faults and end == "late":
            end = self._world.chance.choice(["late", "very_late"])
        self._note(f"POST {marker.turn}/{marker.part}: {end}")
        try:
            return self._world.twilio.post(conversation_sid, body, marker, end=end)
        finally:
            self._pause("post")

    def list_messages(self, conversation_sid: str, *, from_index: int) -> tuple[MessageAdded, ...]:
        self._pause("list")
        if self._fails(0.1):
            raise ThrottledError
        listed = self._world.twilio.list_messages(conversation_sid, from_index=from_index)
        item = self._world.item(conversation_sid)
        self._saw_a_colleague = any(
            message.author_role is AuthorRole.HUMAN
            and message.at > item.owner_changed_at
            and not item.coverage.covers(message.index)
            and self._world.clock() - message.at < MAX_EVENT_AGE
            for message in listed
        )
        return listed

    def copy(self, messages: Sequence[MessageAdded]) -> None:
        self._pause("copy")
        for message in messages:
            self._world.dead_letters.send(message)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 -- any of the store's methods
            self._pause(name)
            if name in WRITES and self._fails(0.04):
                self._note(f"{name} is throttled")
                raise ThrottledError
            result = self._call(name, arguments, named)
            if name in WRITES and self._fails(0.04):
                self._note(f"the answer to {name} is lost, and the SDK asks again")
                result = self._call(name, arguments, named)
            self._pause(name)
            if name in WRITES and self._fails(0.04):
                self._note(f"the answer to {name} is lost")
                raise ThrottledError
            return result

        return call

    def _call(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:  # noqa: ANN401 -- see above
        conversation_sid = arguments[0] if isinstance(arguments[0], str) else arguments[0].sid
        method = getattr(self._world.store, name)
        if name == "take_over":
            self._world.takes(conversation_sid, lambda: method(*arguments, **named))
            found = OwnerSet(conversation_sid=conversation_sid, owner=Owner.HUMAN, at=named["at"])
            self._world.owners.setdefault(conversation_sid, []).append(found)
            return None
        if name == "spent":
            open_turns = sum(bool(item.turn) for item in self._world.store.items.values())
            self._world.most_in_flight = max(self._world.most_in_flight, open_turns)
        result = method(*arguments, **named)
        if name == "claim":
            self._world.checks.is_active(conversation_sid)
        if name in {"freeze", "record_resend"}:
            self._world.note_licence(name, conversation_sid, saw_a_colleague=self._saw_a_colleague)
        self._note(name)
        return result

    def _fails(self, rate: float) -> bool:
        world = self._world
        if world.faults > 0 and world.chance.random() < rate:
            world.faults -= 1
            return True
        return False

    def _pause(self, _before: str) -> None:
        parent = self._worker.thread.parent
        assert parent is not None
        parent.switch()

    def _note(self, what: str) -> None:
        self._world.trace.append(f"  {self._worker.number}: {what}")

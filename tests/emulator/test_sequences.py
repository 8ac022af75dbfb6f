"""Random valid sequences of calls through the `twilio` package: never a 5xx, never an answer Twilio does not describe.

A small model of what should be there runs beside the emulator; every call is held to Twilio's description (`Served`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from twilio.base.exceptions import TwilioRestException

from tests.emulator.emulator_server import OUR_SMS, OUR_WHATSAPP, Served

SEQUENCES = 200
PHONES = ["+12025550110", "+12025550111", "+12025550112", "+12025550113"]
IDENTITIES = ["alice", "bob"]
REFUSALS = {50353, 50377, 50416, 50433}  # what a valid call may still meet


@dataclass(slots=True)
class Modelled:
    """What a conversation should hold."""

    sid: str
    closed: bool = False
    bodies: list[str] = field(default_factory=list)
    people: set[str] = field(default_factory=set)


class Sequences(RuleBasedStateMachine):
    twilio: Served  # set by the test: one emulator serves all sequences

    def __init__(self) -> None:
        super().__init__()
        self.twilio.request("POST", "/_emulator/reset")
        self.standing: list[Modelled] = []

    def pick(self, number: int) -> Modelled:
        return self.standing[number % len(self.standing)]

    def resource(self, modelled: Modelled) -> Any:  # noqa: ANN401 -- the package types its resources loosely
        return self.twilio.service.conversations(modelled.sid)

    @contextmanager
    def may_be_refused(self, modelled: Modelled | None = None) -> Iterator[None]:
        """Take a refusal that the rules of the API allow; of a closed conversation nothing else."""
        refusal = None
        try:
            yield
        except TwilioRestException as error:
            refusal = error
        is_closed = modelled is not None and modelled.closed
        if refusal is None:
            assert not is_closed, "a closed conversation took a change"
            return
        assert refusal.code in REFUSALS, refusal
        assert refusal.code != 50377 or is_closed

    @rule(name=st.sampled_from([None, "order-17", "order-18"]), timer=st.sampled_from([None, "PT1M", "PT1H"]))
    def create(self, name: str | None, timer: str | None) -> None:
        given = {"unique_name": name, "timers_inactive": timer}
        with self.may_be_refused():
            created = self.twilio.service.conversations.create(**{k: v for k, v in given.items() if v})
            self.standing.append(Modelled(sid=created.sid))

    @rule(
        number=st.integers(0),
        phone=st.sampled_from(PHONES),
        whatsapp=st.booleans(),
        body=st.text(min_size=1, max_size=40).filter(str.strip),
    )
    def text(self, number: int, phone: str, whatsapp: bool, body: str) -> None:  # noqa: FBT001 -- Hypothesis names it
        sender, to = (f"whatsapp:{phone}", OUR_WHATSAPP) if whatsapp else (phone, OUR_SMS)
        body = f"{number} {body.encode('utf-8', 'replace').decode()}"
        sid = self.twilio.text(body, sender=sender, to=to)["conversation_sid"]
        modelled = next((each for each in self.standing if each.sid == sid), None)
        if modelled is None:
            assert not any(sender in each.people for each in self.standing if not each.closed)
            modelled = Modelled(sid=sid, people={sender})
            self.standing.append(modelled)
        assert sender in modelled.people
        assert not modelled.closed
        modelled.bodies.append(body)

    @precondition(lambda self: self.standing)
    @rule(number=st.integers(0), identity=st.sampled_from(IDENTITIES))
    def add_identity(self, number: int, identity: str) -> None:
        modelled = self.pick(number)
        with self.may_be_refused(modelled):
            self.resource(modelled).participants.create(identity=identity)
            assert identity not in modelled.people
            modelled.people.add(identity)

    @precondition(lambda self: self.standing)
    @rule(number=st.integers(0), phone=st.sampled_from(PHONES))
    def add_phone(self, number: int, phone: str) -> None:
        modelled = self.pick(number)
        with self.may_be_refused(modelled):
            self.resource(modelled).participants.create(
                messaging_binding_address=phone, messaging_binding_proxy_address=OUR_SMS
            )
            assert not any(phone in each.people for each in self.standing if not each.closed)
            modelled.people.add(phone)

    @precondition(lambda self: self.standing)
    @rule(
        number=st.integers(0), author=st.sampled_from([None, "switchboard", *IDENTITIES]), body=st.sampled_from("abc")
    )
    def send(self, number: int, author: str | None, body: str) -> None:
        modelled = self.pick(number)
        with self.may_be_refused(modelled):
            message = self.resource(modelled).messages.create(**({"author": author} if author else {}), body=body)
            assert (message.participant_sid is not None) == (author in modelled.people)
            message.delivery_receipts.list()
            modelled.bodies.append(body)

    @precondition(lambda self: any(each.bodies for each in self.standing))
    @rule(number=st.integers(0), edits=st.booleans())
    def change_the_last_message(self, number: int, edits: bool) -> None:  # noqa: FBT001 -- Hypothesis names it
        modelled = [each for each in self.standing if each.bodies][number % sum(bool(e.bodies) for e in self.standing)]
        (message,) = self.resource(modelled).messages.list(order="desc", limit=1)
        with self.may_be_refused(modelled):
            if edits:
                message.update(body="edited")
                modelled.bodies[-1] = "edited"
            else:
                message.delete()
                modelled.bodies.pop()

    @precondition(lambda self: self.standing)
    @rule(number=st.integers(0), state=st.sampled_from(["active", "inactive", "closed"]))
    def set_state(self, number: int, state: str) -> None:
        modelled = self.pick(number)
        with self.may_be_refused(modelled):
            assert self.resource(modelled).update(state=state).state == state
        modelled.closed = modelled.closed or state == "closed"

    @precondition(lambda self: any(each.people for each in self.standing))
    @rule(number=st.integers(0))
    def remove_somebody(self, number: int) -> None:
        modelled = [each for each in self.standing if each.people][number % sum(bool(e.people) for e in self.standing)]
        participant = self.resource(modelled).participants.list()[0]
        participant.delete()
        binding = participant.messaging_binding or {}
        modelled.people.remove(participant.identity or binding["address"])

    @precondition(lambda self: self.standing)
    @rule(number=st.integers(0))
    def delete(self, number: int) -> None:
        modelled = self.pick(number)
        self.resource(modelled).delete()
        self.standing.remove(modelled)

    @rule(minutes=st.sampled_from([1, 60, 60 * 25]))
    def wait(self, minutes: int) -> None:
        self.twilio.advance_clock(minutes=minutes)

    @invariant()
    def everything_stands_as_modelled(self) -> None:
        listed = {each.sid: each for each in self.twilio.service.conversations.list()}
        assert set(listed) == {each.sid for each in self.standing}
        for modelled in self.standing:
            assert (listed[modelled.sid].state == "closed") == modelled.closed
            messages = self.resource(modelled).messages.list(page_size=3)
            assert [message.body for message in messages] == modelled.bodies
            assert [message.index for message in messages] == sorted({message.index for message in messages})
            people = self.resource(modelled).participants.list()
            assert {each.identity or each.messaging_binding["address"] for each in people} == modelled.people


@pytest.fixture
def machine(twilio: Served) -> type[Sequences]:
    return type("Served", (Sequences,), {"twilio": twilio})


def test_no_valid_sequence_of_calls_fails_or_is_answered_wrongly(machine: type[Sequences]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            database=None,
        ),
    )

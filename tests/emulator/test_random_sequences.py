"""Random sequences of valid calls with the `twilio` package, compared with a small model of the expected state.

`EmulatorServer` checks every response against Twilio's OpenAPI description.
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

from tests.emulator.emulator_server import OUR_SMS, OUR_WHATSAPP, EmulatorServer

SEQUENCES = 200
PHONES = ["+12025550110", "+12025550111", "+12025550112", "+12025550113"]
IDENTITIES = ["alice", "bob"]
REFUSALS = {50353, 50377, 50416, 50433}  # errors that a valid call can get


@dataclass(slots=True)
class ExpectedConversation:
    """The expected state of a conversation."""

    sid: str
    closed: bool = False
    bodies: list[str] = field(default_factory=list)
    members: set[str] = field(default_factory=set)


class Sequences(RuleBasedStateMachine):
    twilio: EmulatorServer  # set by the test

    def __init__(self) -> None:
        super().__init__()
        self.twilio.request("POST", "/_emulator/reset")
        self.conversations: list[ExpectedConversation] = []

    def pick(self, number: int) -> ExpectedConversation:
        return self.conversations[number % len(self.conversations)]

    def resource(self, expected: ExpectedConversation) -> Any:  # noqa: ANN401 -- the package types its resources loosely
        return self.twilio.service.conversations(expected.sid)

    @contextmanager
    def may_be_refused(self, expected: ExpectedConversation | None = None) -> Iterator[None]:
        """Allow the errors in `REFUSALS`; a call that changes a closed conversation must fail."""
        refusal = None
        try:
            yield
        except TwilioRestException as error:
            refusal = error
        is_closed = expected is not None and expected.closed
        if refusal is None:
            assert not is_closed, "a closed conversation was changed"
            return
        assert refusal.code in REFUSALS, refusal
        assert refusal.code != 50377 or is_closed

    @rule(name=st.sampled_from([None, "order-17", "order-18"]), timer=st.sampled_from([None, "PT1M", "PT1H"]))
    def create(self, name: str | None, timer: str | None) -> None:
        given = {"unique_name": name, "timers_inactive": timer}
        with self.may_be_refused():
            created = self.twilio.service.conversations.create(**{k: v for k, v in given.items() if v})
            self.conversations.append(ExpectedConversation(sid=created.sid))

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
        expected = next((each for each in self.conversations if each.sid == sid), None)
        if expected is None:
            assert not any(sender in each.members for each in self.conversations if not each.closed)
            expected = ExpectedConversation(sid=sid, members={sender})
            self.conversations.append(expected)
        assert sender in expected.members
        assert not expected.closed
        expected.bodies.append(body)

    @precondition(lambda self: self.conversations)
    @rule(number=st.integers(0), identity=st.sampled_from(IDENTITIES))
    def add_identity(self, number: int, identity: str) -> None:
        expected = self.pick(number)
        with self.may_be_refused(expected):
            self.resource(expected).participants.create(identity=identity)
            assert identity not in expected.members
            expected.members.add(identity)

    @precondition(lambda self: self.conversations)
    @rule(number=st.integers(0), phone=st.sampled_from(PHONES))
    def add_address(self, number: int, phone: str) -> None:
        expected = self.pick(number)
        with self.may_be_refused(expected):
            self.resource(expected).participants.create(
                messaging_binding_address=phone, messaging_binding_proxy_address=OUR_SMS
            )
            assert not any(phone in each.members for each in self.conversations if not each.closed)
            expected.members.add(phone)

    @precondition(lambda self: self.conversations)
    @rule(
        number=st.integers(0), author=st.sampled_from([None, "switchboard", *IDENTITIES]), body=st.sampled_from("abc")
    )
    def send(self, number: int, author: str | None, body: str) -> None:
        expected = self.pick(number)
        with self.may_be_refused(expected):
            message = self.resource(expected).messages.create(**({"author": author} if author else {}), body=body)
            assert (message.participant_sid is not None) == (author in expected.members)
            message.delivery_receipts.list()
            expected.bodies.append(body)

    @precondition(lambda self: any(each.bodies for each in self.conversations))
    @rule(number=st.integers(0), edits=st.booleans())
    def change_the_last_message(self, number: int, edits: bool) -> None:  # noqa: FBT001 -- Hypothesis names it
        expected = [each for each in self.conversations if each.bodies][
            number % sum(bool(e.bodies) for e in self.conversations)
        ]
        (message,) = self.resource(expected).messages.list(order="desc", limit=1)
        with self.may_be_refused(expected):
            if edits:
                message.update(body="edited")
                expected.bodies[-1] = "edited"
            else:
                message.delete()
                expected.bodies.pop()

    @precondition(lambda self: self.conversations)
    @rule(number=st.integers(0), state=st.sampled_from(["active", "inactive", "closed"]))
    def set_state(self, number: int, state: str) -> None:
        expected = self.pick(number)
        with self.may_be_refused(expected):
            assert self.resource(expected).update(state=state).state == state
        expected.closed = expected.closed or state == "closed"

    @precondition(lambda self: any(each.members for each in self.conversations))
    @rule(number=st.integers(0))
    def remove_participant(self, number: int) -> None:
        expected = [each for each in self.conversations if each.members][
            number % sum(bool(e.members) for e in self.conversations)
        ]
        participant = self.resource(expected).participants.list()[0]
        participant.delete()
        binding = participant.messaging_binding or {}
        expected.members.remove(participant.identity or binding["address"])

    @precondition(lambda self: self.conversations)
    @rule(number=st.integers(0))
    def delete(self, number: int) -> None:
        expected = self.pick(number)
        self.resource(expected).delete()
        self.conversations.remove(expected)

    @rule(minutes=st.sampled_from([1, 60, 60 * 25]))
    def wait(self, minutes: int) -> None:
        self.twilio.advance_clock(minutes=minutes)

    @invariant()
    def everything_is_as_expected(self) -> None:
        listed = {each.sid: each for each in self.twilio.service.conversations.list()}
        assert set(listed) == {each.sid for each in self.conversations}
        for expected in self.conversations:
            assert (listed[expected.sid].state == "closed") == expected.closed
            messages = self.resource(expected).messages.list(page_size=3)
            assert [message.body for message in messages] == expected.bodies
            assert [message.index for message in messages] == sorted({message.index for message in messages})
            members = self.resource(expected).participants.list()
            assert {each.identity or each.messaging_binding["address"] for each in members} == expected.members


@pytest.fixture
def machine(twilio: EmulatorServer) -> type[Sequences]:
    return type("SequencesOnServer", (Sequences,), {"twilio": twilio})


def test_random_sequences_of_valid_calls_get_correct_responses(machine: type[Sequences]) -> None:
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

"""What an error of AWS says: whom it is about, what AWS answered, and what to do where an operator can mend it."""

import json
from collections.abc import Callable, Iterator
from typing import Any, cast

import boto3
import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, NoCredentialsError

from switchboard.author import AuthorRole
from switchboard.aws.dynamodb.client import ConversationsTable
from switchboard.aws.eventbridge import EventBus
from switchboard.aws.secrets import TwilioSecretReader
from switchboard.aws.sqs.queue import Queue, Record
from switchboard.channels.channel import Channel
from switchboard.consent import ConsentChange
from switchboard.conversation import Conversation, Note, OwnerReason, owner_change
from switchboard.errors import Misconfigured, SwitchboardError, Transient
from switchboard.events import Owner
from switchboard.notices import notice_of_close
from switchboard.ports import DueCheck, DueConversation, Fenced
from tests.builders import CONVERSATION, NOON, message_added
from tests.dynamodb import LATER, RECORD, REPLY, SECOND, TableStores, claim, settlement, stores_of, table_on_moto
from tests.functional.test_aws_answers import answer_once, cancelled

NOTHING_LEFT: frozenset[int] = frozenset()
NOTE = Note(index=1, author_role=AuthorRole.HUMAN, text="I take this", at=NOON)
NOTICE = notice_of_close(CONVERSATION, at=NOON)
CHANGE = owner_change(CONVERSATION, Owner.HUMAN, OwnerReason.MESSAGE, at=NOON)
OPT_OUT = ConsentChange(opted_out=True, at=NOON, index=3)
CHECK = DueCheck(conversation_sid=CONVERSATION, number=0, due=NOON)

type Call = Callable[[TableStores, Conversation], object]

OF_A_TURN: dict[str, Call] = {
    "join": lambda store, turn: store.join(turn, frozenset({SECOND})),
    "refuse": lambda store, turn: store.refuse(turn, RECORD, coverage=turn.coverage, left_to_human=NOTHING_LEFT),
    "freeze": lambda store, turn: store.freeze(turn, REPLY),
    "record_resend": lambda store, turn: store.record_resend(turn, REPLY),
    "settle": lambda store, turn: store.settle(turn, settlement(turn.coverage)),
    "settle and tell": lambda store, turn: store.settle(turn, settlement(turn.coverage, notice=NOTICE)),
}
OF_A_CONVERSATION: dict[str, Call] = {
    **OF_A_TURN,
    "let_go_first": lambda store, turn: store.let_go_first(turn),
    "give_back": lambda store, turn: store.give_back(turn),
    "close_empty": lambda store, turn: store.close_empty(turn),
    "read_unclaimed": lambda store, _: store.read_unclaimed(CONVERSATION),
    "read_fencing_token": lambda store, _: store.read_fencing_token(CONVERSATION),
    "claim": lambda store, _: claim(store),
    "claim of what was redriven": lambda store, _: claim(store, redriven=frozenset({0})),
    "record": lambda store, _: store.record(CONVERSATION, RECORD),
    "history": lambda store, _: store.history(CONVERSATION),
    "keep_notes": lambda store, _: store.keep_notes(CONVERSATION, [NOTE]),
    "take_over": lambda store, _: store.take_over(CONVERSATION, index=0, at=NOON),
    "hand_back": lambda store, _: store.hand_back(CONVERSATION, at=NOON),
    "hand_back_unless_spoken": lambda store, turn: store.hand_back_unless_spoken(turn, now=LATER),
    "mark_handled": lambda store, _: store.mark_handled(CONVERSATION, index=0, at=NOON),
    "has_opted_out": lambda store, _: store.has_opted_out(CONVERSATION),
    "close": lambda store, _: store.close(CONVERSATION, at=NOON),
    "change_consent": lambda store, _: store.change_consent(CONVERSATION, OPT_OUT),
    "read_owned": lambda store, _: store.read_owned(CONVERSATION),
    "read": lambda store, _: store.read(CHECK, now=NOON),
    "track": lambda store, _: store.track(CONVERSATION, now=NOON),
    "postpone": lambda store, turn: store.postpone(
        DueConversation(conversation=turn, checks=0, activity=NOON, active_check=NOON), until=LATER, now=NOON
    ),
    "put_off": lambda store, _: store.put_off(CHECK, until=LATER),
}
OF_MANY: dict[str, tuple[str, Call]] = {
    "due": ("by_active_check", lambda store, _: store.due(now=NOON, limit=1)),
    "untracked": ("new conversations", lambda store, _: store.untracked([CONVERSATION])),
    "owned_by_humans": ("by_owner", lambda store, _: list(store.owned_by_humans())),
    "read_consent": ("consent", lambda store, _: store.read_consent("0" * 32, Channel.SMS)),
    "spent": ("budgets", lambda store, _: store.spent("+12025550110", now=NOON)),
    "due_notices": ("NOTICES", lambda store, _: store.due_notices(before=NOON, limit=1)),
    "remove_notices": ("NOTICES", lambda store, _: store.remove_notices([NOTICE])),
    "due_failures": ("FAILURES", lambda store, _: store.due_failures(before=NOON, limit=1)),
    "lead_failures": ("FAILURES", lambda store, _: store.lead_failures(NOTICE, now=NOON, since=NOON)),
    "due_owner_changes": ("OWNERS", lambda store, _: store.due_owner_changes(before=NOON, limit=1)),
    "mark_shown": ("OWNERS", lambda store, _: store.mark_shown([CHANGE], at=NOON)),
    "remove_owner_changes": ("OWNERS", lambda store, _: store.remove_owner_changes([CHANGE])),
}
CALLS = {**{name: (CONVERSATION, call) for name, call in OF_A_CONVERSATION.items()}, **OF_MANY}


TURN = Conversation(sid=CONVERSATION, fencing_token=1, lease_fencing_token=1, lease_token="one", turn="T1")


@pytest.fixture
def store() -> Iterator[TableStores]:
    with table_on_moto() as table:
        yield stores_of(table)


@pytest.fixture(scope="module")
def client() -> Any:  # noqa: ANN401 -- boto3 makes its client classes at run time
    return boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")


class _Denied:
    def stream(self, **_: object) -> Iterator[bytes]:
        yield json.dumps({"__type": "com.amazon.coral.service#AccessDeniedException"}).encode()


def deny(request: Any, **_: object) -> AWSResponse:  # noqa: ANN401 -- botocore's
    return AWSResponse(request.url, 400, HTTPHeaders(), _Denied())


def no_credentials(**_: object) -> None:
    raise NoCredentialsError


@pytest.mark.parametrize(
    ("fail", "reason"),
    [
        (deny, "DynamoDB answered AccessDeniedException"),
        (no_credentials, r"DynamoDB could not be asked \(NoCredentialsError\)"),
    ],
)
@pytest.mark.parametrize(("what", "call"), CALLS.values(), ids=CALLS)
def test_an_error_of_dynamodb_says_what_was_asked_for_and_why_it_failed(
    client: Any,  # noqa: ANN401
    fail: Callable[..., object],
    reason: str,
    what: str,
    call: Call,
) -> None:
    client.meta.events.register_first("before-send.dynamodb", fail, "fails")

    with pytest.raises(Transient, match=f"^{what}: {reason}$"):
        call(stores_of(ConversationsTable(client=client, name="Conversations")), TURN)

    client.meta.events.unregister("before-send.dynamodb", unique_id="fails")


@pytest.mark.parametrize("call", OF_A_TURN.values(), ids=OF_A_TURN)
def test_a_fenced_worker_is_told_of_which_conversation(store: TableStores, call: Call) -> None:
    turn = claim(store)
    store.take_over(CONVERSATION, index=None, at=NOON)

    with pytest.raises(Fenced, match=f"^{CONVERSATION}: the fencing token was raised$"):
        call(store, turn)


@pytest.mark.parametrize("call", OF_A_TURN.values(), ids=OF_A_TURN)
def test_a_worker_whose_conversation_is_deleted_is_fenced(store: TableStores, call: Call) -> None:
    with pytest.raises(Fenced, match=f"^{CONVERSATION}: the fencing token was raised$"):
        call(store, TURN)


@pytest.mark.parametrize("name", ["refuse", "settle and tell", "record", "take_over", "close"])
def test_a_cancelled_transaction_says_of_which_conversation(store: TableStores, name: str) -> None:
    turn = claim(store)
    answer_once(store.table.client, "TransactWriteItems", 400, cancelled("TransactionConflict", "None"))

    with pytest.raises(Transient, match=f"^{CONVERSATION}: DynamoDB cancelled a transaction$"):
        OF_A_CONVERSATION[name](store, turn)


class Aws:
    """A client of any service, each of whose calls raises."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, _operation: str) -> Callable[..., Any]:
        def call(**_: object) -> None:
            raise self._error

        return call


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "Any")


NO_WAY = ConnectTimeoutError(endpoint_url="https://sqs.example.com")
MESSAGE = message_added()
RAW = {"messageId": "record-1", "receiptHandle": "handle-1", "body": "[]"}
QUEUE_CALLS: dict[str, Callable[[Queue], object]] = {
    "send": lambda queue: queue.send(MESSAGE),
    "send_again": lambda queue: queue.send_again([MESSAGE], since=NOON),
    "copy": lambda queue: queue.copy([MESSAGE], turn="T1"),
    "copy_record": lambda queue: queue.copy_record(RAW),
    "delete": lambda queue: queue.delete(
        [Record(message_id="record-1", receipt_handle="handle-1", receives=1, sent_at=NOON, event=MESSAGE)]
    ),
    "return_after": lambda queue: queue.return_after(["handle-1"], 7),
    "return_with_backoff": lambda queue: queue.return_with_backoff([RAW]),
}


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (refusal("ThrottlingException"), "SQS answered ThrottlingException"),
        (NO_WAY, r"SQS could not be asked \(ConnectTimeoutError\)"),
    ],
)
@pytest.mark.parametrize("call", QUEUE_CALLS.values(), ids=QUEUE_CALLS)
def test_an_error_of_sqs_says_why_it_failed(call: Callable[[Queue], object], error: Exception, sentence: str) -> None:
    with pytest.raises(Transient, match=f"^{sentence}$"):
        call(Queue(client=cast("Any", Aws(error)), url="https://sqs.example.com/messages.fifo"))


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (refusal("ThrottlingException"), "notices: EventBridge answered ThrottlingException"),
        (NO_WAY, r"notices: EventBridge could not be asked \(ConnectTimeoutError\)"),
    ],
)
def test_an_error_of_eventbridge_says_why_it_failed(error: Exception, sentence: str) -> None:
    with pytest.raises(Transient, match=f"^{sentence}$"):
        EventBus(client=Aws(error), name="notices").publish([NOTICE])


def secret_reader(client: object) -> TwilioSecretReader:
    return TwilioSecretReader(client=cast("Any", client), secret_id="twilio", clock=lambda: 0.0)


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        *(
            (refusal(code), Misconfigured, f"TWILIO_SECRET_ID: Secrets Manager answered {code}")
            for code in ("ResourceNotFoundException", "AccessDeniedException")
        ),
        (refusal("ThrottlingException"), Transient, "Secrets Manager answered ThrottlingException"),
        (NO_WAY, Transient, r"Secrets Manager could not be asked \(ConnectTimeoutError\)"),
    ],
)
def test_a_secret_that_cannot_be_read_names_its_setting_where_an_operator_can_mend_it(
    error: BotoCoreError | ClientError, kind: type[SwitchboardError], sentence: str
) -> None:
    with pytest.raises(kind, match=f"^{sentence}$"):
        secret_reader(Aws(error)).read()


class Secret:
    """A Secrets Manager with one secret."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803 -- boto3's
        assert SecretId == "twilio"
        return {"SecretString": self._text}


VALUES = {"auth_tokens": ["now", "next"], "account_sid": "AC1", "service_sid": "IS1"}


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        "null",
        *(json.dumps({name: value for name, value in VALUES.items() if name != missing}) for missing in VALUES),
        json.dumps({**VALUES, "auth_tokens": 7}),
    ],
)
def test_a_secret_that_is_not_valid_says_what_it_must_hold(text: str) -> None:
    with pytest.raises(
        Misconfigured,
        match=r"^The Twilio secret is not valid: it must be JSON with auth_tokens \(a list\), "
        r"account_sid and service_sid$",
    ):
        secret_reader(Secret(text)).read()


@pytest.mark.parametrize("tokens", [[], [""]])
def test_a_secret_without_a_token_says_so(tokens: list[str]) -> None:
    with pytest.raises(Misconfigured, match=r"^The Twilio secret has no auth token$"):
        secret_reader(Secret(json.dumps({**VALUES, "auth_tokens": tokens}))).read()


@pytest.mark.parametrize(
    ("more", "credentials", "customer_key"),
    [
        ({}, ("AC1", "now"), b"now"),
        ({"auth_tokens": ["", "next"]}, ("AC1", "next"), b"next"),
        ({"api_key_sid": "SK1", "api_key_secret": "key"}, ("SK1", "key"), b"key"),
        ({"api_key_sid": "SK1", "api_key_secret": "key", "customer_key": "salt"}, ("SK1", "key"), b"salt"),
        ({"api_key_sid": None, "api_key_secret": None, "customer_key": None}, ("AC1", "now"), b"now"),
    ],
    ids=["tokens", "an empty token", "an API key", "a key for customers", "null"],
)
def test_twilio_is_asked_with_the_api_key_and_customers_are_hashed_with_their_own_key_where_there_is_one(
    more: dict[str, Any], credentials: tuple[str, str], customer_key: bytes
) -> None:
    secret = secret_reader(Secret(json.dumps({**VALUES, **more}))).read()

    assert (secret.rest_credentials, secret.customer_key) == (credentials, customer_key)
    assert (secret.account_sid, secret.service_sid) == ("AC1", "IS1")

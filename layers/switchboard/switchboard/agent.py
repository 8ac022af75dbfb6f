"""What a team implements to put its own assistant in place: an `Agent` gets a `Question` and returns an `Answer`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from switchboard.content import Content
from switchboard.errors import Misconfigured
from switchboard.media import Media


class EntryRole(StrEnum):
    """Who said an entry of the history, or what it is."""

    CUSTOMER = "customer"
    ASSISTANT = "assistant"  # the agent itself: an earlier answer
    HUMAN = "human"  # whoever else on our side wrote in the conversation
    SYSTEM = "system"  # another program's note
    NOTICE = "notice"  # a sentence of ours that no agent said, such as the fallback sentence; the customer read it
    TOOL = "tool"  # a call of a tool by the agent, for an earlier answer, and what it returned
    SUMMARY = "summary"  # stands in the place of all that was said before, and is its beginning
    MARK = "mark"  # nobody's words: what happened here, such as that a human took over


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One thing that was said, or that happened, before the question. `at` is its time, as far as we know it."""

    role: EntryRole
    text: str
    at: datetime | None = None


class Effects(Protocol):
    """What this turn's tools change outside: each change is made once, however often the turn is tried.

    An agent that was asked before, in a turn that was not ended, goes on from `so_far`: it must not decide anew what to
    call, because another try may word it otherwise.
    """

    @property
    def so_far(self) -> str:
        """What the agent gave `run_once` at the turn's last effect; empty where there was none."""
        ...

    def run_once(
        self,
        tool: str,
        call: int,
        *,
        arguments: str,
        so_far: str,
        run: Callable[[], str],
        check: Callable[[], str | None] | None = None,
    ) -> str:
        """Return the result of an effect: of `run`, if it was never begun, or what it returned before.

        `call` counts the turn's calls of this tool, from 0. `arguments` and results are JSON. Where it was begun and no
        result came back, `check` tells whether it happened: its result, or None, and then it is run. Without `check`
        nobody knows: the result says so, and the turn ends with a handoff to a human, whatever the agent answers.

        Raises what `run` raises. `NotSent` says that nothing happened; after any other error nobody knows. Raises
        `Transient` where it cannot be written down, where too little time is left, and where it is too early to check.
        """
        ...


MAX_FILES = 5  # of an answer: each is a message of its own
HTTPS = "https://"
_NOT_IN_A_LINK = frozenset(' \t\r\n<>"')  # what ends a link where it is read


type ReadMedia = Callable[[Media, int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an agent is asked: the messages that wait for an answer, oldest first, after all that was said before.

    Together, the messages and the history have a limited length: the oldest entries are left out, and a mark says so.
    `turn` is the same each time the turn is tried again. What changes something outside is run by `effects`, or uses
    `turn` as the idempotency key; `effects` is None where nothing is kept, as in `make chat`.

    `conversation` and `customer` are keys, the same for each turn of a conversation and for each conversation of a
    customer. `address` is the customer's phone number or identity, without its channel: a model must not be told it.
    `now` is the time, in UTC. `media` are the files that the messages bring, and `read_media(media, max_bytes)` returns
    one of them: it raises `Permanent` where it is gone or larger, and `Transient` where it may be read later. It is
    None where there is nothing to read, as in `make chat`.

    `max_characters` is how long the answer should be at most, where it should be one message: a longer one is sent in
    several.

    `to_summarize` is not empty in a turn after which a summary takes the place of older history: `Answer.summary` may
    be that summary, of these entries. An earlier summary is the first of them.
    """

    turn: str
    history: tuple[HistoryEntry, ...]
    messages: tuple[str, ...]
    timeout_seconds: float
    effects: Effects | None = field(default=None, repr=False)
    conversation: str = ""
    customer: str = ""
    address: str = field(default="", repr=False)
    media: tuple[Media, ...] = ()
    read_media: ReadMedia | None = field(default=None, repr=False)
    max_characters: int | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    to_summarize: tuple[HistoryEntry, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply in Markdown. With `handoff`, it is the last one before a human takes the conversation.

    With `no_reply` nothing is said, whatever `text` is: the customer asked nothing and waits for nothing. With
    `opt_out` they have asked for no more messages: they read a confirmation, and nothing else until they opt in again.

    `content` says the same as `text` where there are cards, quick replies or templates: it is sent there, and the text
    everywhere else.

    `files` are at most five names of files in the folder `files` beside assistant.py, such as `menu.pdf`, or URLs that
    begin with https://. Each file is a message after the text. What the customer's channel does not carry, a sentence
    tells. A URL is a link below the text; where it names a file that the channel carries, at one of the hosts in
    `AllowedLinkHosts`, it is a message with that file, or with the link if the file cannot be had.

    `calls` tell later questions what the answer is based on, one text for each call of a tool, in order. Of many or
    long ones, a part is kept. What `Question.effects` ran is told anyway. `summary` is of `Question.to_summarize`;
    where it is empty, the next question asks for it again, and in the end the turn makes one by rule.
    """

    text: str = ""
    handoff: bool = False
    no_reply: bool = False
    opt_out: bool = False
    content: Content | None = None
    files: tuple[str, ...] = ()
    calls: tuple[str, ...] = field(default=(), repr=False)
    summary: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Raise `Misconfigured` for files that can be neither names nor links."""
        if isinstance(self.files, str) or not all(isinstance(file, str) for file in self.files):
            raise Misconfigured('the files of an answer must be texts in a tuple, such as ("menu.pdf",)')
        if len(self.files) > MAX_FILES:
            raise Misconfigured(f"an answer has {len(self.files)} files: it may have {MAX_FILES}")
        if any("://" in name for name in self.file_names) or any(set(link) & _NOT_IN_A_LINK for link in self.links):
            raise Misconfigured("a file of an answer must be a name, or a URL that begins with https://")

    @property
    def links(self) -> tuple[str, ...]:
        """The files that are URLs."""
        return tuple(file for file in self.files if file.startswith(HTTPS))

    @property
    def read_beside(self) -> tuple[str, ...]:
        """What the customer may read besides the text: links, and what fills the places of content."""
        return (*self.links, *(self.content.variables.values() if self.content else ()))

    @property
    def file_names(self) -> tuple[str, ...]:
        """The files of the folder."""
        return tuple(file for file in self.files if not file.startswith(HTTPS))


class Agent(Protocol):
    """Whatever answers a conversation. It never learns which channel the customer uses."""

    def answer(self, question: Question) -> Answer:
        """Answer within `timeout_seconds`, or raise `Transient` (try again) or `Permanent` (do not try again).

        The text of an error is logged, so it must not repeat what the customer said.
        """
        ...

"""Freeze: store the reply before it is sent. No later attempt of this turn says anything else."""

from dataclasses import replace

from switchboard.channels.channel import Channel
from switchboard.channels.files import carries
from switchboard.channels.reply import reply_parts
from switchboard.channels.split import MAX_PART_CHARACTERS
from switchboard.conversation import PendingReply, ReplyKind
from switchboard.customers import key_of
from switchboard.files import content_type_of, name_in
from switchboard.turn.context import Step, TurnContext
from switchboard.turn.result import Sending, Thought
from switchboard.turn.timing import COMMIT_WINDOW

CANNOT_SEND = "(I cannot send {} here.)"
NO_FILES = frozenset({"text/html", "application/xhtml+xml", "application/octet-stream"})  # pages, and what has no type


def freeze(turn: TurnContext, thought: Thought) -> Sending:
    """Return the stored reply, in the parts that its channel carries, with one POST allowed for each of them.

    Whatever the conversation's first text is, it begins with the disclosure. The same write notes that it does, and
    gives the conversation back to the assistant, where a human had it only because of a failure.

    A file is a part of its own, after the text. What the channel does not carry, a sentence of the text tells. Beside
    content, which has no place for them, both stand in a text before it, and so do links.

    Which URLs are files is decided here, by their names: a part that was frozen as a file is that part for good, and is
    sent as a link where the file cannot be had by then.
    """
    is_template = thought.kind is ReplyKind.TEMPLATE  # nothing else can be sent, so the answer to it discloses
    disclosure = turn.disclosure() if thought.text and not is_template else ""
    channel = turn.channel()
    fetched = [url for url in thought.links if _is_attached(turn, url, channel)]
    links = [url for url in thought.links if url not in fetched]
    files = [each for each in thought.files if carries(channel, content_type=each.content_type, size=each.size)]
    not_carried = [CANNOT_SEND.format(each.name) for each in thought.files if each not in files]
    text = _together(disclosure, thought.text.strip(), *links, *not_carried)
    content = thought.content if channel is Channel.WHATSAPP else None
    if content:
        before = _together(disclosure, *links, *not_carried)
        before_it = reply_parts(before, channel, sms=turn.settings.sms) if before else ()
        parts = (*before_it, thought.text[:MAX_PART_CHARACTERS])
    else:
        parts = reply_parts(text, channel, sms=turn.settings.sms) if text else ()
    lines = (*(each.line for each in files), *fetched)
    parts, text = (*parts, *lines), _together(text, *lines)
    reply = PendingReply(
        turn=turn.conversation.turn,
        kind=thought.kind,
        covers=_covered(turn, thought),
        parts=parts,
        send_attempts=(1,) * len(parts),
        ownership_epoch=turn.conversation.ownership_epoch,
        frozen_at=turn.now(),
        verify_not_before=turn.lease_until + COMMIT_WINDOW,
        discloses=bool(disclosure),
        calls=thought.calls,
        channel=channel,
        text="" if parts == (text,) else text,
        content=content,
        files=(*(each.name for each in files), *fetched),
    )
    customer = key_of(turn.delivered[0].author, secret=turn.ports.customer_secret)
    conversation = replace(turn.conversation, customer=customer)
    turn.ports.conversations.freeze(conversation, reply, remembered=thought.remembered)
    turn.observe(Step.FREEZE, reply.kind)
    return Sending(reply=reply, cause=thought.cause)


def _is_attached(turn: TurnContext, url: str, channel: Channel) -> bool:
    """Tell whether a URL names a file that the channel carries, at a host that may be asked; a page is a link."""
    fetcher, content_type = turn.ports.fetcher, content_type_of(name_in(url))
    if fetcher is None or not fetcher.may_fetch(url) or content_type in NO_FILES:
        return False
    return carries(channel, content_type=content_type, size=1)


def _together(*texts: str) -> str:
    return "\n\n".join(filter(None, texts))


def _covered(turn: TurnContext, thought: Thought) -> frozenset[int]:
    """Return the indices of the messages that the reply ends: an answer ends only what the agent was shown."""
    if thought.covers is not None:
        return thought.covers
    if thought.kind is ReplyKind.FALLBACK:
        return turn.waiting_indices()
    return turn.shown_indices()
